"""Requests and answers: several on the way, each answered once, whatever the line does.

An answer belongs to the request whose id it carries. A request that is reported damaged, or not
answered in time, is sent again under the same id; if both arrive, both answers are the same, and
the second finds no request. Ids are used in turn and a device works on few frames at a time, so
an id comes round again long after the last answer of its earlier use.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import LinkError
from ..link import ErrorCode, Frame, FrameDecoder, Kind, Problem, encode_frame
from .port import Port

__all__ = ["Exchange", "Statistics"]

#: A frame of which nothing more arrives for this part of the timeout is given up.
_SILENCE = 0.25
#: After damage on the line, the answer that was due may take so many seconds longer, and twice as
#: many at every further try: the device may still be waiting for the end of a damaged frame.
_AFTER_DAMAGE = 0.05
#: A request that the device had no room for is sent again after so many seconds.
_BUSY_PAUSE = 0.02
#: More than any identification has.
_LONGEST_IDENTIFICATION = 1024
_SEND_AGAIN = (ErrorCode.CRC, ErrorCode.BUSY, ErrorCode.SHORT)


@dataclass
class Statistics:
    """What happened on the line since the port was opened.

    Parameters
    ----------
    requests : int
        Frames sent, repetitions included.
    retransmissions : int
        Frames sent again.
    reasons : Counter of str
        Why they were sent again.
    damaged : int
        Stretches of bytes from the device that were no frame.
    strays : int
        Frames from the device that answered nothing.
    """

    requests: int = 0
    retransmissions: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    strays: int = 0


@dataclass
class _Flight:
    """A request that waits for its answer; times are those of `time.monotonic`."""

    number: int
    frame: bytes
    sent: float = 0.0
    deadline: float = 0.0
    #: It is sent again at this time if the line is quiet then, since something was damaged.
    doubt: float | None = None
    #: It is sent again at this time, since the device had no room for it.
    refused: float | None = None
    reasons: Counter[str] = field(default_factory=Counter)


class Exchange:
    """The host's end of the protocol.

    Parameters
    ----------
    port : Port
    """

    def __init__(self, port: Port):
        self.statistics = Statistics()
        self._port = port
        self._request = secrets.randbelow(256)
        self._silent_since = time.monotonic()
        self._in_damage = False
        self.expect(_LONGEST_IDENTIFICATION)

    def expect(self, longest_body: int) -> None:
        """Forget what has arrived; from now on no body of the device is longer than this."""
        self._decoder = FrameDecoder(longest_body=longest_body)
        self._port.discard()

    def settle(self, seconds: float) -> None:
        """Wait until the line has been silent for some seconds; what arrives answers nothing."""
        end = limit = time.monotonic() + seconds
        limit += 10 * seconds + 1
        while time.monotonic() < end:
            if self._port.read():
                end = time.monotonic() + seconds
            if time.monotonic() > limit:
                raise LinkError("sends without being asked", where=self._port.name)

    def run(
        self,
        kind: Kind,
        bodies: Sequence[bytes],
        answer: Kind,
        *,
        window: int,
        timeout: float,
        retries: int,
        name: Callable[[int], str],
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[bytes]:
        """Send requests of one kind; return the bodies of their answers, in order.

        Parameters
        ----------
        kind, answer : Kind
        bodies : sequence of bytes
        window : int
            How many may be on the way.
        timeout : float
            Seconds after which a request counts as lost.
        retries : int
            How often a request is sent again before it is an error.
        name : callable
            What a request is, by its number, for messages.
        progress : callable
            Told how many are answered.

        Raises
        ------
        LinkError
            If a request is not answered after all retries, or refused.
        """
        answers: dict[int, bytes] = {}
        flying: dict[int, _Flight] = {}
        sent = 0

        def again(flight: _Flight, reason: str) -> None:
            self._again(flight, reason, retries, name(flight.number))
            self._send(flight, timeout)

        while len(answers) < len(bodies):
            while len(flying) < window and sent < len(bodies):
                request = self._free_request(flying)
                flying[request] = _Flight(sent, encode_frame(kind, request, bodies[sent]))
                self._send(flying[request], timeout)
                sent += 1
            data, now = self._port.read(), time.monotonic()
            silence = _SILENCE * timeout
            for frame in self._frames(data, now, flying.values(), silence):
                flight = flying.get(frame.request)
                if flight is None:
                    self._stray(frame, flying.values())
                elif frame.kind == answer:
                    answers[flight.number] = frame.body
                    del flying[frame.request]
                    progress(len(answers))
                    # Answers come in the order of the requests: what was sent earlier is lost.
                    for other in flying.values():
                        if other.sent < flight.sent and other.refused is None:
                            again(other, "a later one was answered")
                elif frame.kind == Kind.ERROR:
                    self._error(flight, frame.body, again, name)
                else:
                    self._stray(frame, flying.values())
            self._late(flying.values(), now, again, quiet=not data)
        return [answers[number] for number in range(len(bodies))]

    def _free_request(self, flying: Iterable[int]) -> int:
        self._request = (self._request + 1) % 256
        while self._request in flying:
            self._request = (self._request + 1) % 256
        return self._request

    def _send(self, flight: _Flight, timeout: float) -> None:
        self._port.write(flight.frame)
        flight.sent = time.monotonic()
        flight.deadline, flight.doubt, flight.refused = flight.sent + timeout, None, None
        self.statistics.requests += 1

    def _again(self, flight: _Flight, reason: str, retries: int, name: str) -> None:
        """Note why a request is sent again, unless that was enough."""
        flight.reasons[reason] += 1
        if flight.reasons.total() > retries:
            tries = ", ".join(f"{count} × {why}" for why, count in flight.reasons.items())
            raise LinkError(
                f"{name} has no answer after {flight.reasons.total()} tries: {tries}",
                where=self._port.name,
                hint="check the baud rate, the cable, and that the board is configured",
            )
        self.statistics.retransmissions += 1
        self.statistics.reasons[reason] += 1

    def _frames(
        self, data: bytes, now: float, flying: Iterable[_Flight], silence: float
    ) -> list[Frame]:
        """Frames that `data` completes; damage puts the request that was sent first in doubt."""
        if data:
            self._silent_since = now
        found = self._decoder.feed(data)
        # What began long ago and is not complete never was a frame, but may hide some.
        overdue = any(flight.deadline <= now for flight in flying)
        patient = not overdue and now - self._silent_since <= silence
        if not data and self._decoder.pending and not patient:
            found += self._decoder.expire()
        frames: list[Frame] = []
        for item in found:
            if isinstance(item, Problem):
                self.statistics.damaged += not self._in_damage
                _doubt(flying)
            else:
                frames.append(item)
            self._in_damage = isinstance(item, Problem)
        return frames

    def _stray(self, frame: Frame, flying: Iterable[_Flight]) -> None:
        """An answer to nothing: late, from an earlier program, or to an id that was damaged."""
        self.statistics.strays += 1
        if frame.kind in (Kind.IDENTIFY, Kind.INFER):
            raise LinkError(
                "comes back what is sent", where=self._port.name, hint="is this a loopback?"
            )
        if frame.kind == Kind.ERROR:
            _doubt(flying)

    def _error(
        self,
        flight: _Flight,
        body: bytes,
        again: Callable[[_Flight, str], None],
        name: Callable[[int], str],
    ) -> None:
        code = next((code for code in ErrorCode if body == bytes([code])), None)
        meaning = code.meaning if code else f"unknown error {body.hex()}"
        if code not in _SEND_AGAIN:
            raise LinkError(
                f"the board refuses {name(flight.number)}: {meaning}", where=self._port.name
            )
        if code != ErrorCode.BUSY:
            again(flight, meaning)
        elif flight.refused is None:
            flight.refused = time.monotonic() + _BUSY_PAUSE

    def _late(
        self,
        flying: Iterable[_Flight],
        now: float,
        again: Callable[[_Flight, str], None],
        *,
        quiet: bool,
    ) -> None:
        for flight in flying:
            if flight.refused is not None:
                if now >= flight.refused:
                    again(flight, ErrorCode.BUSY.meaning)
            elif now >= flight.deadline:
                again(flight, "no answer in time")
            elif quiet and flight.doubt is not None and now >= flight.doubt:
                again(flight, "damage on the line")


def _doubt(flying: Iterable[_Flight]) -> None:
    """Something was lost, probably about the request that was sent first."""
    first = min(flying, key=lambda flight: flight.sent, default=None)
    if first is not None and first.doubt is None:
        first.doubt = time.monotonic() + _AFTER_DAMAGE * 2 ** first.reasons.total()
