"""Cut a network in three: what arranges the input's bits, a chain of layers on images, the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile

from ...errors import BuildError
from ...network import (
    Concat,
    LogicConv,
    Network,
    Node,
    OrPool,
    Permute,
    Reshape,
    Slice,
    TensorType,
    Thermometer,
)

__all__ = ["Cut", "cut"]

#: Layers that make no gates: behind them a bit is still a comparison of one feature.
_ARRANGING = (Thermometer, Reshape, Permute, Slice, Concat)


@dataclass(frozen=True)
class Cut:
    """A network as three, joined by tensors of bits.

    Parameters
    ----------
    front : Network
        Its outputs are the image that the chain begins with, then the tensors set aside.
    chain : tuple of Node
        Convolutions and poolings, each of which reads the one before.
    images : tuple of TensorType
        The image in front of the chain, then that behind each of its layers.
    tail : Network
        The rest. Its one input is the last image, row-major, then the tensors set aside.
    """

    front: Network
    chain: tuple[Node, ...]
    images: tuple[TensorType, ...]
    tail: Network


def cut(network: Network) -> Cut:
    """Cut a network at the longest chain of layers that can share gates between positions.

    Raises
    ------
    BuildError
        If it does not begin with a convolution that reads the same taps at every position.
    """
    chain = _chain(network)
    if not any(isinstance(node.layer, LogicConv) for node in chain):
        raise BuildError(_why_not(network), where="--reuse", hint="use --reuse none")
    in_front = _in_front(network)
    inside = {node.name for node in chain}
    rest = [n for n in network.nodes if n.name not in in_front and n.name not in inside]
    read = dict.fromkeys(name for node in rest for name in node.inputs)
    read |= dict.fromkeys(network.outputs)
    aside = [name for name in read if name in in_front]
    image, last = chain[0].inputs[0], chain[-1].name
    needed = _behind(network, [image, *aside])
    front = replace(
        network,
        nodes=tuple(n for n in network.nodes if n.name in needed),
        outputs=(image, *aside),
        classes=(),
        meta={},
    ).validate()
    images = tuple(network.types[name] for name in (image, *(node.name for node in chain)))
    return Cut(front, chain, images, _tail(network, [last, *aside], rest))


def _in_front(network: Network) -> set[str]:
    """Names of the tensors whose elements are features, or comparisons of one."""
    found = set(network.inputs)
    for node in network.nodes:
        if isinstance(node.layer, _ARRANGING) and found.issuperset(node.inputs):
            found.add(node.name)
    return found


def _chain(network: Network) -> tuple[Node, ...]:
    """The layers from the first convolution or pooling on that can take positions in turn."""
    in_front = _in_front(network)
    first = next((n for n in network.nodes if _slides(n) and n.inputs[0] in in_front), None)
    chain: list[Node] = []
    while first is not None and _in_turn(first):
        chain.append(first)
        readers = [n for n in network.nodes if first.name in n.inputs]
        only = len(readers) == 1 and first.name not in network.outputs
        first = readers[0] if only and _slides(readers[0]) else None
    return tuple(chain)


def _slides(node: Node) -> bool:
    return isinstance(node.layer, (LogicConv, OrPool))


def _in_turn(node: Node) -> bool:
    """Whether all positions of the layer are computed by the same gates."""
    layer = node.layer
    return isinstance(layer, OrPool) or (isinstance(layer, LogicConv) and layer.shared)


def _why_not(network: Network) -> str:
    """Why there is no chain that begins with a convolution."""
    convolutions = [n for n in network.nodes if isinstance(n.layer, LogicConv)]
    if not convolutions:
        return "the network has no convolution whose positions could take turns"
    in_front = _in_front(network)
    before = list(takewhile(lambda n: n is not convolutions[0], network.nodes))
    for node in [*(n for n in before if _slides(n)), convolutions[0]]:
        if isinstance(node.layer, LogicConv) and not node.layer.shared:
            return (
                f"layer {node.name!r} reads other taps at every position, so its positions "
                "cannot share gates"
            )
        if node.inputs[0] not in in_front and not _slides_at(network, node.inputs[0]):
            return (
                f"layer {node.name!r} reads {node.inputs[0]!r}, expected bits of the input that "
                "are only arranged"
            )
    return f"layer {convolutions[0].name!r} does not follow the input in a chain"


def _slides_at(network: Network, name: str) -> bool:
    return any(node.name == name and _slides(node) for node in network.nodes)


def _behind(network: Network, names: Iterable[str]) -> set[str]:
    """The tensors and all that they are made of."""
    needed = set(names)
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return needed


def _tail(network: Network, tensors: list[str], rest: list[Node]) -> Network:
    """The nodes `rest` behind a vector that holds `tensors` one after the other."""
    taken = set(network.types)

    def fresh(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    vector, first = fresh("streamed"), 0
    nodes: list[Node] = []
    for name in tensors:
        kind = network.types[name]
        part = fresh(f"{name}_bits")
        nodes.append(Node(part, Slice(0, first, first + kind.size), (vector,)))
        nodes.append(Node(name, Reshape(kind.shape), (part,)))
        first += kind.size
    needed = {n.name for n in nodes} | _behind(network, network.outputs)
    nodes += [node for node in rest if node.name in needed]
    return replace(
        network, inputs={vector: TensorType((first,))}, nodes=tuple(nodes), meta={}
    ).validate()
