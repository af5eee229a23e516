"""The components of a sparse CNN, and how much each does in a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth.lib import data

from ...network import Network, TensorType
from ...network.chain import SparseChain
from .decide import decision_layout

__all__ = ["Block", "SparsePlan"]


@dataclass(frozen=True, eq=False)
class Block:
    """A component of the classifier.

    Parameters
    ----------
    name : str
        In the hierarchy: that of its last layer, as an identifier.
    kind : str
        What it is.
    layers : tuple of str
        The tensors that it computes; the last one leaves it.
    result : TensorType
        The type of that.
    parallel : int
        Rows or pixels, as `kind` says, slots or numbers that it works on in a clock; 0 if there is
        nothing to choose.
    latency, interval : int
        Clocks from a sample to its result, and to the next sample.
    make : callable
        Makes the component.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    result: TensorType
    parallel: int
    latency: int
    interval: int
    make: Callable[[], Any]


@dataclass(frozen=True, eq=False)
class SparsePlan:
    """A sparse CNN as a chain of components.

    Parameters
    ----------
    network : Network
    chain : SparseChain
    by_rows : bool
        Whether an image comes in rows, or parts of them, one a clock, or whole.
    piece : tuple of int
        Rows and columns of the image that come in a payload.
    latched : bool
        Whether a whole image is taken in one clock.
    blocks : tuple of Block
        From the input reduction to the decision.
    """

    network: Network
    chain: SparseChain
    by_rows: bool
    piece: tuple[int, int]
    latched: bool
    blocks: tuple[Block, ...]

    @property
    def source(self) -> TensorType:
        """The image."""
        return self.network.inputs[self.chain.source]

    @property
    def scores(self) -> TensorType:
        """What the last layer before the choice gives."""
        return self.network.types[self.chain.vectors[-1].name]

    @property
    def steps(self) -> int:
        """Payloads that make up a sample."""
        return self.source.shape[1] * self.source.shape[2] // (self.piece[0] * self.piece[1])

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        choice = self.chain.choice
        return decision_layout(choice.layer if choice else None, self.scores)

    @property
    def latency(self) -> int:
        """Clocks from the one in which the first payload of a sample is offered to its result."""
        return sum(block.latency for block in self.blocks)

    @property
    def waits(self) -> int:
        """Clocks for which a sample is offered before it is taken; they count for the latency."""
        return 0 if self.latched else self.blocks[0].interval - 1

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return max(block.interval for block in self.blocks)
