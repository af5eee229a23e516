"""Runs several programs side by side, and leaves none of them behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .tools import last_error

__all__ = ["Finished", "Task", "run_parallel"]

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Task:
    """A program to run in a folder; what it prints goes to a file."""

    command: Sequence[str]
    cwd: Path
    log: Path


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Parameters
    ----------
    status : int or None
        Its exit status, negative for a signal; None if it was out of time.
    seconds : float
    """

    status: int | None
    seconds: float

    def problem(self, log: Path) -> str | None:
        """Return what its log says went wrong; None if it succeeded."""
        if self.status is None:
            return f"stopped after {self.seconds:.0f} s"
        if self.status:
            return last_error(log.read_text(errors="replace")) or f"exit status {self.status}"
        return None


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    since: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since

    def kill(self) -> None:
        """End it and everything it started."""
        with suppress(ProcessLookupError):  # it may just have ended by itself
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run_parallel(
    tasks: Sequence[Task], *, jobs: int, timeout: float | None = None
) -> list[Finished]:
    """Run programs, some at a time.

    Whatever interrupts this function also ends the programs that are still running.

    Parameters
    ----------
    tasks : sequence of Task
    jobs : int
        How many run at a time.
    timeout : float, optional
        Limit for each in seconds.

    Returns
    -------
    list of Finished
        In the order of the tasks.
    """
    finished: dict[int, Finished] = {}
    running: dict[int, _Running] = {}
    waiting = list(enumerate(tasks))[::-1]
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, task = waiting.pop()
                running[number] = _start(task)
            for number, run in list(running.items()):
                status = run.process.poll()
                late = timeout is not None and run.seconds > timeout
                if status is None and not late:
                    continue
                if status is None:
                    run.kill()
                finished[number] = Finished(status, run.seconds)
                del running[number]
            if running:
                time.sleep(_POLL_SECONDS)
    finally:
        for run in running.values():
            run.kill()
    return [finished[number] for number in range(len(tasks))]


def _start(task: Task) -> _Running:
    with task.log.open("wb") as log:
        process = subprocess.Popen(
            task.command,
            cwd=task.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _Running(process, time.monotonic())
