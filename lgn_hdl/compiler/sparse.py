"""The way to build a sparse CNN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.lib import data

from ..errors import BuildError
from ..hdl.sparse import (
    SparseClassifier,
    SparsePlan,
    block_wires,
    check_sparse_ports,
    plan_sparse,
)
from ..logic.frames import evaluate_frames
from ..network import FixedPoint, InputReduce, Network
from .options import BuildOptions

__all__ = [
    "InputNumbers",
    "SparseCore",
    "check_sparse_options",
    "make_sparse_core",
    "sparse_warnings",
]


@dataclass(frozen=True)
class InputNumbers:
    """Number format and count of the features of a sample."""

    format: FixedPoint
    features: int


@dataclass(frozen=True, eq=False)
class SparseCore:
    """Active pixels and what the layers make of them, in a chain of streams."""

    plan: SparsePlan

    #: No pass changes a sparse network.
    probes = 0

    @property
    def inputs(self) -> InputNumbers:
        """Number format and features of a sample."""
        return InputNumbers(self.number, self.plan.source.size)

    @property
    def number(self) -> FixedPoint:
        """Number format of a pixel."""
        assert isinstance(self.plan.source.element, FixedPoint), "checked by infer"
        return self.plan.source.element

    @property
    def reduce(self) -> InputReduce:
        """The input reduction."""
        layer = self.plan.chain.reduce.layer
        assert isinstance(layer, InputReduce)
        return layer

    @property
    def latency(self) -> int:
        """Clocks from the first payload of a sample to its result."""
        return self.plan.latency

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return self.plan.interval

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return self.plan.layout

    @cached_property
    def wires(self) -> list[str]:
        """Wires of the top that carry what leaves the blocks."""
        return [wire for block in self.plan.blocks for wire in block_wires(block.name)]

    def component(self) -> SparseClassifier:
        """The hardware."""
        return SparseClassifier(plan=self.plan)

    def evaluate(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outgoing bits (n, B) and scores (n, C) for stored integers (n, features)."""
        return evaluate_frames(self.plan.network, features)

    def about(self) -> str:
        """One sentence for the report."""
        height, slots = self.plan.source.shape[1], self.reduce.slots
        rows, how = self.plan.blocks[0].parallel, "in rows, one a clock"
        if self.plan.piece[1] < self.plan.source.shape[2]:
            pixels = self.plan.piece[1]
            how = f"in parts of its rows, {pixels} pixel{'s' * (pixels > 1)} a clock"
        if not self.plan.by_rows:
            when = "in one clock, to be" if self.plan.latched else "and stays until it is"
            how = f"whole {when} searched at {rows} of {height} rows a clock"
        return f"An image comes {how}; the first {slots} active pixels of it are kept."


def make_sparse_core(network: Network, options: BuildOptions) -> SparseCore:
    """Plan the hardware of a sparse network.

    Raises
    ------
    BuildError, NetworkError
        If an option or a layer does not fit.
    """
    slots, chosen = _slots_of(options.slots_per_clock)
    plan = plan_sparse(
        network,
        by_rows=options.front == "rows",
        rows=options.rows_per_clock,
        pixels=options.pixels_per_clock,
        slots=slots,
        chosen=chosen,
        share=options.constants == "alkaid",
        # A board's link keeps a sample until it is taken.
        latched=options.board is None,
    )
    check_sparse_ports(plan)
    return SparseCore(plan)


def sparse_warnings(core: SparseCore, options: BuildOptions) -> list[str]:
    """Remarks on options and thresholds that do not do what one may expect."""
    warnings = []
    if options.constants == "alkaid" and not any("shared" in b.kind for b in core.plan.blocks):
        warnings.append(
            "--constants alkaid changes nothing: no dense layer takes its whole vector in a clock; "
            "--slots-per-clock NAME=N with all its inputs lets it."
        )
    number, threshold = core.number, core.reduce.threshold
    limit = number.floor_int(threshold)
    if limit >= number.max_int:
        warnings.append(f"No number of {number} is above the threshold {threshold:g}.")
    elif limit < number.min_int:
        warnings.append(f"Every number of {number} is above the threshold {threshold:g}.")
    return warnings


def check_sparse_options(options: BuildOptions, *, sparse: bool) -> None:
    """Refuse options that have no meaning for a sparse network, or for any other.

    Raises
    ------
    BuildError
    """
    if not sparse:
        for name, given in (
            ("--front rows", options.front == "rows"),
            ("--rows-per-clock", options.rows_per_clock is not None),
            ("--pixels-per-clock", options.pixels_per_clock is not None),
            ("--slots-per-clock", options.slots_per_clock is not None),
            ("--constants", options.constants != "digits"),
        ):
            if given:
                raise BuildError(f"{name} is for sparse CNNs, and this network is none")
        return
    for name, given in (
        ("--fold", options.fold != "none"),
        ("--reuse", options.reuse != "none"),
        ("--combinational", options.combinational),
        ("--levels-per-stage", options.levels_per_stage is not None),
        ("--front slices", options.front == "slices"),
    ):
        if given:
            raise BuildError(
                f"{name} is for logic-gate networks, and this network is a sparse CNN",
                hint="it has --front rows, --rows-per-clock, --pixels-per-clock and "
                "--slots-per-clock",
            )
    for name, given in (
        ("--front", options.front == "rows"),
        ("--pixels-per-clock", options.pixels_per_clock is not None),
    ):
        if options.board is not None and given:
            raise BuildError(
                "the link to a board sends whole images", where=name, hint=f"build without {name}"
            )
    if options.prove:
        raise BuildError(
            "--prove knows no sparse CNNs",
            hint="sim compares every block with PyTorch; docs/proof.md says what is proved of them",
        )


def _slots_of(text: str | None) -> tuple[int | None, dict[str, int]]:
    """Slots a clock, and other numbers for single blocks, as in "2,conv1=4".

    Raises
    ------
    BuildError
        If the text is not of this form.
    """
    usual, chosen = None, {}
    for part in filter(None, (text or "").split(",")):
        name, _, number = part.rpartition("=")
        if not number.strip().isdecimal() or (not name and usual is not None):
            raise BuildError(
                f"--slots-per-clock is {text!r}, expected a number, and perhaps others for single "
                "blocks, as in 2,conv1=4"
            )
        if name:
            chosen[name.strip()] = int(number)
        else:
            usual = int(number)
    return usual, chosen
