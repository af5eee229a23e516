"""Input reduction, on the netlist and over time: every image gives its first active pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..logic.evaluate import evaluate
from ..network import FixedPoint, InputReduce, TensorType
from .aig import FALSE, Aig
from .claims import Claim, Prover
from .counterexample import Counterexample
from .netlist import gate_netlist
from .slots import Slot, first_active, slots_of
from .window import Promise, Window

__all__ = ["prove_reduction"]


def prove_reduction(
    layer: InputReduce,
    source: TensorType,
    rtlil: Path,
    workdir: Path,
    *,
    latency: int,
    interval: int,
    pauses: int = 2,
    timeout: float | None = None,
    progress: Callable[[str], None] = lambda claim: None,
) -> list[Claim]:
    """Prove that `RowReduce` or `FrameReduce` gives the first active pixels of every image.

    For small frames: a frame of 16 pixels takes some seconds, one of 28 half a minute.

    Parameters
    ----------
    layer : InputReduce
    source : TensorType
        An image (C, H, W).
    rtlil : Path
        The component as the module `top`.
    workdir : Path
        For scripts, netlists and the solver's files.
    latency, interval : int
        What the component promises.
    pauses : int
        In how many clocks of a frame nothing is offered, at most; anywhere in it.
    timeout : float, optional
        Limit for each call of the solver in seconds.
    progress : callable
        Told each claim before it is tried.

    Returns
    -------
    list of Claim

    Raises
    ------
    Refuted
        At the first claim that does not hold.
    VerifyError
        If the ports are not those of such a component.
    ToolError
        If Yosys or ABC fails.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    netlist = gate_netlist(rtlil, workdir, plain=True)
    window = Window(netlist, source, latency=latency, interval=interval, pauses=pauses)
    prover = Prover(
        window.aig, workdir, timeout, lambda inputs: _shown(window, layer, inputs), progress
    )
    prover.never(
        "all stands still while a result waits",
        f"SAT over all contents of {len(netlist.registers)} registers",
        lambda: _moves_while_waiting(window),
    )
    prover.never(
        "rst empties it",
        f"SAT over {window.delay} clocks after rst, from any content of the registers",
        lambda: _not_empty_after_rst(window),
    )
    how = f"SAT over {len(window.found)} clocks from any content of the registers, {pauses} pauses"
    prover.never("pieces are taken when promised", how, lambda: _wrong_pace(window))
    prover.never("a result for each frame, and no other", how, lambda: _wrong_time(window))
    prover.never("slots = first active pixels", how, lambda: _wrong_slots(window, layer))
    return prover.claims


def _moves_while_waiting(window: Window) -> int:
    """While a result waits a register changes or a piece is taken, or `o__ready` matters else.

    That what leaves depends on the registers alone is part of it. With this, a run in which results
    wait is a run in which they do not, with some of its clocks repeated.
    """
    aig, unrolled, ready = window.aig, window.unrolled, window.any_ready
    here = unrolled.clock(window.any_state, window.inputs(0, ready=ready))
    other = unrolled.clock(window.any_state, window.inputs(1, ready=ready ^ 1))
    flowing = unrolled.clock(window.any_state, window.inputs(0))
    waits = aig.conjunction(window.one(here, "o__valid"), ready ^ 1)
    taken = [window.one(clock, "i__ready") for clock in (here, flowing)]
    moves = aig.disjunction(_differ(aig, here.following, window.any_state), taken[0])
    matters = _differ(aig, [*here.following, taken[0]], [*flowing.following, taken[1]])
    depends = [
        _differ(aig, unrolled.port(here, port), unrolled.port(other, port))
        for port in ("o__valid", "o__payload")
    ]
    return aig.any([aig.choice(waits, moves, matters), *depends])


def _not_empty_after_rst(window: Window) -> int:
    """After `rst` nothing can be taken, or a result is there for which nothing was."""
    clocks = window.run(window.after_rst)[: window.delay]
    there = [window.one(clock, "o__valid") for clock in clocks]
    return window.aig.any([window.one(clocks[0], "i__ready") ^ 1, *there])


