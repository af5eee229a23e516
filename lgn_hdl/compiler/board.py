"""A design on a board: the device around it, place and route, the bitstream."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Shape
from amaranth.lib import data

from ..errors import BuildError
from ..flow import (
    Bitstream,
    Board,
    BoardFiles,
    Clock,
    SeedsResult,
    SynthResult,
    VivadoProject,
    best_of_seeds,
    board_rtlil,
    clean_names,
    find_board,
    pack,
    synthesize,
    vivado_project,
    write_verilog,
)
from ..hdl import ClassifierInstance, feature_layout
from ..hdl.link import Device, choose_rate
from ..link import Identity
from ..network.storage import network_digest
from .design import Design
from .options import BuildOptions

__all__ = ["CLASSIFIER", "OnBoard", "board_options", "identify", "make_device", "put_on_board"]

#: Name of the classifier's module in a device.
CLASSIFIER = "classifier"
GAP_SECONDS = 0.01


def board_options(options: BuildOptions) -> tuple[BuildOptions, Board, Clock]:
    """Options with the board's target and clock filled in.

    Raises
    ------
    BuildError
        If there is no such board, it is of another target, or it cannot make the clock or the baud
        rate.
    """
    assert options.board is not None
    board = find_board(options.board)
    if options.target not in ("verilog", board.target):
        raise BuildError(f"--target is {options.target}, {board.name} is {board.target}")
    clock = board.clock(options.clock_mhz)
    baud = board.baud if options.baud is None else options.baud
    choose_rate(float(clock.hz), baud)  # refuses one that cannot be made
    filled = replace(options, target=board.target, baud=baud)
    if options.levels_per_stage is None:
        filled = replace(filled, clock_mhz=clock.mhz)
    return filled, board, clock


@dataclass(frozen=True)
class OnBoard:
    """What became of a design on a board.

    Parameters
    ----------
    board : Board
    clock : Clock
    identity : Identity
        What the device says of itself.
    mapped : SynthResult
        The whole design.
    placed : SeedsResult or None
        None where Vivado places and routes.
    bitstream : Bitstream or None
        Likewise.
    project : VivadoProject or None
        Where Vivado does.
    """

    board: Board
    clock: Clock
    identity: Identity
    mapped: SynthResult
    placed: SeedsResult | None
    bitstream: Bitstream | None
    project: VivadoProject | None


def identify(
    design: Design,
    *,
    board: str,
    clock_hz: float,
    baud: int,
    gap_seconds: float = GAP_SECONDS,
    window: int = 2,
) -> Identity:
    """What a device that holds a design says of itself."""
    core, inputs = design.core, design.inputs
    fields = dict(iter(core.layout))
    found = fields["scores"].shape if "scores" in fields else None
    scores = found if isinstance(found, data.ArrayLayout) else None
    score = Shape(0) if scores is None else Shape.cast(scores.elem_shape)
    return Identity(
        digest=bytes.fromhex(network_digest(design.network)),
        clock_hz=round(clock_hz),
        baud=baud,
        gap_us=round(gap_seconds * 1e6),
        features=inputs.features,
        feature_width=inputs.format.width,
        feature_signed=inputs.format.signed,
        feature_fraction=inputs.format.fraction,
        classes=0 if scores is None else scores.length,
        class_width=fields["class"].width if "class" in fields else 0,
        score_width=score.width,
        score_signed=score.signed,
        bits=fields["bits"].width if "bits" in fields else 0,
        latency=core.latency,
        interval=core.interval,
        board=board,
        generator=f"lgn_hdl {metadata.version('lgn-hdl')}",
        window=window,
    )


def make_device(design: Design, board: Board, clock: Clock) -> tuple[Device, Identity]:
    """The classifier of a design, as an instance, behind a serial line."""
    core, inputs, options = design.core, design.inputs, design.options
    assert options.baud is not None, "options are those of a board"
    identity = identify(design, board=board.name, clock_hz=float(clock.hz), baud=options.baud)
    device = Device(
        core=ClassifierInstance(
            sample=feature_layout(inputs.format, inputs.features),
            result=core.layout,
            name=CLASSIFIER,
        ),
        identity=identity,
        clock_hz=float(clock.hz),
        baud=options.baud,
        gap_seconds=GAP_SECONDS,
    )
    return device, identity


def put_on_board(
    design: Design,
    board: Board,
    clock: Clock,
    classifier: str,
    folder: Path,
    workdir: Path,
    step: Callable[[str], None],
    *,
    timeout: float | None = None,
) -> OnBoard:
    """Map, place, route and pack a design; for Vivado, write its project.

    Parameters
    ----------
    design : Design
    board, clock
        As `board_options` gave them.
    classifier : str
        RTLIL of the design, its top module named `CLASSIFIER`.
    folder : Path
        Where the bitstream or the project goes.
    workdir : Path
        For everything between.
    step : callable
        Told the name of each step before it starts.
    timeout : float, optional
        Limit for place and route, for each seed, in seconds.

    Raises
    ------
    FitError, RouteError, TimingError
        If it does not fit, finds no way, or is too slow.
    ToolError
        If a tool fails.
    """
    device, identity = make_device(design, board, clock)
    _write_device(device, classifier, folder / "board")
    files = board_rtlil(board, device, clock=clock, extra_rtlil=classifier)
    step("synthesis")
    mapped = _mapped(files, board, workdir)
    if board.target == "xilinx":
        step("project for Vivado")
        project = vivado_project(board, files, folder / "vivado")
        return OnBoard(board, clock, identity, mapped, None, None, project)
    step("place and route")
    options = design.options
    placed = best_of_seeds(
        mapped,
        board,
        files,
        workdir,
        seeds=options.seeds,
        must_close=not options.allow_timing_fail,
        timeout=timeout,
    )
    step("bitstream")
    bitstream = pack(placed.best, board, name=board.name)
    shutil.copyfile(bitstream.path, folder / bitstream.path.name)
    kept = folder / "board"
    (kept / f"pins{files.suffix}").write_text(files.constraints)
    for name, path in {"nextpnr.json": "report", "nextpnr.log": "log"}.items():
        shutil.copyfile(placed.best.files[path], kept / name)
    return OnBoard(board, clock, identity, mapped, placed, bitstream, None)


def _write_device(device: Device, classifier: str, folder: Path) -> None:
    """What is simulated through its pins: the device without the board's buffers and PLL."""
    folder.mkdir(exist_ok=True)
    text = clean_names(rtlil.convert(device, name="device", emit_src=False))
    path = folder / "device.il"
    path.write_text(f"{text}\n{classifier}")
    write_verilog(path, folder / "device.v")
    path.unlink()


def _mapped(files: BoardFiles, board: Board, workdir: Path) -> SynthResult:
    path = workdir / "board.il"
    path.write_text(files.rtlil)
    return synthesize(path, board.target, workdir, by_block=False)
