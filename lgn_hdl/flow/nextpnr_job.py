"""How nextpnr is called for iCE40, ECP5 and Gowin, and how what it leaves is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from .hierarchy import driver_blocks
from .pnr import FitError, PnrResult, RouteError, Utilisation, read_report
from .programs import Program, find_program, fresh
from .spread import Spread, spread_netlist, tiles_of, worthwhile
from .spread_run import PLACED, RELEASED, both

if TYPE_CHECKING:
    from .board import Board
    from .board_top import BoardFiles
    from .synth import SynthResult

__all__ = ["Job", "make_job", "too_many"]


@dataclass(frozen=True)
class _Family:
    """How nextpnr is called for a family: the program, and the options that differ."""

    program: str
    constraints: Callable[[str], tuple[str, ...]]
    layout: str
    write_layout: str


_FAMILIES: Mapping[str, _Family] = {
    # Nets of many readers, such as a folded classifier's `load`, go through the global buffers that
    # clock and reset leave free: logic-gate networks run out of wires before LUTs.
    "ice40": _Family(
        "nextpnr-ice40", lambda file: ("--pcf", file, "--promote-logic"), "top.asc", "--asc"
    ),
    # The default router takes hours for 45,000 arcs of a large network; this one takes minutes.
    "ecp5": _Family(
        "nextpnr-ecp5",
        lambda file: ("--lpf", file, "--router", "router2"),
        "top.config",
        "--textcfg",
    ),
    "gowin": _Family(
        "nextpnr-himbaechel-gowin",
        lambda file: ("--vopt", f"cst={file}"),
        "top.pnr.json",
        "--write",
    ),
}


@dataclass(frozen=True)
class Job:
    """A design on its way through nextpnr, which is called by `command` in `cwd`.

    The steps of `place_and_route` one by one, for who runs the command in another way.
    """

    board: Board
    files: BoardFiles
    program: Program
    family: _Family
    netlist: Path
    cwd: Path
    clock_mhz: float
    seed: int
    options: tuple[str, ...]
    spread: Spread | None = None

    @property
    def constraints(self) -> Path:
        """The file with pins and clocks."""
        return self.cwd / f"top{self.files.suffix}"

    @property
    def inputs(self) -> tuple[Path, Path]:
        """What nextpnr reads."""
        return self.netlist, self.constraints

    @property
    def outputs(self) -> Mapping[str, Path]:
        """What nextpnr writes."""
        return {"layout": self.cwd / self.family.layout, "report": self.cwd / "report.json"}

    def design(self, netlist: Path) -> tuple[str, ...]:
        """The options that name device, netlist and constraints."""
        path = os.path.relpath(netlist.resolve(), self.cwd.resolve())
        constraints = self.family.constraints(self.constraints.name)
        return *self.board.nextpnr, "--json", path, *constraints

    @property
    def placing(self) -> tuple[str, ...]:
        """The options that decide what comes out."""
        seed, clock = str(self.seed), f"{self.clock_mhz:.6f}"
        return "--seed", seed, "--freq", clock, "--timing-allow-fail", *self.options

    @property
    def only_placing(self) -> tuple[str, ...]:
        """What nextpnr is told if it is not to route."""
        netlist = self.netlist if self.spread is None else self.spread.netlist
        return *self.design(netlist), *self.placing, "--no-route"

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line."""
        nextpnr = self.program.command
        writing = ("--report", "report.json", self.family.write_layout, self.family.layout)
        if self.spread is None:
            return *nextpnr, *self.design(self.netlist), *self.placing, *writing
        # A router that may not move the wires of critical paths never gets rid of the last
        # conflicts of a large network, where almost all paths are alike.
        placed = ("--no-pack", "--no-tmdriv")
        return both(
            (*nextpnr, *self.only_placing, "--write", PLACED),
            (*nextpnr, *self.design(self.cwd / RELEASED), *self.placing, *placed, *writing),
        )

    def attempt(self, timeout: float | None) -> str | None:
        """Run the command; return what went wrong, as `Program.attempt` does."""
        whole = replace(self.program, command=self.command)
        return whole.attempt((), self.cwd, log="nextpnr.log", timeout=timeout)

    def with_seed(self, seed: int, cwd: Path) -> Job:
        """The same design with another seed, in a folder of its own."""
        return replace(self, seed=seed, cwd=cwd)

    def prepare(self) -> None:
        """Write the constraints, and remove what an earlier run left."""
        self.cwd.mkdir(parents=True, exist_ok=True)
        self.constraints.write_text(self.files.constraints)
        for path in self.outputs.values():
            path.unlink(missing_ok=True)

    def result(self, seconds: float, log: Path) -> PnrResult:
        """Return what came out of a run that succeeded.

        Raises
        ------
        ToolError
            If a file is missing, old, or not what it should be.
        """
        for path in self.outputs.values():
            fresh(path, self.inputs, maker=str(self.program))
        found = read_report(self.outputs["report"], driver_blocks(self.files.rtlil, self.netlist))
        return PnrResult(
            self.board.name,
            self.clock_mhz,
            found.fmax_mhz,
            found.constrained_mhz,
            found.utilisation,
            found.critical_path,
            seconds,
            str(self.program),
            self.seed,
            {**self.outputs, "log": log},
            None if self.spread is None else self.spread.per_tile,
        )

    def reason(self, problem: str, timeout: float | None) -> FitError | RouteError:
        """Find out why a run failed, from how far nextpnr comes, not from what it prints."""
        used = self.packed(timeout)  # raises if that is where it stopped
        where, hint = self.board.name, f"the log is in {self.cwd}"
        error = too_many(used, self.board)
        if error is not None:
            return error
        again = self.program.attempt(self.only_placing, self.cwd, log="place.log", timeout=timeout)
        if again is not None:
            what = f"does not place, though the cells are enough in number: {problem}"
            return FitError(what, where=where, hint=hint, utilisation=used)
        what = f"is placed, but does not route: {problem}"
        return RouteError(what, where=where, hint=hint, utilisation=used)

    def packed(self, timeout: float | None) -> Mapping[str, Utilisation]:
        """Return the cells of the device that the design takes, without placing them."""
        report = "packed.json"
        self.program.run(
            [*self.design(self.netlist), "--pack-only", "--report", report],
            self.cwd,
            log="pack.log",
            inputs=self.inputs,
            outputs=[report],
            timeout=timeout,
        )
        return read_report(self.cwd / report).utilisation


