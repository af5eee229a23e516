# amaranth: UnusedElaboratable=no
"""The device bit by bit: every frame is answered as docs/host-protocol.md says."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from link_bench import (
    BAUD,
    CLOCK_HZ,
    GAP,
    SAMPLE_BITS,
    Core,
    Host,
    Queue,
    Wire,
    converse,
    error,
    identity_of,
    make,
    result,
    samples,
    works,
)

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.link import Device
from lgn_hdl.link import SYNC, ErrorCode, Frame, Identity, Kind, encode_frame

ONE, TWO, THREE, FOUR = samples(4)
#: Longer than the device waits within a frame: gap, up to 26 bits of rounding, some more.
SILENCE = GAP + 40 / BAUD


def test_identification() -> None:
    async def talk(host: Host) -> None:
        for request in (0, 255):
            await host.ask(Kind.IDENTIFY, request)
            frame = await host.frame()
            assert frame == Frame(Kind.IDENTIFICATION, request, identity_of().encode())
            assert Identity.decode(frame.body) == identity_of()

    converse(make(), talk)


@pytest.mark.parametrize("core", [Core, Wire, lambda: Core(shifting=True)])
def test_results(core: Any) -> None:
    async def talk(host: Host) -> None:
        for request, body in enumerate(samples(6, seed=2)):
            await host.ask(Kind.INFER, request, body)
            await host.expect(result(request, body))

    converse(make(core()), talk)


@pytest.mark.parametrize("shifting", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_window_of_two_with_random_delays(seed: int, shifting: bool) -> None:
    rng = random.Random(seed)
    # Up to three bytes' time to take a sample, up to two frames' time to answer.
    waits = [(rng.choice([0, 1, 200]), rng.choice([0, 1, 500, 1500])) for _ in range(7)]
    bodies = samples(12, seed=seed)

    async def talk(host: Host) -> None:
        for request, body in enumerate(bodies):
            if request >= 2:
                await host.expect(result(request - 2, bodies[request - 2]))
            await host.ask(Kind.INFER, request, body)
        for request in (10, 11):
            await host.expect(result(request, bodies[request]))
        await host.nothing(0.002)

    converse(make(Core(waits, shifting=shifting)), talk)


def test_a_core_that_would_take_several_samples_gets_one() -> None:
    async def talk(host: Host) -> None:
        await host.ask(Kind.INFER, 1, ONE)
        await host.ask(Kind.INFER, 2, TWO)
        await host.ask(Kind.INFER, 3, THREE)
        await host.expect(error(ErrorCode.BUSY, 3))
        await host.expect(result(1, ONE), result(2, TWO), within=0.1)

    converse(make(Queue(4000)), talk)


def test_identification_between_two_samples() -> None:
    async def talk(host: Host) -> None:
        await host.ask(Kind.INFER, 1, ONE)
        await host.ask(Kind.INFER, 2, TWO)
        await host.ask(Kind.IDENTIFY, 3)
        # The core is slow, the identification overtakes it.
        await host.expect(Frame(Kind.IDENTIFICATION, 3, identity_of().encode()))
        await host.expect(result(1, ONE), result(2, TWO), within=0.1)

    converse(make(Core([(0, 6000)])), talk)


def test_busy() -> None:
    # The core takes the second sample only after the result of the first.
    async def talk(host: Host) -> None:
        for request, body in enumerate((ONE, TWO, THREE)):
            await host.ask(Kind.INFER, request, body)
        await host.expect(error(ErrorCode.BUSY, 2))
        await host.expect(result(0, ONE), result(1, TWO), within=0.1)
        await host.ask(Kind.INFER, 3, THREE)
        await host.expect(result(3, THREE), within=0.1)

    converse(make(Core([(0, 5000)])), talk)


def test_sample_taken_within_the_body_of_the_next_is_still_busy() -> None:
    # The first is taken after 20 byte times, while the second's body of 4 bytes comes slowly.
    async def talk(host: Host) -> None:
        await host.ask(Kind.INFER, 0, ONE)
        await host.send(encode_frame(Kind.INFER, 1, TWO), pause=20)
        await host.expect(result(0, ONE), error(ErrorCode.BUSY, 1), within=0.1)
        await works(host)

    for wait in (1500, 1700, 1900, 2100):
        converse(make(Core([(wait, 0)])), talk)


@pytest.mark.parametrize("place", range(1, 11))
def test_damaged_byte(place: int) -> None:
    good = encode_frame(Kind.INFER, 9, ONE)
    bad = bytearray(good)
    bad[place] ^= 0x10

    async def talk(host: Host) -> None:
        await host.send(bytes(bad))
        if place in (3, 4):  # the length: the device waits for 16 or 4096 bytes more
            await host.wait(SILENCE)
            await host.expect(error(ErrorCode.SHORT, 9))
        else:
            await host.expect(error(ErrorCode.CRC, 9 ^ 0x10 * (place == 2)))
        await works(host)

    converse(make(), talk)


def test_length_made_smaller() -> None:
    """The frame ends early, and what is left of its body holds no sync."""

    async def talk(host: Host) -> None:
        frame = bytearray(encode_frame(Kind.INFER, 9, bytes([1, 2, 3, 4])))
        frame[3] = 1
        await host.send(bytes(frame))
        await host.expect(error(ErrorCode.CRC, 9))
        await works(host)

    converse(make(), talk)


def test_damaged_sync_is_between_frames() -> None:
    async def talk(host: Host) -> None:
        await host.send(b"M" + encode_frame(Kind.INFER, 9, ONE)[1:])
        await host.nothing(SILENCE)
        await works(host)

    converse(make(), talk)


@pytest.mark.parametrize(
    ("kind", "length"),
    [
        *((Kind.INFER, length) for length in (0, 1, 3, 5, 40, 260)),
        *((Kind.IDENTIFY, length) for length in (1, 4, 256)),
    ],
)
def test_wrong_length(kind: Kind, length: int) -> None:
    body = random.Random(length).randbytes(length)

    async def talk(host: Host) -> None:
        await host.ask(kind, 30, body)
        await host.ask(Kind.INFER, 31, TWO)  # back to back: exactly the frame was passed over
        await host.expect(error(ErrorCode.LENGTH, 30), result(31, TWO))

    converse(make(), talk)


def test_wrong_length_and_wrong_crc() -> None:
    async def talk(host: Host) -> None:
        frame = bytearray(encode_frame(Kind.INFER, 30, bytes(7)))
        frame[-1] ^= 1
        await host.send(bytes(frame))
        await host.expect(error(ErrorCode.CRC, 30))
        await works(host)

    converse(make(), talk)


@pytest.mark.parametrize(
    ("kind", "length"), [(0, 0), (3, 4), (0x81, 0), (0x82, 4), (0xEE, 300), (0x12, 4)]
)
def test_unknown_kind(kind: int, length: int) -> None:
    async def talk(host: Host) -> None:
        await host.ask(kind, 40, bytes(length))
        await host.ask(Kind.INFER, 41, TWO)
        await host.expect(error(ErrorCode.KIND, 40), result(41, TWO))

    converse(make(), talk)


@pytest.mark.parametrize("count", range(1, 11))
def test_short_frame(count: int) -> None:
    """Cut after any byte: the id is 0 if it did not arrive."""

    async def talk(host: Host) -> None:
        await host.send(encode_frame(Kind.INFER, 50, ONE)[:count])
        await host.nothing(GAP * 0.9)
        await host.wait(SILENCE - GAP * 0.9)
        await host.expect(error(ErrorCode.SHORT, 50 if count > 2 else 0))
        await works(host)

    converse(make(), talk)


def test_pauses_below_the_gap_are_no_harm() -> None:
    async def talk(host: Host) -> None:
        await host.send(encode_frame(Kind.INFER, 51, ONE), pause=0.95 * GAP * BAUD)
        await host.expect(result(51, ONE))

    converse(make(), talk)


def test_huge_length_ends_by_silence() -> None:
    async def talk(host: Host) -> None:
        await host.send(bytes([SYNC, Kind.INFER, 52, 0xFF, 0xFF]) + bytes(100))
        await host.nothing(GAP * 0.9)
        await host.wait(SILENCE - GAP * 0.9)
        await host.expect(error(ErrorCode.SHORT, 52))
        await works(host)

    converse(make(), talk)


def test_garbage_between_frames() -> None:
    rng = random.Random(5)

    async def talk(host: Host) -> None:
        for request in range(6):
            noise = rng.randbytes(rng.randrange(1, 30)).replace(bytes([SYNC]), b"")
            await host.send(noise + encode_frame(Kind.INFER, request, ONE) + noise)
            await host.expect(result(request, ONE))

    converse(make(), talk)


def test_random_bytes_then_silence() -> None:
    rng = random.Random(6)

    async def talk(host: Host) -> None:
        for _ in range(2):
            await host.send(rng.randbytes(40) + bytes([SYNC]) + rng.randbytes(5))
            await host.wait(SILENCE + 0.02)
            assert all(frame.kind == Kind.ERROR for frame in host.frames)
            host.frames.clear()
            await works(host)

    converse(make(), talk)


def test_a_second_error_is_lost_while_the_first_waits() -> None:
    """The transmitter is busy with an identification of 84 bytes meanwhile."""

    async def talk(host: Host) -> None:
        await host.ask(Kind.IDENTIFY, 1)
        await host.ask(0x33, 2)
        await host.ask(0x33, 3)
        await host.ask(Kind.INFER, 4, ONE)
        assert (await host.frame()).request == 1
        await host.expect(error(ErrorCode.KIND, 2), result(4, ONE))
        await works(host)

    converse(make(), talk)


def test_busy_and_error_outputs() -> None:
    device = make(Core([(0, 400)]))

    async def talk(host: Host) -> None:
        seen: list[int] = []
        assert host._ctx.get(device.busy) == 0
        await host.ask(Kind.INFER, 1, ONE)
        await host.wait(1 / BAUD)
        assert host._ctx.get(device.busy) == 1
        await host.expect(result(1, ONE))
        assert host._ctx.get(device.busy) == 0
        await host.send(encode_frame(0x33, 2)[:-1])
        last = encode_frame(0x33, 2)[-1:]
        for place in range(-1, 10):
            level = 0 if place < 0 else (last[0] | 0x300) >> place & 1
            host._ctx.set(device.rx, level)
            for _ in range(CLOCK_HZ // BAUD):
                await host._ctx.tick()
                seen.append(host._ctx.get(device.error))
        assert sum(seen) == 1
        await host.expect(error(ErrorCode.KIND, 2))

    converse(device, talk)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clock_hz": 2_000_000}, "identity says 2000000 clock in Hz, the device has 1000000"),
        ({"baud": 9600}, "9600 baud"),
        ({"gap_us": 1}, "1 gap in µs, the device has 500"),
        ({"features": SAMPLE_BITS + 1}, "28 sample bits, the device has 27"),
        ({"bits": 2}, "20 result bits, the device has 19"),
    ],
)
def test_an_identity_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=message):
        Device(
            core=Core(),
            identity=replace(identity_of(), **change),
            clock_hz=CLOCK_HZ,
            baud=BAUD,
            gap_seconds=GAP,
        )