def _wrong_pace(window: Window) -> int:
    """A piece is taken earlier or later than promised, or rows are not counted from zero again."""
    wrong = []
    start = [window.after_rst[place] for place in window.counters]
    nets = [window.netlist.registers[place].output for place in window.counters]
    for promise, clock in zip(window.promised, window.found, strict=False):
        wrong.append(window.aig.exclusive(promise.ready, window.one(clock, "i__ready")))
        counted = _differ(window.aig, [clock.values[net] for net in nets], start)
        wrong.append(window.aig.conjunction(promise.anew, counted))
    # A frame that ends with the window: the next one begins behind it.
    end = window.found[len(window.promised) - 1].following
    counted = _differ(window.aig, [end[place] for place in window.counters], start)
    wrong.append(window.aig.conjunction(window.promised[-1].done, counted))
    return _from_start(window, wrong)


def _wrong_time(window: Window) -> int:
    """A result where no frame was, or none for a frame."""
    return _from_start(
        window, [window.aig.exclusive(promise.done, valid) for promise, valid, _ in _due(window)]
    )


def _wrong_slots(window: Window, layer: InputReduce) -> int:
    """A result that is not the first active pixels of its frame."""
    wrong = []
    for promise, _, payload in _due(window):
        if promise.done == FALSE:
            continue
        expected, found = _slots(window, layer, promise, payload)
        differs = [
            slot.differs(window.aig, other) for slot, other in zip(expected, found, strict=True)
        ]
        wrong.append(window.aig.conjunction(promise.done, window.aig.any(differs)))
    return _from_start(window, wrong)


def _due(window: Window) -> Iterator[tuple[Promise, int, list[int]]]:
    """What was taken, with valid bit and payload of when its result is due."""
    for promise, clock in zip(window.promised, window.found[window.delay :], strict=True):
        yield promise, window.one(clock, "o__valid"), window.unrolled.port(clock, "o__payload")


def _slots(
    window: Window, layer: InputReduce, promise: Promise, payload: Sequence[int]
) -> tuple[list[Slot], list[Slot]]:
    """Those that a frame should give, and those of a result."""
    expected = first_active(window.aig, _pixels(window, promise), layer, window.source)
    return expected, slots_of(payload, layer.infer(window.source))


def _pixels(window: Window, promise: Promise) -> list[list[int]]:
    bits, size = [bit for piece in promise.pieces for bit in piece], window.pixel_bits
    return [bits[at : at + size] for at in range(0, len(bits), size)]


def _from_start(window: Window, wrong: Sequence[int]) -> int:
    """Any of these, where a frame may begin in the first clock."""
    return window.aig.conjunction(window.one(window.found[0], "i__ready"), window.aig.any(wrong))


def _differ(aig: Aig, a: Sequence[int], b: Sequence[int]) -> int:
    return aig.any(aig.exclusive(x, y) for x, y in zip(a, b, strict=True))


def _shown(window: Window, layer: InputReduce, inputs: np.ndarray | None) -> Counterexample | None:
    """The image with a wrong result, where that is what the solver found."""
    if inputs is None:
        return None
    number, (channels, height, width) = window.source.element, window.source.shape
    assert isinstance(number, FixedPoint)
    for promise, _, payload in _due(window):
        sides = _slots(window, layer, promise, payload)
        fields = [bits for pixel in _pixels(window, promise) for bits in _split(pixel, channels)]
        for slots in sides:
            for slot in slots:
                fields += [[slot.used], *_split(slot.features, channels), slot.row, slot.column]
        literals = [promise.done, *(literal for bits in fields for literal in bits)]
        values, _ = evaluate(window.aig.program(literals), inputs[None].astype(np.int64))
        done, *bits = values[0].astype(int).tolist()
        rest = iter(bits)
        numbers = [sum(next(rest) << place for place in range(len(bits))) for bits in fields]
        pixels = np.array(numbers[: channels * height * width])
        expected, found = np.array(numbers[len(pixels) :]).reshape(2, layer.slots, channels + 3)
        # The place of a slot that is not used may be anything.
        found[:, -2:] = np.where(expected[:, :1] == 1, found[:, -2:], expected[:, -2:])
        if done and (expected != found).any():
            what = ["used", *(f"channel {c}" for c in range(channels)), "row", "column"]
            names = [f"slot {k} {name}" for k in range(layer.slots) for name in what]
            pixels = np.where(pixels > number.max_int, pixels - (1 << number.width), pixels)
            image = pixels.reshape(-1, channels).T.ravel()
            real = number.to_real(image)
            return Counterexample(image, names, expected.ravel(), found.ravel(), real)
    return None


def _split(bits: Sequence[int], parts: int) -> list[list[int]]:
    """Equal parts."""
    size = len(bits) // parts
    return [list(bits[k * size : (k + 1) * size]) for k in range(parts)]
