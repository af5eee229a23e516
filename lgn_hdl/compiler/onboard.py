"""What the report says of a board."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..flow import PnrError, PnrResult, SynthResult, Utilisation
from ..link import HEADER_BYTES
from ..report import BoardSection, TimingSection
from .board import OnBoard
from .design import Design

__all__ = ["board_section", "board_timing", "failed_choice"]

#: A byte on the line: start bit, eight bits, stop bit.
LINE_BITS = 10
CRC_BYTES = 2


def board_section(design: Design, on_board: OnBoard, tried: list[dict[str, Any]]) -> BoardSection:
    """The section of a design that was put on a board."""
    board, placed = on_board.board, on_board.placed
    best = None if placed is None else placed.best
    files = [path.name for path in (on_board.bitstream and [on_board.bitstream.path]) or []]
    if on_board.project is not None:
        files += [f"vivado/{path.name}" for path in on_board.project.files]
    return BoardSection(
        name=board.name,
        title=board.title,
        clock_mhz=on_board.clock.mhz,
        crystal_mhz=board.clock_hz / 1e6,
        fmax_mhz=None if best is None else round(best.achieved_mhz, 3),
        closed=None if best is None else best.closed,
        utilisation={} if best is None else _cells(best.utilisation),
        critical_path_ns={} if best is None else _by_block(best),
        critical_path=[] if best is None else [asdict(hop) for hop in best.critical_path],
        seeds=[] if placed is None else [asdict(run) for run in placed.runs],
        link=_link(on_board),
        files=files,
        program=on_board.bitstream.program if on_board.bitstream else "sh vivado/build.sh",
        choices=[*tried, _choice(design, on_board.mapped, on_board.clock.mhz, best)],
    )


def failed_choice(design: Design, error: PnrError) -> dict[str, Any]:
    """A way to fold that did not fit."""
    return {
        "fold": design.options.fold,
        "fold_width": design.options.fold_width,
        "reuse": design.options.reuse,
        "outcome": error.what,
        "utilisation": _cells(error.utilisation),
        "fmax_mhz": None,
        "latency_ns": None,
        "samples_per_second": None,
    }


def _choice(
    design: Design, mapped: SynthResult, mhz: float, best: PnrResult | None
) -> dict[str, Any]:
    counted = {
        name: {"used": getattr(mapped.resources, name)} for name in ("lut", "ff", "carry", "bram")
    }
    return {
        "fold": design.options.fold,
        "fold_width": design.options.fold_width,
        "reuse": design.options.reuse,
        "outcome": "built",
        "utilisation": counted if best is None else _cells(best.utilisation),
        "fmax_mhz": None if best is None else round(best.achieved_mhz, 3),
        "latency_ns": round(1e3 * design.core.latency / mhz, 3),
        "samples_per_second": round(1e6 * mhz / design.core.interval, 3),
    }


def board_timing(design: Design, on_board: OnBoard) -> TimingSection:
    """The timing of a design at the board's clock."""
    mhz, placed = on_board.clock.mhz, on_board.placed
    if placed is None:
        note = "Vivado places and routes; build.sh fails if the clock is not reached."
        source = "clock of the board"
    else:
        best = placed.best
        verdict = "" if best.closed else ", WHICH IS TOO SLOW for the clock of the board"
        note = (
            f"{best.tool} reaches {best.achieved_mhz:.2f} MHz{verdict} (seed {best.seed}; worst "
            f"case of its timing model). Latency and throughput are those at the board's clock."
        )
        if on_board.board.target == "gowin":
            note += " Its timing model of Gowin devices leaves paths out: the figure is too good."
        source = "place and route"
    return TimingSection(
        source=source,
        clock_mhz=mhz,
        latency_ns=round(1e3 * design.core.latency / mhz, 3),
        samples_per_second=round(1e6 * mhz / design.core.interval, 3),
        note=note,
    )


def _cells(utilisation: Any) -> dict[str, dict[str, int]]:
    """Cell types of which there is at least one."""
    rows: dict[str, Utilisation] = dict(utilisation)
    return {name: asdict(row) for name, row in rows.items() if row.used}


def _by_block(best: PnrResult) -> dict[str, float]:
    return {name or "top": round(ns, 3) for name, ns in best.delay_by_block.items()}


def _link(on_board: OnBoard) -> dict[str, Any]:
    """The serial line: bytes of a frame each way, and how many samples go through a second."""
    identity = on_board.identity
    request = HEADER_BYTES + identity.sample_bytes + CRC_BYTES
    response = HEADER_BYTES + identity.result_bytes + CRC_BYTES
    return {
        "baud": identity.baud,
        "request_bytes": request,
        "response_bytes": response,
        "samples_per_second": round(identity.baud / LINE_BITS / max(request, response), 1),
    }
