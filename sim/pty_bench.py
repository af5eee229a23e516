"""A simulated device on a pseudo-terminal; `sim.pty_device` starts and stops it.

Bytes that come from the pseudo-terminal go through the pins of the device bit by bit, and what the
device says comes back. Time on the line is simulated time: while there is traffic the simulation
runs as fast as it can, then it slows down until something arrives, so that the patience of a
program at the other end, which is in real time, is not used up by simulating silence.
"""

from __future__ import annotations

import json
import os
import select
import time
import tty
from pathlib import Path
from typing import Any

import cocotb

from .faults import Faults
from .uart import Uart

#: The simulation runs at full speed for so many bits after a byte has passed.
_LIVELY_BITS = 2000
#: Afterwards it rests so long, in seconds, for every `_STEP_BITS` bits.
_REST = 0.002
_STEP_BITS = 80
#: Bits after reset that nobody listens to, longer than a byte: a line that reset holds low looks
#: like the start of one, and whether a program sees it would depend on when it opens the port.
_SETTLE_BITS = 20


class Server:
    """The pseudo-terminal, the line, and the folder by which the test talks to the bench."""

    def __init__(self, dut, config: dict[str, Any]):
        self._config = config
        self._folder = Path(config["folder"])
        self._faults = Faults()
        self._applied = -1
        self._stop = False
        self._lost = 0
        self._listening = False
        self._passed = {"device": 0, "host": 0}
        self._reported: dict[str, Any] = {}
        self._quiet_bits = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._uart = Uart(
            dut, clock_ps=config["clock_ps"], bit_ps=config["bit_ps"], on_byte=self._from_device
        )

    async def run(self) -> None:
        """Serve until told to stop, the owner is gone, or the time is over."""
        await self._uart.reset()
        await self._uart.silence(_SETTLE_BITS)
        self._listening = True
        end = time.monotonic() + self._config["seconds"]
        while not self._stop and time.monotonic() < end and _alive(self._config["owner"]):
            self._obey()
            try:
                data = os.read(self._master, 64)
            except BlockingIOError:
                self._report()
                await self._idle()
                continue
            for byte in data:
                await self._to_device(byte)

    async def _idle(self) -> None:
        if self._quiet_bits > _LIVELY_BITS:
            select.select([self._master], [], [], _REST)
        self._quiet_bits += _STEP_BITS
        await self._uart.silence(_STEP_BITS)

    async def _to_device(self, byte: int) -> None:
        lost, stop = False, True
        for fault in self._faults.at_next_byte("device"):
            if fault.kind == "flip":
                byte ^= 1 << fault.bit
            elif fault.kind == "drop":
                lost = True
            elif fault.kind == "insert":
                await self._uart.send_all(bytes.fromhex(fault.data))
            elif fault.kind == "stop":
                stop = False
            elif fault.kind == "silence":
                await self._uart.silence(fault.bits)
            else:
                await self._uart.reset()
        if not lost:
            await self._uart.send(byte, stop=stop)
        self._passed["device"] += 1
        self._quiet_bits = 0

    def _from_device(self, byte: int, stop: bool) -> None:
        if not self._listening:
            return
        said = bytes([byte]) if stop else b""  # what a port does with a byte that it cannot read
        for fault in self._faults.at_next_byte("host"):
            if fault.kind == "flip":
                said = bytes(b ^ 1 << fault.bit for b in said)
            elif fault.kind == "drop":
                said = b""
            elif fault.kind == "insert":
                said = bytes.fromhex(fault.data) + said
            else:
                cocotb.start_soon(self._uart.reset())
        try:
            os.write(self._master, said)
        except BlockingIOError:  # nobody reads
            self._lost += len(said)
        self._passed["host"] += 1
        self._quiet_bits = 0

    def _obey(self) -> None:
        """Take a new plan of faults, or the order to stop."""
        try:
            control = json.loads((self._folder / "control.json").read_text())
        except FileNotFoundError:
            return
        if control["sequence"] != self._applied:
            self._applied = control["sequence"]
            self._faults = Faults(control["faults"])
            self._stop = control["stop"]

    def _report(self) -> None:
        """Leave word of what has happened, whenever it has changed."""
        status = {
            "pid": os.getpid(),
            "path": os.ttyname(self._slave),
            "applied": self._applied,
            "fired": [fault.as_dict() for fault in self._faults.fired],
            "to_device": self._passed["device"],
            "to_host": self._passed["host"],
            "lost": self._lost,
        }
        if status != self._reported:
            self._reported = status
            temporary = self._folder / "status.tmp"
            temporary.write_text(json.dumps(status))
            os.replace(temporary, self._folder / "status.json")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@cocotb.test()
async def device_on_a_pseudo_terminal(dut) -> None:
    """Serve as the configuration says."""
    await Server(dut, json.loads(Path(os.environ["LGN_HDL_BENCH"]).read_text())).run()
