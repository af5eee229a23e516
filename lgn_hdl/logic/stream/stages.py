"""The layers of a chain as they take turns: a pooling is halved, and an element may be held.

An OR over a window of two axes is an OR along each of them. That along a line needs nothing but the
line, so it is done where the line is computed, and half the bits or fewer are stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...network import LogicConv, Node, OrPool, TensorType
from .cut import Cut
from .grid import Grid, Sliding, zeros_for

__all__ = ["Stage", "stages_of", "streams_of"]


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer between two streams.

    Parameters
    ----------
    node : Node
        Of the network, or made up for a stage that holds elements.
    layer : LogicConv or OrPool
        What it computes of a window.
    then : OrPool or None
        What is computed of a line of that: part of the next node.
    given, image : TensorType
        What is read, and what is left in the end.
    """

    node: Node
    layer: LogicConv | OrPool
    then: OrPool | None
    given: TensorType
    image: TensorType


def stages_of(chain: Cut, scan: tuple[int, ...], hold: Iterable[int] = ()) -> tuple[Stage, ...]:
    """The stages of a chain.

    Parameters
    ----------
    chain : Cut
    scan : tuple of int
        Axes along which elements follow each other.
    hold : iterable of int
        Layers of the chain in front of which there is a stage that holds an element.
    """
    stages: list[Stage] = []
    for number, (node, image) in enumerate(zip(chain.chain, chain.images[1:], strict=True)):
        layer, given = node.layer, chain.images[number]
        assert isinstance(layer, (LogicConv, OrPool)), "cut takes no others"
        if stages and isinstance(layer, OrPool):
            line, layer = _halved(layer, scan)
            if line is not None:
                given = line.infer(given)
                stages[-1] = replace(stages[-1], then=line, image=given)
        if number in hold:
            stages.append(_held(chain.chain[number - 1].name, given))
        stages.append(Stage(node, layer, None, given, image))
    return tuple(stages)


def _held(name: str, image: TensorType) -> Stage:
    """A stage that does nothing but wait."""
    once = (1,) * (len(image.shape) - 1)
    nothing = OrPool(once, once, (0,) * len(once))
    return Stage(Node(f"{name}_held", nothing, (name,)), nothing, None, image, image)


def _halved(pool: OrPool, scan: tuple[int, ...]) -> tuple[OrPool | None, OrPool]:
    """A pooling along lines, if that does anything and is not all, and the rest of it."""

    def only(scanned: bool) -> OrPool:
        def some(values: tuple[int, ...], other: int) -> tuple[int, ...]:
            return tuple(v if (a in scan) == scanned else other for a, v in enumerate(values))

        return OrPool(some(pool.window, 1), some(pool.stride, 1), some(pool.padding, 0))

    line, rest = only(False), only(True)
    once = (1,) * len(pool.window)
    if line.window == line.stride == once or rest.window == rest.stride == once:
        return None, pool
    return line, rest


def streams_of(
    stages: tuple[Stage, ...], scan: tuple[int, ...]
) -> tuple[tuple[Grid, ...], tuple[Sliding, ...]]:
    """The stream in front of each stage and that behind the last; how the stages move over them."""
    slidings = tuple(Sliding.of(one.layer, scan, one.image.shape) for one in stages)
    images = [stages[0].given, *(stage.image for stage in stages)]
    sizes = [tuple(image.shape[1 + axis] for axis in scan) for image in images]
    readers = zip(sizes, [*slidings, None], strict=True)
    return tuple(Grid(size, zeros_for(reader, size)) for size, reader in readers), slidings
