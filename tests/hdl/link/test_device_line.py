# amaranth: UnusedElaboratable=no
"""The device on a line that is not perfect: stop bits, breaks, rates that differ, and resets."""

from __future__ import annotations

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from link_bench import (
    BAUD,
    CLOCK_HZ,
    GAP,
    Core,
    Host,
    converse,
    error,
    make,
    result,
    samples,
    works,
)

from lgn_hdl.hdl.link import Device
from lgn_hdl.link import ErrorCode, Kind, encode_frame

ONE, TWO = samples(2)
SILENCE = GAP + 40 / BAUD


@pytest.mark.parametrize("place", [0, 1, 2, 5, 8, 9, 10])
def test_stop_bit_missing(place: int) -> None:
    data = encode_frame(Kind.INFER, 60, ONE)

    async def talk(host: Host) -> None:
        await host.send(data[:place])
        await host.send(data[place : place + 1], stop=0)
        await host.send(data[place + 1 :])
        if place == 0:  # no sync, so there was no frame
            await host.nothing(SILENCE)
        else:
            await host.expect(error(ErrorCode.CRC, 60))
        await works(host)

    converse(make(), talk)


def test_break_on_the_line() -> None:
    async def talk(host: Host) -> None:
        await host.level(0, 100 / BAUD)
        await host.level(1, 2 / BAUD)
        await works(host)
        await host.send(encode_frame(Kind.INFER, 61, ONE)[:7])
        await host.level(0, 0.002)  # a broken cable is silence too
        await host.level(1, 2 / BAUD)
        await host.expect(error(ErrorCode.SHORT, 61))
        await works(host)

    converse(make(), talk)


def test_disturbances_shorter_than_half_a_bit() -> None:
    async def talk(host: Host) -> None:
        for _ in range(10):
            await host.level(0, 0.3 / BAUD)
            await host.level(1, 3 / BAUD)
        await works(host)
        assert len(host.bytes) == 10

    converse(make(), talk)


@pytest.mark.parametrize(
    ("clock_hz", "baud"),
    [
        (1e6, 250_000),  # four clocks per bit, the least
        (1e6, 115_200),  # 8.68 clocks
        (1.2e6, 115_200),  # 10.4
        (3e6, 230_400),  # 13.02
        (4e6, 115_200),  # 34.7
        (12e6, 1_000_000),  # 12
    ],
)
@pytest.mark.parametrize("off", [0.985, 1, 1.015])
def test_bauds_and_a_host_that_is_off(clock_hz: float, baud: int, off: float) -> None:
    async def talk(host: Host) -> None:
        for request, body in enumerate((bytes(4), b"\xff\x55\xaa\x07")):
            await host.ask(Kind.INFER, request, body)
            await host.ask(Kind.INFER, request + 100, body)
            await host.expect(result(request, body), result(request + 100, body))

    device = make(clock_hz=clock_hz, baud=baud)
    converse(device, talk, clock_hz=clock_hz, baud=baud * off)


class _WithReset(wiring.Component):
    """A device and a button."""

    reset: Signal

    def __init__(self, device: Device):
        self.device = device
        super().__init__({"reset": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.device = ResetInserter(self.reset)(self.device)
        return m


@pytest.mark.parametrize("clocks", [1, 20])
def test_reset_anywhere(clocks: int) -> None:
    """In a sample, while it waits, in the core, in the middle of its result: clean afterwards."""
    top = _WithReset(make(Core([(300, 300)])))

    async def talk(host: Host) -> None:
        sent = encode_frame(Kind.INFER, 70, ONE) + encode_frame(Kind.INFER, 71, TWO)
        for byte_times in range(1, 48, 3):
            partial = sent[: min(byte_times, len(sent))]
            await host.send(partial)
            await host.wait((byte_times - len(partial)) * 10 / BAUD)
            host._ctx.set(top.reset, 1)
            await host._ctx.tick().repeat(clocks)
            host._ctx.set(top.reset, 0)
            assert host._ctx.get(top.device.tx) == 1
            assert host._ctx.get(top.device.busy) == 0
            for _ in range(int(15 * CLOCK_HZ / BAUD)):
                await host._ctx.tick()
                assert host._ctx.get(top.device.tx) == 1
            host.restart()
            await works(host)

    converse(top, talk)
