"""How the layers of a sparse CNN become components."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...errors import BuildError
from ...network import Dense, Network, Node, SparseConv2d, SparsePool2d
from ...network.chain import SparseChain, sparse_chain
from .constantdense import ConstantDense
from .conv import SparseConv
from .decide import Decide
from .dense import DenseLayer, FlattenDense
from .framereduce import FrameReduce
from .plan import Block, SparsePlan
from .pool import Pool
from .requantize import Requantize
from .rowreduce import RowReduce

__all__ = ["plan_sparse"]

#: Ports and shared modules of the top, and names in vectors.npz.
_RESERVED = r"i|o|clk|rst|result|front|(table|product)\d+"


def plan_sparse(
    network: Network,
    *,
    by_rows: bool,
    rows: int | None = None,
    pixels: int | None = None,
    slots: int | None = None,
    chosen: Mapping[str, int] | None = None,
    share: bool = False,
    latched: bool = True,
) -> SparsePlan:
    """Choose components.

    Parameters
    ----------
    network : Network
        A sparse CNN.
    by_rows : bool
        Whether an image comes in rows, one a clock, or whole.
    rows : int, optional
        Rows of a whole image that are searched in a clock; by default one.
    pixels : int, optional
        Pixels that come in a clock if an image comes in rows; by default a row.
    slots : int, optional
        Slots that a layer works on in a clock; by default as few as keep up with the input
        reduction. Dense layers behind the first take no more clocks than the slots do.
    chosen : mapping of str to int, optional
        Other numbers for single blocks, by their names.
    share : bool
        Whether dense layers that take a whole vector in a clock are adder graphs of alkaid, not
        sums of products one by one.
    latched : bool
        Whether a whole image is taken in one clock, or when all of it has been searched.

    Raises
    ------
    BuildError
        If a number is out of range, a block has no such choice, or there is no block of that name.
    NetworkError
        If the network is no chain.
    """
    chain = sparse_chain(network)
    if chain is None:
        raise BuildError("the network has no input reduction, it is no sparse CNN")
    planner = _Planner(network, chain, dict(chosen or {}))
    if by_rows:
        planner.reduce_rows(rows, pixels)
    else:
        planner.reduce_frame(rows, pixels, latched)
    planner.slots(slots)
    planner.vectors(share=share)
    planner.decision()
    planner.check_chosen()
    height, width = network.inputs[chain.source].shape[1:]
    piece = (1, pixels or width) if by_rows else (height, width)
    latched = latched or by_rows
    return SparsePlan(network, chain, by_rows, piece, latched, tuple(planner.blocks))


class _Planner:
    """The blocks so far."""

    def __init__(self, network: Network, chain: SparseChain, chosen: dict[str, int]):
        self.network, self.chain, self.chosen = network, chain, chosen
        self.blocks: list[Block] = []
        self.kept = network.types[chain.reduce.name].shape[0]
        self.per_clock = 1
        self.names = _identifiers([node.name for node in network.nodes])
        self.type = network.inputs[chain.source]

    def add(
        self, kind: str, nodes: list[Node], component: Any, *, at_once: int = 0, **options: Any
    ) -> None:
        """A component for the last of some nodes, that works on `at_once` things in a clock."""
        node = nodes[-1]
        make = partial(component, layer=node.layer, source=self.type, **options)
        made = make()
        made._MustUse__used = True  # it was made to be asked; Amaranth would warn of it
        self.type = self.network.types[node.name]
        self.blocks.append(
            Block(
                self.names[node.name],
                kind,
                tuple(n.name for n in nodes),
                self.type,
                options.get("parallel", at_once),
                made.latency,
                made.interval,
                make,
            )
        )

    def parallel(self, node: Node, usual: int, most: int) -> int:
        """What a block works on in a clock."""
        name = self.names[node.name]
        found = self.chosen.pop(name, usual)
        if not 1 <= found <= most:
            raise BuildError(
                f"{name}={found}: {found} in a clock, expected 1 to {most}, all that there are",
                where="--slots-per-clock",
            )
        return found

    def reduce_rows(self, rows: int | None, pixels: int | None) -> None:
        if rows not in (None, 1):
            raise BuildError(
                f"{rows} rows in a clock, expected one: they come so", where="--rows-per-clock"
            )
        width = self.type.shape[2]
        if pixels is not None and (pixels < 1 or width % pixels):
            raise BuildError(
                f"{pixels} pixels in a clock, expected a divisor of {width}, the pixels of a row",
                where="--pixels-per-clock",
            )
        pixels = pixels or width
        nodes = [self.chain.reduce]
        self.add("input reduction, pixels", nodes, RowReduce, at_once=pixels, pixels=pixels)

    def reduce_frame(self, rows: int | None, pixels: int | None, latched: bool) -> None:
        height, rows = self.type.shape[1], 1 if rows is None else rows
        if pixels is not None:
            raise BuildError(
                "an image that comes whole comes in one clock",
                where="--pixels-per-clock",
                hint="with --front rows it comes in rows or in parts of them",
            )
        if not 1 <= rows <= height:
            raise BuildError(
                f"{rows} rows in a clock, expected 1 to {height}, all of them",
                where="--rows-per-clock",
            )
        nodes = [self.chain.reduce]
        self.add(
            "input reduction, rows", nodes, FrameReduce, at_once=rows, rows=rows, latched=latched
        )

    def slots(self, slots: int | None) -> None:
        enough = -(-self.kept // self.blocks[0].interval)
        self.per_clock = enough if slots is None else slots
        if not 1 <= self.per_clock <= self.kept:
            raise BuildError(
                f"{slots} slots in a clock, expected 1 to {self.kept}, all of them",
                where="--slots-per-clock",
            )
        nodes = list(self.chain.slots)
        behind = _average_at_the_end(nodes)
        for node in nodes[: len(nodes) - len(behind)]:
            if isinstance(node.layer, SparseConv2d):
                self.add("sparse convolution", [node], SparseConv, parallel=self.of_slots(node))
            elif isinstance(node.layer, SparsePool2d):
                self.add("sparse pooling", [node], Pool, parallel=self.of_slots(node))
            else:
                self.add("rounding", [node], Requantize)
        first, pool = self.chain.vectors[0], behind[0].layer if behind else None
        self.add(
            "flatten, dense" if pool is None else "average, flatten, dense",
            [*behind, self.chain.flatten, first],
            FlattenDense,
            parallel=self.of_slots(first),
            pool=pool,
        )

    def of_slots(self, node: Node) -> int:
        """Slots that a block works on in a clock."""
        return self.parallel(node, self.per_clock, self.kept)

    def vectors(self, *, share: bool) -> None:
        steps = -(-self.kept // self.per_clock)
        for node in self.chain.vectors[1:]:
            if isinstance(node.layer, Dense):
                size = self.type.size
                parallel = self.parallel(node, -(-size // steps), size)
                if share and parallel == size:
                    self.add("dense, shared additions", [node], ConstantDense)
                else:
                    self.add("dense", [node], DenseLayer, parallel=parallel)
            else:
                self.add("rounding", [node], Requantize)

    def decision(self) -> None:
        if self.chain.choice is not None:
            self.add("decision", [self.chain.choice], Decide)

    def check_chosen(self) -> None:
        for name, number in self.chosen.items():
            names = ", ".join(b.name for b in self.blocks[1:] if b.parallel)
            raise BuildError(f"{name}={number} is for no block, expected one of {names}")


def _average_at_the_end(nodes: list[Node]) -> list[Node]:
    """An average right before flatten, which costs nothing in the dense layer."""
    last = nodes[-1] if nodes else None
    if last is None or not isinstance(last.layer, SparsePool2d) or last.layer.kind != "average":
        return []
    return [last]


def _identifiers(names: Sequence[str]) -> dict[str, str]:
    """Names of Verilog, each different from the others, from the ports and from shared modules."""
    found: dict[str, str] = {}
    for name in names:
        text = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
        if not text[:1].isalpha() or re.fullmatch(_RESERVED, text):
            text = f"layer_{text}"
        while text in found.values():
            text += "_"
        found[name] = text
    return found