def make_job(
    mapped: SynthResult,
    board: Board,
    files: BoardFiles,
    cwd: Path,
    clock_mhz: float | None = None,
    seed: int = 1,
    options: Sequence[str] = (),
    spread: bool | None = False,
) -> Job:
    """Return the job of a design in a folder; if it is to be spread, that netlist is written.

    Raises
    ------
    BuildError
        If nextpnr does not know the board's family, the design was mapped for another one, or it
        cannot be spread on that device.
    ToolError
        If nextpnr is missing.
    """
    if board.target not in _FAMILIES:
        raise BuildError(
            f"no open place and route is known for {board.target!r}",
            where=board.name,
            hint="vivado_project writes the files for the vendor's tool",
        )
    if mapped.target.name != board.target:
        raise BuildError(
            f"was mapped for {mapped.target.name}, not for {board.target}", where=board.name
        )
    family = _FAMILIES[board.target]
    wanted = files.clock.mhz if clock_mhz is None else clock_mhz
    program = find_program(family.program)
    return Job(
        board,
        files,
        program,
        family,
        mapped.files["json"],
        cwd,
        wanted,
        seed,
        tuple(options),
        _spread(mapped, board, cwd, spread),
    )


def _spread(mapped: SynthResult, board: Board, cwd: Path, wanted: bool | None) -> Spread | None:
    tiles = tiles_of(board.nextpnr) if board.target == "ecp5" else None
    if wanted and tiles is None:
        raise BuildError("spreading is known for the sizes of ECP5 only", where=board.name)
    if tiles is None or wanted is False:
        return None
    if wanted is None and not worthwhile(mapped.resources.lut, tiles):
        return None
    cwd.mkdir(parents=True, exist_ok=True)
    return spread_netlist(mapped.files["json"], tiles, cwd / "spread.json")


def too_many(used: Mapping[str, Utilisation], board: Board) -> FitError | None:
    """Return an error if there are more cells of a type than the device has."""
    # A type of which there is none at all is made of another one, as Gowin's TBUF of its IOB.
    over = [f"{name} {row}" for name, row in used.items() if row.used > row.available > 0]
    if not over:
        return None
    return FitError(
        "does not fit: " + ", ".join(over),
        where=board.name,
        hint="fold the design, or take a larger board",
        utilisation=used,
    )
