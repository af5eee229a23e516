"""Finds OpenSTA."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...errors import ToolError
from ..tools import run_process

__all__ = ["Sta", "find_sta"]

_VARIABLE = "LGN_HDL_STA"
#: The first version that is known to keep activities of pins (its documentation has them).
_TAKES_ACTIVITY = (2, 4)


@dataclass(frozen=True)
class Sta:
    """An OpenSTA that can be run.

    Parameters
    ----------
    program : str
    version : str
    """

    program: str
    version: str

    def __str__(self) -> str:
        return f"OpenSTA {self.version}"

    @property
    def takes_activity(self) -> bool:
        """Whether it computes power from activities of pins; Debian's 2.0.17 does not."""
        numbers = re.findall(r"\d+", self.version)[:2]
        return tuple(map(int, numbers)) >= _TAKES_ACTIVITY

    def run(self, script: str, cwd: Path, timeout: float | None = None) -> str:
        """Run a script in a folder; return what was printed, which `<script>.log` keeps.

        Raises
        ------
        ToolError
            If it fails, reports an error, or takes too long.
        """
        command = [self.program, "-no_splash", "-exit", script]
        status, text = run_process(command, cwd, timeout)
        log = cwd / f"{Path(script).stem}.log"
        log.write_text(text)
        if status is None:
            raise ToolError(f"took longer than {timeout:g} s and was stopped", where=str(self))
        # It goes on after an error, and its status is 0.
        errors = [line for line in text.splitlines() if re.match(r"\s*(Error|\[ERROR)", line)]
        if errors or status:
            what = errors[0].strip() if errors else f"exit status {status}"
            raise ToolError(what, where=str(self), hint=f"the log is {log}")
        return text


def find_sta() -> Sta | None:
    """Return the OpenSTA that `LGN_HDL_STA` names, else `sta` on PATH; None if there is none.

    Raises
    ------
    ToolError
        If the variable names no program, or it is not OpenSTA.
    """
    return _find(os.environ.get(_VARIABLE, ""), os.environ.get("PATH", ""))


@cache
def _find(wanted: str, path: str) -> Sta | None:
    program = shutil.which(wanted or "sta", path=path)
    if program is None:
        if not wanted:
            return None
        raise ToolError(
            f"is {wanted!r}, and there is no such program",
            where=_VARIABLE,
            hint="apt install opensta, or unset the variable",
        )
    try:
        text = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=60
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"does not run: {error}", where=program) from None
    match = re.match(r"(\d+\.\d+\S*)", text.strip())
    if match is None:
        if not wanted:
            return None  # another program of that short name
        raise ToolError(f"does not say a version of OpenSTA: {text[:60]!r}", where=program)
    return Sta(program, match[1])
