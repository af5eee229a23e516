"""A device and what it should answer: the bench's own, simple host."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import numpy as np

from lgn_hdl.link import ErrorCode, Frame, FrameDecoder, Identity, Kind, Problem, encode_frame

from .uart import Uart

__all__ = ["DeviceError", "Line"]

#: The longest pause, in bits, that a device may make beyond what its identity accounts for.
_SLACK_BITS = 200


class DeviceError(Exception):
    """The first answer that is not what it should be."""

    def __init__(self, check: str, expected: str, found: str):
        self.check, self.expected, self.found = check, expected, found
        super().__init__(f"{check}: expected {expected}, found {found}")

    def as_dict(self) -> dict[str, str]:
        """For result.json."""
        return {"check": self.check, "expected": self.expected, "found": self.found}


class Line:
    """Frames to and from a device.

    Parameters
    ----------
    dut
        The wrapper of `sim.wrapper`.
    timing : dict
        `clock_ps`, `bit_ps`, whether there is a `reset`, and the `start_seconds` after it.
    vectors : str
        The .npz that `sim.board.run` describes.
    seed : int
        Of `random`.
    """

    def __init__(self, dut, timing: dict[str, Any], vectors: str, *, seed: int):
        with np.load(vectors, allow_pickle=False) as data:
            self.samples = [row.tobytes() for row in data["samples"]]
            self.results = [row.tobytes() for row in data["results"]]
            self.identification = data["identity"].tobytes()
        self.identity = Identity.decode(self.identification)
        self.random = random.Random(seed)
        self.has_reset = bool(timing["reset"])
        #: Name of what is being tried.
        self.check = "samples"
        self.uart = Uart(
            dut, clock_ps=timing["clock_ps"], bit_ps=timing["bit_ps"], on_byte=self._on_byte
        )
        self._start_bits = 1e12 * timing["start_seconds"] / timing["bit_ps"]
        self._bit_ps, self._request = timing["bit_ps"], self.random.randrange(256)
        self._decoder = FrameDecoder()
        self._arrived: deque[Frame | Problem] = deque()
        self._heard = 0

    async def reset(self) -> None:
        """Hold reset, if there is one, and forget what the device was saying."""
        if self.has_reset:
            await self.uart.reset()
        await self.uart.silence(20 + self._start_bits)
        self._decoder = FrameDecoder()
        self._arrived.clear()

    def next_request(self) -> int:
        """A request id that was not used for long."""
        self._request = (self._request + 1) % 256
        return self._request

    def sample(self) -> int:
        """Number of some sample."""
        return self.random.randrange(len(self.samples))

    def infer(self, number: int, request: int) -> bytes:
        """The frame that asks for the result of a sample."""
        return encode_frame(Kind.INFER, request, self.samples[number])

    def result(self, number: int, request: int) -> Frame:
        """The frame that answers it."""
        return Frame(Kind.RESULT, request, self.results[number])

    @property
    def gap_bits(self) -> float:
        """Silence, in bits, that surely ends a frame."""
        return 1.1 * self.identity.gap_us * 1e6 / self._bit_ps + 20

    @property
    def patience_bits(self) -> float:
        """Within so many bits a whole frame arrives, if any does."""
        identity = self.identity
        clocks = (identity.latency + identity.interval) * (1 + identity.window)
        longest = max(identity.result_bytes, len(self.identification)) + 7
        clock_bits = clocks / identity.clock_hz * 1e12 / self._bit_ps
        return 1.1 * clock_bits + 2 * 10 * longest + _SLACK_BITS

    async def receive(self) -> Frame | Problem | None:
        """The next frame or damage; None if nothing comes."""
        waited = 0.0
        while not self._arrived:
            if waited > self.patience_bits:
                return None
            await self.uart.silence(10)
            waited += 10
        return self._arrived.popleft()

    async def hear(self, count: int) -> None:
        """Wait for some bytes, of whatever frame."""
        enough, waited = self._heard + count, 0.0
        while self._heard < enough:
            if waited > self.patience_bits:
                raise DeviceError(self.check, f"{count} bytes", "silence")
            await self.uart.silence(10)
            waited += 10

    async def expect(self, frame: Frame) -> None:
        """The next thing that comes is this frame."""
        found = await self.receive()
        if found != frame:
            raise DeviceError(self.check, describe(frame), describe(found))

    async def expect_error(self, code: ErrorCode, request: int) -> None:
        """The next thing that comes is this error."""
        await self.expect(Frame(Kind.ERROR, request, bytes([code])))

    async def expect_silence(self) -> None:
        """Nothing comes."""
        found = await self.receive()
        if found is not None:
            raise DeviceError(self.check, "silence", describe(found))

    async def identify(self) -> None:
        """The device says what it should be."""
        self.check = "identification"
        request = self.next_request()
        await self.uart.send_all(encode_frame(Kind.IDENTIFY, request))
        await self.expect(Frame(Kind.IDENTIFICATION, request, self.identification))

    async def recovered(self) -> None:
        """A sample sent now has its result, and nothing else comes."""
        request, number = self.next_request(), self.sample()
        await self.uart.send_all(self.infer(number, request))
        await self.expect(self.result(number, request))

    async def stream(self) -> None:
        """Every sample, back to back, as many on the way as the device allows."""
        waiting: deque[Frame] = deque()
        for number in range(len(self.samples)):
            request = self.next_request()
            await self.uart.send_all(self.infer(number, request))
            waiting.append(self.result(number, request))
            while len(waiting) >= self.identity.window:
                self.check = f"sample {number + 1 - len(waiting)}"
                await self.expect(waiting.popleft())
        while waiting:
            self.check = f"sample {len(self.samples) - len(waiting)}"
            await self.expect(waiting.popleft())

    def _on_byte(self, byte: int, stop: bool) -> None:
        self._heard += 1
        if not stop:
            self._arrived.append(Problem("a byte without stop bit", bytes([byte])))
        self._arrived += self._decoder.feed(bytes([byte]))


def describe(found: Frame | Problem | None) -> str:
    """In words, for a message."""
    if found is None:
        return "nothing"
    if isinstance(found, Problem):
        return f"{found.what}: {found.data.hex()}"
    kind = next((kind.name for kind in Kind if kind == found.kind), f"kind {found.kind:#04x}")
    body = found.body.hex() if len(found.body) <= 64 else f"{found.body[:64].hex()}..."
    return f"{kind} of request {found.request}: {body}"
