"""What place and route says of a design: whether it fits, how fast it is, what limits it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LgnError, ToolError

__all__ = [
    "FitError",
    "Hop",
    "PnrError",
    "PnrResult",
    "RouteError",
    "TimingError",
    "Utilisation",
    "read_report",
]


@dataclass(frozen=True)
class Utilisation:
    """How many cells of a type are used, and how many the device has."""

    used: int
    available: int

    def __str__(self) -> str:
        return f"{self.used:,} of {self.available:,}"


class PnrError(LgnError):
    """A design that cannot be put on its device as asked.

    Parameters
    ----------
    utilisation : mapping of str to Utilisation, optional
        By cell type, as far as known.
    result : PnrResult, optional
        What was reached.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        utilisation: Mapping[str, Utilisation] | None = None,
        result: PnrResult | None = None,
    ):
        super().__init__(what, where=where, hint=hint)
        self.utilisation: Mapping[str, Utilisation] = utilisation or {}
        self.result = result

    def at(self, where: str) -> PnrError:
        """Return the same error with `where` put in front of its place."""
        error = super().at(where)
        assert isinstance(error, PnrError)
        error.utilisation, error.result = self.utilisation, self.result
        return error


class FitError(PnrError):
    """The device has too few cells, or they cannot all be placed."""


class RouteError(PnrError):
    """Everything is placed, and the wires find no way."""


class TimingError(PnrError):
    """Placed and routed, and slower than asked; `result` has the clock that was reached."""


@dataclass(frozen=True)
class Hop:
    """A step of the critical path.

    Parameters
    ----------
    kind : str
        `clk-to-q`, `logic`, `routing` or `setup`.
    delay_ns : float
    cell : str
        The cell that is passed or, for `routing`, reached; as nextpnr names it.
    port : str
        Where that cell is entered, or left for `clk-to-q`.
    net : str
        The net of `routing`, otherwise empty.
    block : str
        Hierarchical name of the block the cell lies in, such as `device.core.gates`; empty for
        the top and where it is not known.
    """

    kind: str
    delay_ns: float
    cell: str
    port: str
    net: str = ""
    block: str = ""


@dataclass(frozen=True)
class PnrResult:
    """A placed and routed design.

    Parameters
    ----------
    board : str
        Name of the board.
    clock_mhz : float
        The clock that was asked for.
    fmax_mhz : mapping of str to float
        The clock that each clock net reaches.
    constrained_mhz : mapping of str to float
        The clock that nextpnr took as the aim for each: that of the crystal, what it derived from
        the settings of a PLL, or `clock_mhz`.
    utilisation : mapping of str to Utilisation
        By cell type of the device.
    critical_path : tuple of Hop
        The slowest path from register to register, of the slowest clock.
    seconds : float
    tool : str
        Name and version.
    seed : int
        Of the placement.
    files : mapping of str to Path
        `layout`, which the packer reads; `report`, nextpnr's own; `log`.
    per_tile : float or None
        LUTs of a tile of the device that were left to the design, on the average; None if it was
        not spread.
    """

    board: str
    clock_mhz: float
    fmax_mhz: Mapping[str, float]
    constrained_mhz: Mapping[str, float]
    utilisation: Mapping[str, Utilisation]
    critical_path: tuple[Hop, ...] = field(repr=False)
    seconds: float
    tool: str
    seed: int
    files: Mapping[str, Path] = field(repr=False)
    per_tile: float | None = None

    @property
    def achieved_mhz(self) -> float:
        """The clock that every net reaches; infinite if there is no path between registers."""
        return min(self.fmax_mhz.values(), default=float("inf"))

    @property
    def closed(self) -> bool:
        """Whether the clock that was asked for is reached."""
        return self.achieved_mhz >= self.clock_mhz

    @property
    def delay_by_block(self) -> Mapping[str, float]:
        """Nanoseconds of the critical path in each block, in the order they are reached."""
        delays: dict[str, float] = {}
        for hop in self.critical_path:
            delays[hop.block] = delays.get(hop.block, 0.0) + hop.delay_ns
        return delays

    def require_closed(self) -> None:
        """Raise `TimingError` if the clock that was asked for is not reached."""
        if self.closed:
            return
        delays = self.delay_by_block.items()
        blocks = ", ".join(f"{name or 'top'} {ns:.1f} ns" for name, ns in delays)
        raise TimingError(
            f"reaches {self.achieved_mhz:.2f} MHz, not the {self.clock_mhz:.2f} MHz asked for; "
            f"critical path: {blocks}",
            where=self.board,
            hint="ask for a lower clock, try more seeds, or allow timing to fail",
            utilisation=self.utilisation,
            result=self,
        )


@dataclass(frozen=True)
class Report:
    """The JSON report of nextpnr, as far as it is used."""

    fmax_mhz: Mapping[str, float]
    constrained_mhz: Mapping[str, float]
    utilisation: Mapping[str, Utilisation]
    critical_path: tuple[Hop, ...]


def read_report(path: Path, blocks: Mapping[str, str] | None = None) -> Report:
    """Read the file that nextpnr's `--report` writes.

    Parameters
    ----------
    path : Path
    blocks : mapping of str to str, optional
        Net → name of the block that drives it.

    Raises
    ------
    ToolError
        If the file is not such a report.
    """
    try:
        report = json.loads(path.read_text())
        utilisation = {
            name: Utilisation(row["used"], row["available"])
            for name, row in sorted(report["utilization"].items())
        }
        fmax = {name: row["achieved"] for name, row in sorted(report["fmax"].items())}
        aims = {name: row["constraint"] for name, row in sorted(report["fmax"].items())}
        paths = report["critical_paths"]
        slowest = min(fmax, key=lambda name: fmax[name], default=None)
        steps = _steps_of(slowest, paths)
        return Report(fmax, aims, utilisation, _hops(steps, blocks or {}))
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"is no report of nextpnr: {error!r}", where=str(path)) from None


def _steps_of(clock: str | None, paths: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The slowest path between registers of one clock: nextpnr lists one for each pair."""
    for path in paths:
        if clock is not None and path["from"] == path["to"] == f"posedge {clock}":
            return path["path"]
    return ()


def _hops(steps: Sequence[Mapping[str, Any]], blocks: Mapping[str, str]) -> tuple[Hop, ...]:
    nets = [step.get("net", "") for step in steps]
    hops = []
    for number, step in enumerate(steps):
        # A cell lies in the block that drives the next net. The last one drives none that is on
        # the path, and nets that nextpnr made are in no block: then the nearest behind counts.
        near = [*nets[number:], *reversed(nets[:number])]
        block = next((blocks[net] for net in near if net in blocks), "")
        reached = step["to"]
        hops.append(
            Hop(step["type"], step["delay"], reached["cell"], reached["port"], nets[number], block)
        )
    return tuple(hops)
