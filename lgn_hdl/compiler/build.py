"""From a model to a folder: RTL, vectors, report."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BuildError
from ..flow import FitError, RouteError
from ..logic.stream import Reuse
from ..model import Model, decided
from ..network import FixedPoint, write_network
from ..network.chain import sparse_chain
from ..report import Report, to_markdown
from .board import board_options
from .design import Design, plan
from .emit import Place, emit_files
from .linkvectors import link_vectors
from .onboard import failed_choice
from .options import (
    BuildOptions,
    Constants,
    Fold,
    FrontForm,
    HandOff,
    Mapping,
    folds_from,
)
from .output import output_folder
from .report import make_report
from .samples import Samples, read_samples
from .sparse import SparseCore
from .sparseimages import EVENT_PICTURE, event_picture
from .vectors import answers_to, block_vectors, write_vectors

__all__ = ["BuildResult", "build"]

Progress = Callable[[str], None]

#: Random images beside given ones, for the simulation of a sparse CNN: an empty one, a full one...
EXTREME_IMAGES = 8
#: Samples for the simulation of a device, where every bit on the line takes many clocks.
LINK_VECTORS = 64
#: With `fit`: how long a choice may look for its wires before the next one is tried.
FIT_SECONDS = 1800.0


@dataclass(frozen=True)
class BuildResult:
    """Where the files are, and what the report says."""

    path: Path
    report: Report


def build(
    model: Model,
    out: str | Path,
    *,
    target: str = "verilog",
    input_format: FixedPoint | str | None = None,
    clock_mhz: float | None = None,
    levels_per_stage: int | None = None,
    combinational: bool = False,
    argmax: bool = True,
    counters: Any = None,
    vectors: int | None = None,
    seed: int = 0,
    samples: Samples | str | Path | None = None,
    prove: bool = False,
    fold: Fold = "none",
    fold_width: int | None = None,
    board: str | None = None,
    baud: int | None = None,
    fit: bool = False,
    seeds: int = 1,
    allow_timing_fail: bool = False,
    front: FrontForm = "whole",
    reuse: Reuse = "none",
    rows_per_clock: int | None = None,
    pixels_per_clock: int | None = None,
    slots_per_clock: int | str | None = None,
    constants: Constants = "digits",
    mapping: Mapping = "optimised",
    pdk_root: str | Path | None = None,
    wire_ff: float = 0.0,
    handoff: HandOff = "netlist",
    macro_name: str = "lgn_top",
    pnr_timeout: float | None = None,
    progress: Progress = lambda step: None,
) -> BuildResult:
    """Compile a model into the folder `out`.

    Parameters
    ----------
    model : Model
    out : str or Path
        Replaced if it holds an earlier build; anything else there is refused.
    target : str
        rtlil, verilog (no mapping), lut4, lut6, xilinx, xcup (UltraScale+), ecp5, ice40, gowin, or
        sky130: the standard cells of SkyWater 130.
    input_format : FixedPoint or str, optional
        Number format of real inputs; by default 16 bits that cover all thresholds.
    clock_mhz : float, optional
        Place registers for this clock by the target's delay model.
    levels_per_stage : int, optional
        Or after this many levels of gates, counters or comparisons.
    combinational : bool
        Or not at all.
    argmax : bool
        Whether the hardware gives the class index beside the scores.
    counters : {"full-adders", "counters"}, optional
        What the class sums are made of; by default the target's better choice.
    vectors : int, optional
        How many test vectors to write: by default 512, of a sparse CNN 40.
    seed : int
        Of the random vectors and of every random choice.
    samples : Samples, str or Path, optional
        Real samples, or an .npz of them (`x`, and labels `y` if they are known), for the vectors;
        with labels, the report states the accuracy. Of a network with several inputs, an array
        for each, under its name or `x_NAME`.
    prove : bool
        Prove that the hardware computes what the network computes, for every input.
    fold : {"none", "sums", "gates"}
        Take several clocks for a sample and less area: the class sums take turns at one counter, or
        the gates themselves are a program in memory.
    fold_width : int, optional
        How many terms of a sum, or gates, are worked on in a clock.
    board : str, optional
        Make a bitstream for this board: one of `lgn_hdl.flow.board_names()`, or
        `package.module:Class`. The target is then the board's, and the default clock its crystal.
    baud : int, optional
        Of the serial port, by default the board's.
    fit : bool
        Fold as much as the board needs, in the order of `fold`, from the `fold` given.
    seeds : int
        Seeds of the placement to try, side by side; the fastest result is kept.
    allow_timing_fail : bool
        Keep a result that does not reach the clock; the report says so.
    front : {"whole", "slices", "rows"}
        How a sample comes to a front end: all at once, or one slice of its largest input a clock;
        an image to a sparse CNN: all at once, or one row a clock.
    reuse : {"none", "column", "row", "position"}
        Let the positions of convolutions take turns at the same gates: a column of positions in a
        clock, a row, or one. With `fit`, the ways behind the one that is given are tried too.
    rows_per_clock : int, optional
        Rows of a whole image in which a sparse CNN looks for active pixels in a clock; by default
        one.
    pixels_per_clock : int, optional
        Pixels that come in a clock where an image comes in rows to a sparse CNN: a divisor of those
        of a row, by default all of them.
    slots_per_clock : int or str, optional
        Active pixels that a layer of a sparse CNN works on in a clock, by default as few as keep up
        with the input; "2,conv1=4" has another number for the block conv1.
    constants : {"digits", "alkaid"}
        How dense layers of a sparse CNN that take a whole vector in a clock are made: sums of
        products one by one, or additions that alkaid shares among the outputs.
    mapping : {"optimised", "delay", "one-to-one"}
        How gates become the cells of sky130: restructured for small area, or for few levels, or one
        for each trained gate, without constants, wires and inverters.
    pdk_root : str or Path, optional
        Where the PDK is, or a folder with its Liberty file; by default the variable PDK_ROOT, then
        `~/.ciel`.
    wire_ff : float
        Estimate of the wire to each pin of a cell, in fF, for timing and power; by default none.
    handoff : {"netlist", "rtl", "tinytapeout", "none"}
        What LibreLane begins with, in the folder `librelane`; or a Tiny Tapeout project in
        `tinytapeout`.
    macro_name : str
        Of the design there.
    pnr_timeout : float, optional
        Limit for place and route in seconds, for each seed; with `fit` 1800 by default.
    progress : callable
        Told the name of each step before it starts.

    Returns
    -------
    BuildResult
        The folder holds top.v, top.il, network.lgn, vectors.npz, report.json, report.md, and for
        mapped targets the netlist.

    Raises
    ------
    LgnError
        With what was wrong, for a proof that fails with a counterexample; then `out` is as it was.
    """
    options = BuildOptions(
        target=target,
        input_format=str(input_format) if input_format is not None else None,
        clock_mhz=clock_mhz,
        levels_per_stage=levels_per_stage,
        combinational=combinational,
        argmax=argmax,
        counters=counters,
        vectors=vectors,
        seed=seed,
        prove=prove,
        fold=fold,
        fold_width=fold_width,
        board=board,
        baud=baud,
        seeds=seeds,
        allow_timing_fail=allow_timing_fail,
        front=front,
        reuse=reuse,
        rows_per_clock=rows_per_clock,
        pixels_per_clock=pixels_per_clock,
        slots_per_clock=None if slots_per_clock is None else str(slots_per_clock),
        constants=constants,
        mapping=mapping,
        pdk_root=None if pdk_root is None else str(pdk_root),
        wire_ff=wire_ff,
        handoff=handoff,
        macro_name=macro_name,
    )
    place = None
    if options.board is not None:
        options, found, board_clock = board_options(options)
        place = Place(found, board_clock, pnr_timeout or (FIT_SECONDS if fit else None))
    elif fit:
        raise BuildError("--fit needs a --board")
    many = fit and sparse_chain(model.network) is None  # which has nothing to fold
    choices = [choice.resolved() for choice in (folds_from(options) if many else [options])]
    if isinstance(samples, (str, Path)):
        samples = read_samples(samples, model.network.inputs)
    seconds: dict[str, float] = {}
    clock = _Stopwatch(seconds, progress)
    tried: list[dict[str, Any]] = []
    with output_folder(Path(out)) as folder:
        while True:
            clock("passes")
            design = plan(model.network, choices.pop(0), progress)
            clock("reference")
            checks, answered, accuracy = _check_samples(model, design, samples)
            expected = answered.first(design.vectors)
            if samples is not None and design.sparse:
                # Given images may all fit the slots; the simulation has to see others.
                extreme = answers_to(design, None, EXTREME_IMAGES, design.options.seed)
                expected = expected.with_more(extreme)
            try:
                emitted = emit_files(design, folder, clock, place, answered)
                break
            except (FitError, RouteError) as error:
                if not choices:
                    raise
                tried.append(failed_choice(design, error))
        write_network(design.network, folder / "network.lgn")
        write_vectors(folder / "vectors.npz", block_vectors(design, expected))
        if emitted.on_board is not None:
            few = block_vectors(design, expected.first(LINK_VECTORS))
            write_vectors(
                folder / "board" / "link.npz", link_vectors(few, emitted.on_board.identity)
            )
        given = None if samples is None else answered.features
        clock("report")
        versions = {"lgn-hdl": metadata.version("lgn-hdl"), "python": platform.python_version()}
        versions |= {name: metadata.version(name) for name in ("amaranth", "numpy", "torch")}
        clock.stop()
        report = make_report(
            design, emitted, checks, accuracy, versions, seconds, model.origin, tried, given
        )
        if given is not None and isinstance(design.core, SparseCore):
            (folder / EVENT_PICTURE).write_text(event_picture(design.core, given))
        (folder / "report.json").write_text(report.to_json())
        (folder / "report.md").write_text(to_markdown(report))
    return BuildResult(Path(out), report)


def _check_samples(model: Model, design: Design, samples: Samples | None):
    """Reference = evaluator on the samples; the vectors; the accuracy if labels are known."""
    options, network = design.options, design.network
    if samples is None:
        expected = answers_to(design, None, design.vectors, options.seed)
        near = "" if expected.inputs else " next to the thresholds"
        near = "" if design.sparse else near
        source = f"{len(expected.features):,} random samples{near}"
    else:
        expected = answers_to(design, samples.x)
        if not len(expected.features):
            raise BuildError("there are no samples", where=samples.source)
        source = f"{len(expected.features):,} samples of {samples.source}"
    checks, expected = _checks(design, source), replace(expected, source=source)
    if expected.inputs:
        checks.append(
            {
                "what": "PyTorch reference = sums of the front end",
                "how": f"every feature, exact integers, on {source}",
                "result": "equal",
            }
        )
    accuracy = None
    if samples is not None and samples.labels is not None and network.scores is not None:
        classes = len(network.class_names)
        if not ((samples.labels >= 0) & (samples.labels < classes)).all():
            raise BuildError(
                f"labels run from {samples.labels.min()} to {samples.labels.max()}, "
                f"expected 0 to {classes - 1}",
                where=samples.source,
            )
        winners = decided(network, expected.outputs)
        trained = model.predict(samples.x)
        accuracy = {
            "accuracy": float(np.mean(winners == samples.labels)),
            "samples": len(winners),
            "source": samples.source,
            "trained_accuracy": float(np.mean(trained == samples.labels)),
            "decisions_changed_by_input_format": int(np.sum(trained != winners)),
        }
    return checks, expected, accuracy


def _checks(design: Design, source: str) -> list[dict[str, Any]]:
    """What `answers_to` has compared."""
    if design.sparse:
        what, how = "evaluation on whole frames", "bit-exact scores and decisions"
    else:
        what, how = "simplified gates", "bit-exact scores and bits"
    checks = [
        {
            "what": f"PyTorch reference = {what}",
            "how": f"{how} on {source}",
            "result": "equal",
        },
    ]
    if not design.sparse:
        tried = design.logic.probes
        how = f"bit-packed evaluation before = after, {tried:,} random samples"
        checks.insert(0, {"what": "every pass", "how": how, "result": "equal"})
    return checks


class _Stopwatch:
    """Seconds of each step; reports the step's name when it starts."""

    def __init__(self, seconds: dict[str, float], progress: Progress):
        self.seconds, self.progress = seconds, progress
        self.step: str | None = None
        self.start = 0.0

    def __call__(self, step: str) -> None:
        self.stop()
        self.step, self.start = step, time.perf_counter()
        self.progress(step)

    def stop(self) -> None:
        if self.step is not None:
            spent = time.perf_counter() - self.start
            self.seconds[self.step] = round(self.seconds.get(self.step, 0.0) + spent, 3)
        self.step = None
