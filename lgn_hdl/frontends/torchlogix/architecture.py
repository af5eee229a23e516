"""Describes a live torchlogix module as a dictionary that JSON can hold.

The description has what a state_dict lacks: the order and kind of the layers, their options, the
group sum, which leaves no trace in a state_dict, and what a `forward` does between the layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from ...errors import LgnError, NetworkError
from ..assemble import INPUT
from ..modules import TRANSPARENT, kind_of, leaves
from .describe import KNOWN, options
from .record import Graph
from .schema import CHAIN, FORMAT, GRAPH, unsupported
from .shapes import shape_candidates, unknown_shape
from .state import State
from .trace import WRAPPERS, trace

__all__ = ["architecture"]


def architecture(
    module: nn.Module, input_shape: int | Sequence[int] | None = None
) -> dict[str, Any]:
    """Describe a live module, for a JSON file next to its state_dict.

    Parameters
    ----------
    module : torch.nn.Module
        torchlogix layers in Sequentials (nested ones and subclasses included), or in modules with
        a `forward` of their own, which is run once on samples that stand for their places.
    input_shape : int or sequence of int, optional
        Shape of one sample, without the batch axis. Not needed where the layers tell it.

    Returns
    -------
    dict
        `format`, `version`, `input_shape` and `layers`: each with its `type`, its `path` in the
        module, and its options. In version 2, which a module gets if it is not a chain, each has
        also its `name` and the `inputs` it reads, and there are `output` and `unused`.

    Raises
    ------
    NetworkError
        If a layer or an operation is not supported.
    """
    if isinstance(input_shape, int):
        input_shape = (input_shape,)
    shape = None if input_shape is None else [int(n) for n in input_shape]
    start = {"format": FORMAT, "version": CHAIN, "input_shape": shape}
    if _is_plain(module):
        found = leaves(module, KNOWN, unsupported)
        return {**start, "layers": [options(kind, path, m) for path, kind, m in found]}
    graph, traced = _traced(module, shape)
    if graph.is_chain:
        layers = [
            {key: value for key, value in layer.items() if key not in ("name", "inputs")}
            for layer in graph.layers
        ]
        return {**start, "layers": layers}
    return {
        **start,
        "version": GRAPH,
        "input_shape": traced,
        "layers": graph.layers,
        "output": graph.output,
        "unused": graph.unused,
    }


def _traced(module: nn.Module, shape: Sequence[int] | None) -> tuple[Graph, list[int]]:
    """What the forward does, on samples of `shape` or of one that follows from the layers."""
    state = module.state_dict()
    if shape is not None:
        return trace(module, shape, state), list(shape)
    layers = [options(kind, path, layer) for path, kind, layer in _in_order(module)]
    candidates, _ = shape_candidates(layers, State(state, [layer["path"] for layer in layers]))
    errors: list[LgnError] = []
    for candidate in candidates:
        try:
            graph = trace(module, candidate, state)
        except LgnError as error:
            hint = f"samples of {candidate} are assumed; give input_shape if they are of another"
            errors.append(NetworkError(error.what, where=error.where, hint=error.hint or hint))
            continue
        readers = [layer for layer in graph.layers if INPUT in layer["inputs"]]
        # A layer that knows its size reads the input itself, and all of it.
        whole = graph.is_chain or any({"feature_dim", "in_dim"} & {*layer} for layer in readers)
        if whole and not graph.cuts_input:
            return graph, list(candidate)
    raise errors[0] if errors else unknown_shape()


def _is_plain(module: nn.Module) -> bool:
    """Whether there are no modules with a `forward` of their own, so that order is everything."""
    kind = kind_of(module)
    if kind in KNOWN or kind in TRANSPARENT:
        return True
    children = [child for child in module._modules.values() if child is not None]
    # A bare nn.Module has no forward: its only child can be all there is.
    holds = kind in ("Sequential", "Module") or type(module).__name__ in WRAPPERS
    return holds and all(map(_is_plain, children))


def _in_order(module: nn.Module, path: str = "") -> Iterator[tuple[str, str, nn.Module]]:
    """All layers of the library in the order in which a module registered them."""
    kind = kind_of(module)
    if kind in KNOWN:
        yield path, kind, module
        return
    for name, child in module._modules.items():
        if child is not None:
            yield from _in_order(child, f"{path}.{name}" if path else name)
