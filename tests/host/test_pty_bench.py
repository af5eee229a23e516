"""The test bed itself: a wire instead of a device gives back what goes through the line."""

from __future__ import annotations

import os
import select
import signal
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.board import compile_board
from sim.faults import Fault
from sim.pty_device import PtyDevice

WIRE = """\
module wire_device(input clk, input rst, input rx, output tx);
    assign tx = rx & ~rst;
endmodule
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wire")
    (folder / "wire.v").write_text(WIRE)
    compile_board([folder / "wire.v"], "wire_device", folder, clock_hz=10e6, baud=1e6)
    return folder


@pytest.fixture(scope="module")
def wire(compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PtyDevice]:
    with PtyDevice(compiled, tmp_path_factory.mktemp("wire_run")) as device:
        yield device


def through(device: PtyDevice, data: bytes, expected: int, seconds: float = 10) -> bytes:
    """What comes back of `data`: so many bytes, or fewer after some seconds."""
    terminal = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(terminal)
        os.write(terminal, data)
        found, end = b"", time.monotonic() + seconds
        while len(found) < expected and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                found += os.read(terminal, 4096)
        return found
    finally:
        os.close(terminal)


def test_every_byte_passes(wire: PtyDevice) -> None:
    data = bytes(range(256)) * 3
    assert through(wire, data, len(data)) == data


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Fault("device", 1, "flip", bit=3), b"aj" + b"cd"),
        (Fault("host", 1, "flip", bit=3), b"aj" + b"cd"),
        (Fault("device", 2, "drop"), b"abd"),
        (Fault("host", 2, "drop"), b"abd"),
        (Fault("device", 0, "insert", data="4c00"), b"L\0abcd"),
        (Fault("host", 3, "insert", data="4c00"), b"abcL\0d"),
        (Fault("device", 1, "stop"), b"acd"),  # a port drops a byte without its stop bit
        (Fault("device", 3, "silence", bits=5000), b"abcd"),
    ],
    ids=lambda value: f"{value.kind}-{value.toward}" if isinstance(value, Fault) else "",
)
def test_a_fault_happens_once_and_where_it_should(
    wire: PtyDevice, fault: Fault, found: bytes
) -> None:
    wire.inject(fault)
    assert through(wire, b"abcd", len(found)) == found
    assert wire.fired(1) == [fault]
    assert through(wire, b"abcd", 4) == b"abcd"


@pytest.mark.parametrize("toward", ["device", "host"])
def test_reset_is_held_in_the_middle(wire: PtyDevice, toward: str) -> None:
    # The wire is low in reset, which looks like a start bit: bytes from there on are wrong.
    wire.inject(Fault(toward, 3, "reset"))
    found = through(wire, b"abcdefgh", 20, seconds=0.5)
    assert wire.fired(1)
    assert found[:3] == b"abc"
    assert found != b"abcdefgh"
    assert through(wire, b"abcd", 4)[-1:] == b"d"


def test_a_plan_that_cannot_be(wire: PtyDevice) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        Fault("device", 0, "explode")
    with pytest.raises(ValueError, match="toward the device only"):
        Fault("host", 0, "stop")


def test_the_simulator_ends_with_the_context(compiled: Path, tmp_path: Path) -> None:
    with PtyDevice(compiled, tmp_path) as device:
        pid = device.status["pid"]
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "PASS=1" in (tmp_path / "sim.log").read_text()


def test_the_simulator_ends_when_its_time_is_over(compiled: Path, tmp_path: Path) -> None:
    with PtyDevice(compiled, tmp_path, seconds=0.2) as device:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.kill(device.status["pid"], 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)
    pytest.fail("it still runs")


def test_a_killed_simulator_is_noticed(compiled: Path, tmp_path: Path) -> None:
    with PtyDevice(compiled, tmp_path) as device:
        os.kill(device.status["pid"], signal.SIGKILL)
        with pytest.raises(RuntimeError, match="did not take the plan"):
            device.inject(Fault("device", 0, "drop"))


def test_verilog_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "bad.v").write_text("module wire_device(; endmodule")
    with pytest.raises(RuntimeError, match="Icarus Verilog refuses"):
        compile_board([tmp_path / "bad.v"], "wire_device", tmp_path, clock_hz=1e6, baud=1e5)
    with pytest.raises(ValueError, match="pins are clk"):
        compile_board([], "x", tmp_path, clock_hz=1e6, baud=1e5, pins={"clk": "clk"})
