"""A component of input reduction over some clocks, and what it promises about them.

A window begins at the start of a frame with any content of the registers, and ends where the next
one may begin. Whatever holds in every window therefore holds for frame after frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import VerifyError
from ..network import FixedPoint, TensorType
from .aig import FALSE, TRUE, Aig
from .netlist import Netlist
from .unroll import Clock, Unrolled

__all__ = ["Promise", "Window"]

PORTS = ("i__payload", "i__valid", "i__ready", "o__payload", "o__valid", "o__ready")


@dataclass(frozen=True)
class Promise:
    """What is due in a clock, as literals.

    Parameters
    ----------
    ready : int
        Whether something is taken, if it is offered.
    anew : int
        Whether that would be the first piece of a frame.
    done : int
        Whether the last piece of a frame is taken.
    pieces : list of list of int
        The frame as far as it was taken; a piece is a payload.
    """

    ready: int
    anew: int
    done: int
    pieces: list[list[int]]


class Window:
    """The unrolled component.

    Parameters
    ----------
    netlist : Netlist
        With plain registers. A payload is a frame, a row of it, or an equal part of a row.
    source : TensorType
        An image (C, H, W).
    latency, interval : int
        What the component promises.
    pauses : int
        In how many clocks of a frame nothing is offered, at most.

    Raises
    ------
    VerifyError
        If the ports are not those of such a component.
    """

    def __init__(
        self, netlist: Netlist, source: TensorType, *, latency: int, interval: int, pauses: int
    ):
        for name in PORTS:
            if name not in netlist.ports:
                raise VerifyError(f"there is no port {name}")
        assert isinstance(source.element, FixedPoint)
        channels, height, width = source.shape
        self.netlist, self.source = netlist, source
        self.pixel_bits = channels * source.element.width
        found, row = len(netlist.ports["i__payload"]), width * self.pixel_bits
        whole_pixels = found and found % self.pixel_bits == 0 and row % found == 0
        if not whole_pixels and found != height * row:
            raise VerifyError(
                f"a payload has {found} bits, expected {height * row} or {row}: a frame or a row, "
                f"or an equal part of a row, {self.pixel_bits} bits a pixel"
            )
        #: In how many pieces a frame comes, and the clocks from one to the next.
        self.pieces = height * row // found
        self.pace = interval // self.pieces
        #: Clocks from the last piece of a frame to its result.
        self.delay = latency - (self.pieces - 1)
        #: For as long something is offered.
        self.clocks = self.pieces * self.pace + pauses
        self._offered = found + 1
        # The registers; payload and valid bit of each clock and of a reset; `o__ready`.
        inputs = (self.clocks + self.delay + 1) * self._offered
        self.aig = Aig(len(netlist.registers) + inputs + 1)
        self.unrolled = Unrolled(self.aig, netlist)
        #: Any content of the registers, and any value of `o__ready`.
        self.any_state = self.aig.inputs[: len(netlist.registers)]
        self.any_ready = self.aig.inputs[-1]

    def inputs(self, clock: int, *, ready: int = TRUE, rst: int = FALSE) -> dict[str, list[int]]:
        """Literals of the input ports; the result is taken at once unless `ready` says else."""
        first = len(self.any_state) + clock * self._offered
        *payload, valid = self.aig.inputs[first : first + self._offered]
        return {"i__payload": payload, "i__valid": [valid], "o__ready": [ready], "rst": [rst]}

    def one(self, clock: Clock, port: str) -> int:
        """Literal of a port of one bit."""
        return self.unrolled.port(clock, port)[0]

    def run(self, state: Sequence[int]) -> list[Clock]:
        """All clocks from a state of the registers."""
        found = []
        for clock in range(self.clocks + self.delay):
            found.append(self.unrolled.clock(state, self.inputs(clock)))
            state = found[-1].following
        return found

    @cached_property
    def after_rst(self) -> list[int]:
        """The registers after a clock in which `rst` was high."""
        reset = self.inputs(self.clocks + self.delay, ready=self.any_ready, rst=TRUE)
        return self.unrolled.clock(self.any_state, reset).following

    @cached_property
    def counters(self) -> list[int]:
        """Places of the registers that count pieces: made of themselves, and of no payload."""
        if self.pieces == 1:
            return []  # the handshake tells where a frame begins
        offered = self.inputs(0)
        following = self.unrolled.clock(self.any_state, offered).following
        pairs = zip(self.any_state, following, strict=True)
        reads = {own: self.aig.support(new) for own, new in pairs}
        grown = True
        while grown:  # until they are what is read over any number of clocks
            grown = False
            for seen in reads.values():
                wider = seen.union(*(reads[own] for own in seen & reads.keys()))
                grown |= wider != seen
                seen |= wider
        payload = set(offered["i__payload"])
        return [
            place
            for place, own in enumerate(self.any_state)
            if own in reads[own]
            and self.after_rst[place] in (FALSE, TRUE)
            and not reads[own] & payload
            and all(other in reads[other] for other in reads[own] & reads.keys())
        ]

    @cached_property
    def found(self) -> list[Clock]:
        """The clocks of the window, results taken at once."""
        state = list(self.any_state)
        for place in self.counters:
            state[place] = self.after_rst[place]
        return self.run(state)

    @cached_property
    def promised(self) -> list[Promise]:
        """What is due in the clocks in which something is offered."""
        aig = self.aig
        taken: list[int] = []
        pieces = [[FALSE] * (self._offered - 1)] * self.pieces
        expected = [TRUE] + [FALSE] * (self.pieces - 1)  # which piece, one of them true
        out = []
        for clock in range(self.clocks):
            offered = self.inputs(clock)
            ready = aig.any(taken[max(0, clock - self.pace + 1) :]) ^ 1
            takes = aig.conjunction(ready, offered["i__valid"][0])
            taken.append(takes)
            loads = [aig.conjunction(takes, this) for this in expected]
            pieces = [
                [aig.choice(load, *bits) for bits in zip(offered["i__payload"], old, strict=True)]
                for load, old in zip(loads, pieces, strict=True)
            ]
            out.append(Promise(ready, expected[0], loads[-1], pieces))
            before = [expected[-1], *expected[:-1]]
            expected = [aig.choice(takes, *pair) for pair in zip(before, expected, strict=True)]
        return out
