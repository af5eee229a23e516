"""Runs the `forward` of a module once, to see which layers it calls and how it moves elements.

The layers of the library are replaced by stand-ins, and the samples by the numbers of their
elements. torch itself moves these, so an operation does here what it does in the module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import LgnError, NetworkError
from ..assemble import INPUT
from ..modules import TRANSPARENT, kind_of
from .describe import KNOWN, options
from .record import Graph, Recorder
from .schema import unsupported
from .shapes import shape_after
from .state import State
from .traced import Traced

__all__ = ["WRAPPERS", "trace"]

#: Modules around a network that change nothing, and the name of what they hold.
WRAPPERS = {
    "OptimizedModule": "_orig_mod",
    "DataParallel": "module",
    "DistributedDataParallel": "module",
}
#: Modules of torch that are run as they are.
HARMLESS = {"Sequential", "ModuleList", "ModuleDict", "Unflatten"}


def trace(module: nn.Module, shape: Sequence[int], state: Mapping[str, Tensor]) -> Graph:
    """Run the forward of `module` in eval mode on samples of `shape`, without changing it.

    Raises
    ------
    NetworkError
        If it calls a layer or an operation that is not supported, mixes samples, fails, or does
        not return one tensor.
    """
    kind = type(module).__name__
    if kind not in WRAPPERS and kind_of(module) == "Module":
        raise unsupported(kind, "")
    recorder = Recorder()
    standing_in = _Copier(recorder, state)
    copy = standing_in(module, "")
    x = Traced.fresh(recorder, INPUT, tuple(shape), bits=not standing_in.thresholds)
    try:
        with torch.no_grad():
            result = copy(x)
    except LgnError:
        raise
    except Exception as error:  # whatever the forward of a user provokes
        text = str(error).strip().partition("\n")[0] or type(error).__name__
        raise NetworkError(
            f"the forward of {kind} fails on samples of shape {tuple(shape)}: {text}",
            hint="input_shape is the shape of one sample without the batch axis",
        ) from None
    if not isinstance(result, Traced):
        raise NetworkError(
            f"the forward of {kind} returns a {type(result).__name__}, expected one tensor made "
            "by its layers"
        )
    return recorder.graph(result.source, list(state))


class _Copier:
    """Copies the tree of modules, in eval mode, with stand-ins for the layers."""

    def __init__(self, recorder: Recorder, state: Mapping[str, Tensor]):
        self.recorder, self.state = recorder, state
        self.thresholds = False

    def __call__(self, module: nn.Module, path: str) -> nn.Module:
        kind = kind_of(module)
        if kind in TRANSPARENT:
            return nn.Identity()
        children = {n: m for n, m in module._modules.items() if m is not None}
        if type(module).__name__ in WRAPPERS:
            name = WRAPPERS[type(module).__name__]
            return self(children[name], f"{path}.{name}" if path else name)
        of_torch = type(module).__module__.startswith("torch.") and kind not in HARMLESS
        if kind in KNOWN or (of_torch and not children and kind != "Module"):
            self.thresholds |= kind.endswith("Binarization") and kind != "DummyBinarization"
            return _StandIn(self.recorder, self.state, path, module)
        if kind == "ResidualLogicBlock":
            parts = (self(children[n], f"{path}.{n}" if path else n) for n in ("main", "shortcut"))
            return _Residual(path, *parts)
        copy = object.__new__(type(module))
        copy.__dict__ = dict(module.__dict__)
        copy.__dict__["training"] = False
        copy.__dict__["_modules"] = {
            name: self(child, f"{path}.{name}" if path else name)
            for name, child in children.items()
        }
        return copy


class _StandIn(nn.Module):
    """Stands for a layer: describes it where it is called."""

    recorder: Recorder
    state: Mapping[str, Tensor]
    path: str
    layer: nn.Module

    def __init__(
        self, recorder: Recorder, state: Mapping[str, Tensor], path: str, layer: nn.Module
    ):
        super().__init__()
        # Past nn.Module, which would make a submodule of the layer.
        self.__dict__.update(recorder=recorder, state=state, path=path, layer=layer)

    def forward(self, *inputs: Any) -> Tensor:
        where, kind = f"layer {self.path!r}", kind_of(self.layer)
        found = options(kind, self.path, self.layer)
        if len(inputs) != 1 or not isinstance(inputs[0], Traced):
            raise NetworkError(f"{kind} is not called on one tensor of the network", where=where)
        (x,) = inputs
        thresholds = None
        if "feature_dim" in found:
            name = "raw_diffs" if kind == "LearnableBinarization" else "thresholds"
            thresholds = State(self.state, [self.path]).get(self.path, name)
        try:
            shape = shape_after(found, x.sample, thresholds)
        except LgnError as error:
            raise error.at(where) from None
        del found["type"]
        name = self.recorder.add(kind, [x.source], found)
        return Traced.fresh(self.recorder, name, shape, bits=kind != "GroupSum")


class _Residual(nn.Module):
    """A residual block of the library: the OR of two branches, which it writes as arithmetic."""

    def __init__(self, path: str, main: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.path, self.main, self.shortcut = path, main, shortcut

    def forward(self, x: Any) -> Tensor:
        return Traced.either(self.main(x), self.shortcut(x), self.path)
