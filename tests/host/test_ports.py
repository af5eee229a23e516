"""Ports on which there is no device, or only something that looks like one."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from dataclasses import replace

import pytest
from simulated import Simulated

from lgn_hdl.errors import LgnError
from lgn_hdl.host import HardwareModel, LinkError
from lgn_hdl.link import FrameDecoder, Identity, Kind, Problem, encode_frame
from sim.pty_device import PtyDevice


@pytest.fixture
def silent() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal on which nobody answers: its other end, and its name."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_silence(silent: tuple[int, str]) -> None:
    begin = time.monotonic()
    with pytest.raises(LinkError, match=r"identification has no answer after 3 tries: 3 × no ans"):
        HardwareModel.open(silent[1], timeout=0.1, retries=2)
    assert time.monotonic() - begin < 3


def test_it_listens_to_its_own_request_only(silent: tuple[int, str], simulated: Simulated) -> None:
    """Answers with other ids, which an earlier program may have asked for, are no answers."""
    every = b"".join(
        encode_frame(Kind.IDENTIFICATION, request, simulated.identity.encode())
        for request in range(256)
    )
    os.write(silent[0], every[:3000])  # what fits into the terminal, and is discarded
    with pytest.raises(LinkError, match="no answer"):
        HardwareModel.open(silent[1], timeout=0.1, retries=1)


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("/dev/no-such-port", "cannot be opened"),
        ("/dev/null", "cannot be opened"),
        ("nonsense://x", "cannot be opened"),
        ("socket://localhost:1", "cannot be opened"),
        ("loop://", "is this a loopback"),
    ],
)
def test_ports_that_are_none(port: str, message: str) -> None:
    with pytest.raises(LinkError, match=message) as caught:
        HardwareModel.open(port, timeout=0.2)
    assert port in str(caught.value)


@pytest.mark.parametrize("baud", [0, -1, 10**9])
def test_baud_rates_that_are_none(silent: tuple[int, str], baud: int) -> None:
    with pytest.raises(LinkError, match="baud"):
        HardwareModel.open(silent[1], baud=baud)


def test_two_programs_cannot_use_a_port(device: PtyDevice) -> None:
    with HardwareModel.open(device.path), pytest.raises(LinkError, match="no other program"):
        HardwareModel.open(device.path)
    HardwareModel.open(device.path).close()


def answering(master: int, identification: bytes, endless: bool = False) -> None:
    """In a child process: identify, as told; then, perhaps, never stop talking."""
    decoder, end = FrameDecoder(), time.monotonic() + 10
    while time.monotonic() < end:
        for frame in decoder.feed(os.read(master, 100)):
            if isinstance(frame, Problem):
                continue
            os.write(master, encode_frame(Kind.IDENTIFICATION, frame.request, identification))
            while endless and time.monotonic() < end:
                os.write(master, b"and so on ")
                time.sleep(0.001)


def identification(**changes: int) -> bytes:
    identity = Identity(
        digest=bytes(32),
        clock_hz=12_000_000,
        baud=1_000_000,
        gap_us=10_000,
        features=4,
        feature_width=6,
        feature_signed=True,
        feature_fraction=4,
        classes=3,
        class_width=2,
        score_width=3,
        bits=0,
        latency=5,
        interval=1,
        board="none",
        generator="none",
    )
    return replace(identity, **changes).encode()


@pytest.mark.parametrize(
    ("said", "endless", "message"),
    [
        (b"", False, "found nothing"),
        (b"\x02" + identification()[1:], False, "version 2, expected version 1"),
        (identification()[:-1], False, "ends within"),
        (identification() + b"?", False, "follow the last field"),
        (identification(), True, "sends without being asked"),
    ],
    ids=["nothing", "version", "short", "long", "endless"],
)
def test_identifications_that_are_none(
    silent: tuple[int, str], said: bytes, endless: bool, message: str
) -> None:
    child = os.fork()
    if child == 0:
        try:
            answering(silent[0], said, endless)
        finally:
            os._exit(0)
    try:
        with pytest.raises(LgnError, match=message) as caught:
            HardwareModel.open(silent[1], timeout=0.5)
        assert silent[1] in str(caught.value)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
