"""The layers of a sparse CNN in the order in which hardware has them."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NetworkError
from .arithmetic import Dense, Quantize
from .layers import ArgMax, Thermometer
from .network import Network, Node
from .sparse import InputReduce, SparseConv2d, SparseFlatten, SparsePool2d

__all__ = ["SparseChain", "sparse_chain"]

_ON_SLOTS = (SparseConv2d, SparsePool2d, Quantize)
_ON_VECTORS = (Dense, Quantize)


@dataclass(frozen=True, eq=False)
class SparseChain:
    """A sparse CNN, cut where its tensors change their form.

    Parameters
    ----------
    source : str
        The input.
    reduce : Node
        The input reduction.
    slots : tuple of Node
        Layers from sparse tensor to sparse tensor.
    flatten : Node
    vectors : tuple of Node
        Layers from vector to vector, a dense one first.
    choice : Node or None
        Argmax, or the thermometer that compares the last dense layer with one threshold.
    """

    source: str
    reduce: Node
    slots: tuple[Node, ...]
    flatten: Node
    vectors: tuple[Node, ...]
    choice: Node | None


def sparse_chain(network: Network) -> SparseChain | None:
    """Cut a sparse CNN into its parts.

    Returns
    -------
    SparseChain or None
        None if the network has no input reduction.

    Raises
    ------
    NetworkError
        If it has one, and is no chain of the layers of a sparse CNN, each read by the next.
    """
    if not any(isinstance(node.layer, InputReduce) for node in network.nodes):
        return None
    nodes = list(network.nodes)
    if len(network.inputs) != 1:
        raise NetworkError(f"a sparse network of {len(network.inputs)} inputs, expected one")
    (source,) = network.inputs
    _check_order(source, nodes)
    if not isinstance(nodes[0].layer, InputReduce):
        raise _unexpected(nodes[0], "the input reduction first")
    reduce, rest = nodes[0], nodes[1:]
    slots = _while(rest, _ON_SLOTS)
    rest = rest[len(slots) :]
    if not rest or not isinstance(rest[0].layer, SparseFlatten):
        raise _unexpected(rest[0] if rest else slots[-1] if slots else reduce, "a flatten layer")
    flatten, rest = rest[0], rest[1:]
    vectors = _while(rest, _ON_VECTORS)
    if not vectors or not isinstance(vectors[0].layer, Dense):
        raise _unexpected(rest[0] if rest else flatten, "a dense layer behind flatten")
    rest = rest[len(vectors) :]
    if len(rest) > 1 or (rest and not isinstance(rest[0].layer, (ArgMax, Thermometer))):
        raise _unexpected(rest[0], "at most an argmax or a threshold at the end")
    if rest and isinstance(rest[0].layer, Thermometer):
        numbers, thresholds = network.types[vectors[-1].name].size, rest[0].layer.thresholds.size
        if numbers != 1 or thresholds != 1:
            raise NetworkError(
                f"compares {numbers} numbers with {thresholds} thresholds, expected one with one",
                where=f"layer {rest[0].name!r}",
                hint="the sigmoid of a sparse CNN decides by one number",
            )
    return SparseChain(
        source, reduce, tuple(slots), flatten, tuple(vectors), rest[0] if rest else None
    )


def _check_order(source: str, nodes: list[Node]) -> None:
    before = source
    for node in nodes:
        if node.inputs != (before,):
            raise NetworkError(
                f"reads {', '.join(node.inputs)}, expected {before}: the layers of a sparse CNN "
                "follow each other",
                where=f"layer {node.name!r}",
            )
        before = node.name


def _while(nodes: list[Node], kinds: tuple[type, ...]) -> list[Node]:
    found = []
    for node in nodes:
        if not isinstance(node.layer, kinds):
            break
        found.append(node)
    return found


def _unexpected(node: Node, expected: str) -> NetworkError:
    kind = type(node.layer).__name__
    return NetworkError(
        f"a {kind} in a sparse network, expected {expected}", where=f"layer {node.name!r}"
    )
