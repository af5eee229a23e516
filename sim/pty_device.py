"""A simulated device that any serial program can open, as a context manager."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .faults import Fault
from .icarus import simulate
from .wrapper import WRAPPER

__all__ = ["PtyDevice"]

#: Start, or an answer of the bench, may take this long in seconds.
_PATIENCE = 60.0


class PtyDevice:
    """Verilog on a pseudo-terminal, in a process of its own.

    Parameters
    ----------
    compiled : Path
        Folder made by `sim.board.compile_board`.
    workdir : Path
        Folder for the log and for what is said between the test and the bench; it must exist.
    seconds : float
        The simulator ends by itself after this time, or when this process has ended.

    Raises
    ------
    RuntimeError
        By entering the context: if the simulator does not start.

    Examples
    --------
    >>> with PtyDevice(compiled, workdir) as device:
    ...     port = serial.Serial(device.path)
    """

    def __init__(self, compiled: Path, workdir: Path, *, seconds: float = 600):
        self._workdir = workdir.resolve()
        timing = json.loads((compiled / "timing.json").read_text())
        self._config = {
            **timing,
            "compiled": str(compiled.resolve()),
            "folder": str(self._workdir),
            "seconds": seconds,
            "owner": os.getpid(),
        }
        self._sequence = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PtyDevice:
        for name in ("status.json", "control.json"):
            (self._workdir / name).unlink(missing_ok=True)
        config = self._workdir / "bench.json"
        config.write_text(json.dumps(self._config))
        environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        with open(self._workdir / "process.log", "w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(config)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(lambda: bool(self.status), "start")
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        try:
            self._tell([], stop=True)
            self._process.wait(_PATIENCE)
        except (RuntimeError, subprocess.TimeoutExpired):
            self.kill()

    @property
    def status(self) -> dict[str, Any]:
        """What the bench last said: `path`, `pid`, `to_device`, `to_host` (bytes), `fired`."""
        try:
            return json.loads((self._workdir / "status.json").read_text())
        except FileNotFoundError:
            return {}

    @property
    def path(self) -> str:
        """Name of the pseudo-terminal."""
        return self.status["path"]

    def inject(self, *faults: Fault) -> None:
        """Carry out this plan instead of any earlier one; bytes are counted from now on."""
        self._tell([fault.as_dict() for fault in faults])

    def fired(self, count: int | None = None) -> list[Fault]:
        """Faults of the present plan that have happened.

        Parameters
        ----------
        count : int, optional
            Wait until so many have.
        """
        if count is not None:
            self._wait(lambda: len(self.status["fired"]) >= count, f"let {count} faults happen")
        return [Fault(**fault) for fault in self.status["fired"]]

    def kill(self) -> None:
        """End the simulator at once, as if the board were unplugged."""
        pid = self.status.get("pid")
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            if pid is None:
                self._process.kill()
            self._process.wait()

    def _tell(self, faults: Iterable[dict[str, Any]], *, stop: bool = False) -> None:
        self._sequence += 1
        control = {"sequence": self._sequence, "faults": list(faults), "stop": stop}
        temporary = self._workdir / "control.tmp"
        temporary.write_text(json.dumps(control))
        os.replace(temporary, self._workdir / "control.json")
        if not stop:
            self._wait(lambda: self.status["applied"] == self._sequence, "take the plan of faults")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        assert self._process is not None
        end = time.monotonic() + _PATIENCE
        while not condition():
            if self._process.poll() is not None or time.monotonic() > end:
                said = (self._workdir / "process.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the simulated device did not {what}: {said}")
            time.sleep(0.002)


def _main(config: Path) -> None:
    told = json.loads(config.read_text())
    simulate(
        Path(told["compiled"]),
        WRAPPER,
        f"{__package__}.pty_bench",
        Path(told["folder"]),
        {"LGN_HDL_BENCH": str(config)},
    )


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
