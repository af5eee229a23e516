"""The difflogic goldens, as a live module and as a state_dict with its connections.

For the way in through a live module the recorded layers are put into small classes that have the
names and attributes of the library's and compute nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lgn_hdl.frontends.difflogic import indices
from lgn_hdl.network import Network
from lgn_hdl.reference import Reference

GOLDEN = Path(__file__).parents[1] / "golden" / "difflogic" / "cases.pt"


@cache
def goldens() -> dict[str, Any]:
    return torch.load(GOLDEN, weights_only=True)


def named(name: str, **attributes: Any) -> nn.Module:
    """An object of a class with a library's name; it computes nothing."""
    module = type(name, (nn.Module,), {"forward": lambda self, x: x})()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def live(case: dict[str, Any]) -> nn.Sequential:
    """The recorded layers, one after another, as a live module has them."""
    wiring = iter(case["indices"])
    modules = []
    for layer in case["layers"]:
        options = {key: value for key, value in layer.items() if key not in ("kind", "path")}
        if layer["kind"] == "Flatten":
            modules.append(nn.Flatten(**options))
        elif layer["kind"] == "GroupSum":
            modules.append(named("GroupSum", **options))
        else:
            weights = case["state_dict"][f"{layer['path']}.weights".lstrip(".")]
            a, b = next(wiring).long()
            options |= {"weights": nn.Parameter(weights), "indices": (a, b)}
            modules.append(named("LogicLayer", grad_factor=1.0, **options))
    return nn.Sequential(*modules)


def stored(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state_dict, and the content of an indices file, both to be changed by a test."""
    state = {key: value for key, value in case["state_dict"].items() if key.endswith("weights")}
    return state, dict(indices(live(case)))


def output(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the library puts out for our integers, in its single precision."""
    out = Reference(network)(x.reshape(len(x), *network.inputs["x"].shape)).float()
    return out if network.group_sum is None else out / network.group_sum.tau


def check(network: Network, case: dict[str, Any]) -> None:
    theirs = case["out"].float()
    assert torch.equal(output(network, case["x"]).reshape(theirs.shape), theirs)
    if case["layers"][-1]["kind"] == "GroupSum":
        assert network.outputs == ("class", "scores")
        x = case["x"].reshape(len(case["x"]), *network.inputs["x"].shape)
        expected = [row.index(max(row)) for row in theirs.tolist()]
        assert Reference(network).predict(x).tolist() == expected
