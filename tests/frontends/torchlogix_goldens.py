"""The torchlogix goldens of convolutions and graphs, as a state_dict and as a live module.

For the way in through a live module the recorded layers are put into small classes that have the
names and attributes of the library's and compute nothing.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lgn_hdl.network import Network
from lgn_hdl.reference import Reference

GOLDENS = Path(__file__).parents[1] / "golden" / "torchlogix"
FAMILIES = ("conv", "conv3d", "pool", "conv_models", "graph")


@cache
def golden(family: str) -> dict[str, Any]:
    with gzip.open(GOLDENS / f"{family}.pt.gz") as file:
        return torch.load(file, weights_only=True)


def cases(*families: str) -> list[tuple[str, str]]:
    return [(family, name) for family in families or FAMILIES for name in golden(family)]


def changed(family: str, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """A state_dict and a description that a test may change."""
    case = golden(family)[name]
    return dict(case["state_dict"]), json.loads(json.dumps(case["architecture"]))


def output(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the library puts out for our integers, in its single precision."""
    out = Reference(network)(x).float()
    layer = network.group_sum
    if layer is not None:
        out = out + layer.beta if layer.beta != 0 else out
        out = out / layer.tau if layer.tau != 1 else out
    return out


def same(network: Network, case: Mapping[str, Any]) -> bool:
    """Whether a network gives the recorded outputs."""
    ours, theirs = output(network, case["x"]), case["out"].float()
    if network.scores:
        expected = [row.index(max(row)) for row in theirs.tolist()]
        assert Reference(network).predict(case["x"]).tolist() == expected
    return torch.equal(ours.reshape(theirs.shape), theirs)


# --- live modules --------------------------------------------------------------------------------

_PARAMETRIZATIONS = {"raw": "Raw", "warp": "Warp", "light": "Light"}
_BASES = {"LogicConv2d": "_LogicConvNd", "LogicConv3d": "_LogicConvNd"}


def named(name: str, **attributes: Any) -> nn.Module:
    """An object of a class with a library's name; it must never be called.

    As there, the forward of convolutions is that of a private base class.
    """

    def forward(self: nn.Module, x: object) -> object:
        raise AssertionError(f"{name} was called")

    base = type(_BASES.get(name, "Base"), (nn.Module,), {"forward": forward})
    module = type(name, (base,), {} if name in _BASES else {"forward": forward})()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def layer_of(described: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> nn.Module:
    """A described layer with its tensors."""
    kind, path = described["type"], described["path"]
    hidden = ("type", "path", "name", "inputs", "parametrization", "connections")
    # Sizes are tuples there, and one number where all are the same.
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in described.items()
        if key not in (*hidden, "materialize_basis")
    }
    if kind.startswith("LogicConv"):
        options |= {key: options[key][0] for key in ("stride", "padding")}
    module = named(kind, **options)
    if "parametrization" in described:
        name = _PARAMETRIZATIONS[described["parametrization"]] + "LUTParametrization"
        module.parametrization = named(name, materialize_basis=described["materialize_basis"])
        wiring = "Conv" if kind.startswith("LogicConv") else "Dense"
        wiring = f"{described['connections'].capitalize()}{wiring}Connections"
        module.connections = named(wiring)
    fill(module, f"{path}." if path else "", state)
    return module


def fill(module: nn.Module, prefix: str, state: Mapping[str, torch.Tensor]) -> None:
    """Give a module the tensors under `prefix`, with submodules where their names have dots."""
    for key, value in state.items():
        if not key.startswith(prefix):
            continue
        *places, name = key.removeprefix(prefix).split(".")
        owner = module
        for place in places:
            if place not in owner._modules:
                owner.add_module(place, nn.Module())
            owner = owner.get_submodule(place)
        owner.register_buffer(name, value)


def populate(root: nn.Module, family: str, name: str, **containers: nn.Module) -> nn.Module:
    """Put the recorded layers of a case into a module at their paths, and return it."""
    case = golden(family)[name]
    state = case["state_dict"]
    for key, container in containers.items():
        root.add_module(key, container)
    layers = [la for la in case["architecture"]["layers"] if "path" in la]
    for described in layers:
        if any(la["path"].startswith(f"{described['path']}.") for la in layers):
            continue  # what a block does besides its layers
        *places, last = described["path"].split(".") if described["path"] else [""]
        if not last:
            return layer_of(described, state)
        owner = root
        for place in places:
            if place not in owner._modules:
                owner.add_module(place, nn.Sequential())
            owner = owner.get_submodule(place)
        owner.add_module(last, layer_of(described, state))
    for key in case["architecture"].get("unused", ()):
        fill(root, "", {key: state[key]})
    return root
