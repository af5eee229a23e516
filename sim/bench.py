"""Drive a classifier through its streams and compare every block with what it should compute.

Samples are offered and results taken at random, so the pipeline stalls in every state. The bench
keeps its own picture of which sample stands where; a wrong latency is a mismatch like any other.
It stops at the first one and says which sample, block and bits.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge, Timer

from .elastic import Watch
from .vectors import Block, Vectors

CLOCK_NS = 10


class MismatchError(Exception):
    """The first difference: sample, block, bits, expected and found."""


@dataclass
class Progress:
    """What is left in result.json."""

    samples: int = 0
    cycles: int = 0
    stalls: int = 0
    mismatch: dict | None = field(default=None)

    def write(self) -> None:
        Path(os.environ["LGN_HDL_RESULT"]).write_text(json.dumps(self.__dict__))


def signal_at(dut, path: str):
    """The object at a dotted path below the top."""
    for name in path.split("."):
        dut = getattr(dut, name)
    return dut


def compare(block: Block, signal, sample: int, progress: Progress) -> None:
    """Compare one block's output with what it should be for `sample`."""
    value = signal.value
    expected = block.expected[sample]
    care = block.care[sample]
    found = int(value) if value.is_resolvable else None
    if found is not None and not (found ^ expected) & care:
        return
    if found is not None:
        wrong = [bit for bit in range(block.bits) if ((found ^ expected) & care) >> bit & 1]
    else:
        wrong = [i for i, c in enumerate(reversed(str(value))) if c not in "01"]
    progress.mismatch = {
        "sample": sample,
        "block": block.name,
        "bits": wrong[:64],
        "expected": hex(expected),
        "found": str(value) if found is None else hex(found),
    }
    raise MismatchError(str(progress.mismatch))


def check_streams(dut, progress: Progress, sample: int | None, *, valid: bool, ready: bool) -> None:
    """Stop the simulation if the handshake of a stream is not as expected in this clock."""
    if dut.o__valid.value != int(valid) or dut.i__ready.value != int(ready):
        progress.mismatch = {
            "sample": sample,
            "block": "stream",
            "bits": [],
            "expected": f"o.valid={int(valid)} i.ready={int(ready)}",
            "found": f"o.valid={dut.o__valid.value} i.ready={dut.i__ready.value}",
        }
        raise MismatchError(str(progress.mismatch))


@cocotb.test()
async def classifier_equals_reference(dut) -> None:
    """Every block gives the expected value for every sample, in order, at the stated latency."""
    vectors = Vectors.read(os.environ["LGN_HDL_VECTORS"])
    rng = random.Random(int(os.environ["LGN_HDL_SEED"]))
    progress = Progress()
    try:
        if vectors.elastic:
            await elastic(dut, vectors, rng, progress)
        elif vectors.overlaps:
            await in_turn(dut, vectors, rng, progress)
        elif vectors.interval > 1:
            await one_at_a_time(dut, vectors, rng, progress)
        elif vectors.latency:
            await pipelined(dut, vectors, rng, progress)
        else:
            await combinational(dut, vectors, rng, progress)
    finally:
        progress.write()


async def combinational(dut, vectors: Vectors, rng: random.Random, progress: Progress) -> None:
    signals = [signal_at(dut, block.path) for block in vectors.blocks]
    for sample, value in enumerate(vectors.steps):
        valid, ready = rng.random() < 0.8, rng.random() < 0.8
        dut.i__payload.value = value
        dut.i__valid.value = int(valid)
        dut.o__ready.value = int(ready)
        await Timer(CLOCK_NS, unit="ns")
        assert dut.o__valid.value == int(valid), "valid does not pass through"
        assert dut.i__ready.value == int(ready), "ready does not pass through"
        for block, signal in zip(vectors.blocks, signals, strict=True):
            compare(block, signal, sample, progress)
        progress.samples += 1
        progress.cycles += 1


async def reset(dut) -> None:
    """Start the clock; nothing is offered or taken."""
    dut.rst.value = 1
    dut.i__valid.value = 0
    dut.i__payload.value = 0
    dut.o__ready.value = 0
    Clock(dut.clk, CLOCK_NS, unit="ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0


async def one_at_a_time(dut, vectors: Vectors, rng: random.Random, progress: Progress) -> None:
    """Hardware that is folded: a sample is worked on for many clocks, then its result waits.

    A front end before it goes on by itself until a sample waits at its end.
    """
    (block,) = vectors.blocks
    signal = signal_at(dut, block.path)
    await reset(dut)
    sent, offered, waiting = 0, False, False
    begun: int | None = None  # the clock in which the sample of the next result met idle hardware
    latency = vectors.latency - vectors.front_latency
    # front[k] is the sample that k + 1 registers of the front end have taken in.
    front: list[int | None] = [None] * vectors.front_latency
    limit = 8 * (vectors.interval + 16) * (len(vectors.steps) + 1)
    for cycle in range(limit):
        if not offered and sent < len(vectors.steps):
            offered = rng.random() < 0.7
        dut.i__valid.value = int(offered)
        noise = rng.getrandbits(vectors.input_bits)
        dut.i__payload.value = vectors.steps[sent] if offered else noise
        ready = rng.random() < (0.1 if cycle // (4 * vectors.interval) % 3 == 2 else 0.8)
        dut.o__ready.value = int(ready)
        await ReadOnly()
        valid = bool(dut.o__valid.value)
        if valid:
            compare(block, signal, progress.samples, progress)
        if begun is not None and valid != (waiting or cycle - begun == latency):
            progress.mismatch = {
                "sample": progress.samples,
                "block": "stream",
                "bits": [],
                "expected": f"o.valid={int(not valid)} after {cycle - begun} clocks",
                "found": f"o.valid={int(valid)}",
            }
            raise MismatchError(str(progress.mismatch))
        moves = bool(dut.i__ready.value)
        accepted = offered and moves
        at = [vectors.completes[sent] if offered else None, *front]
        assert moves or front[-1:] != [None], "the front end stands still without a reason"
        await RisingEdge(dut.clk)
        progress.cycles += 1
        progress.stalls += valid and not ready
        taken = valid and ready
        progress.samples += taken
        waiting = valid and not ready
        if taken:
            begun = None
        if begun is None and at[-1] is not None and (taken or not valid):
            begun = cycle
        front = at[:-1] if moves else front
        sent += accepted
        offered = offered and not accepted
        if progress.samples == vectors.results:
            return
    raise AssertionError(f"only {progress.samples} samples came out in {progress.cycles} cycles")


async def in_turn(dut, vectors: Vectors, rng: random.Random, progress: Progress) -> None:
    """Hardware that begins with a sample every few clocks, while it still works on earlier ones.

    All its registers stand still together. A front end goes on until a sample waits at its end.
    """
    signals = [signal_at(dut, block.path) for block in vectors.blocks]
    await reset(dut)
    depth = vectors.front_latency
    front: list[int | None] = [None] * depth
    slots: list[int | None] = [None] * (vectors.latency - depth)
    step, offered, wait = 0, False, vectors.startup
    for cycle in range(16 * (vectors.interval + 4) * (len(vectors.steps) + len(slots)) + 1024):
        phase = cycle // (3 * vectors.interval + 5) % 4
        if not offered and step < len(vectors.steps):
            offered = rng.random() < (1.0 if phase == 0 else 0.5 / vectors.interval + 0.1)
        dut.i__valid.value = int(offered)
        # A payload without valid is noise that must not matter.
        noise = rng.getrandbits(vectors.input_bits)
        dut.i__payload.value = vectors.steps[step] if offered else noise
        full = slots[-1] is not None
        ready = rng.random() < {0: 1.0, 1: 0.7, 2: 0.95, 3: 0.1}[phase]
        dut.o__ready.value = int(ready)
        await ReadOnly()
        advance = ready or not full
        takes = advance and wait == 0
        ahead = [vectors.completes[step] if offered else None, *front]
        moves = takes or (depth > 0 and ahead[-1] is None)
        at = [ahead[-1] if takes else None, *slots]
        for block, signal in zip(vectors.blocks, signals, strict=True):
            sample = at[block.latency - depth]
            if sample is not None:
                compare(block, signal, sample, progress)
        check_streams(dut, progress, slots[-1] if full else step, valid=full, ready=moves)
        await RisingEdge(dut.clk)
        progress.cycles += 1
        progress.samples += full and ready
        progress.stalls += not advance
        if advance:
            slots = at[:-1]
            wait = vectors.interval - 1 if at[0] is not None else max(0, wait - 1)
        if moves:
            front = ahead[:-1] if depth else []
            step += offered
            offered = False
        if progress.samples == vectors.results:
            return
    raise AssertionError(f"only {progress.samples} samples came out in {progress.cycles} cycles")


async def elastic(dut, vectors: Vectors, rng: random.Random, progress: Progress) -> None:
    """Blocks with streams between them, each of which stands still when its result waits.

    At first every clock offers a step and takes a result: the first result of every block must come
    after its latency, the following ones of the last at the interval.
    """
    watches = [Watch(dut, block) for block in vectors.blocks]
    await reset(dut)
    step, offered, begun = 0, False, None
    appeared: list[int] = []
    calm = min(4, vectors.results)
    clocks = vectors.interval * vectors.results + vectors.latency
    for cycle in range(32 * (clocks + len(vectors.steps)) + 1024):
        busy = len(appeared) < calm
        phase = 0 if busy else cycle // (2 * vectors.interval + 7) % 4
        if not offered and step < len(vectors.steps):
            offered = rng.random() < {0: 1.0, 1: 0.9, 2: 0.3, 3: 1.0}[phase]
        dut.i__valid.value = int(offered)
        # A payload without valid is noise that must not matter.
        noise = rng.getrandbits(vectors.input_bits)
        dut.i__payload.value = vectors.steps[step] if offered else noise
        ready = rng.random() < {0: 1.0, 1: 0.9, 2: 1.0, 3: 0.03}[phase]
        dut.o__ready.value = int(ready)
        await ReadOnly()
        for watch in watches:
            watch.look(cycle, progress, compare)
        if watches[-1].arrived:
            appeared.append(cycle)
        accepted = offered and bool(dut.i__ready.value)
        if accepted and begun is None:
            begun = cycle
        await RisingEdge(dut.clk)
        progress.cycles += 1
        progress.stalls += watches[-1].waiting
        progress.samples = watches[-1].taken
        step += accepted
        offered = offered and not accepted
        if progress.samples == vectors.results:
            break
    else:
        raise AssertionError(f"only {progress.samples} samples came out")
    assert begun is not None
    check_times(vectors, begun, watches, appeared[:calm], progress)
    # Nothing more may come, from any block.
    dut.i__valid.value = 0
    for _ in range(vectors.latency + vectors.interval):
        await ReadOnly()
        for watch in watches:
            watch.look(progress.cycles, progress, compare)
        await RisingEdge(dut.clk)


def check_times(
    vectors: Vectors,
    begun: int,
    watches: list[Watch],
    appeared: list[int],
    progress: Progress,
) -> None:
    """Latency of every block's first result, interval of the last one's following ones, while
    nothing stood still.
    """
    for watch in watches:
        assert watch.first is not None, "every result has left every block"
        clocks = [begun + watch.block.latency]
        check_clocks(watch.block.name, clocks, [watch.first], begun, progress)
    first = begun + vectors.latency
    expected = [first + n * vectors.interval for n in range(len(appeared))]
    check_clocks("stream", expected, appeared, begun, progress)


def check_clocks(
    name: str, expected: list[int], found: list[int], begun: int, progress: Progress
) -> None:
    """Stop the simulation if results did not come in the clocks in which they should."""
    if found == expected:
        return
    progress.mismatch = {
        "sample": [a == b for a, b in zip(found, expected, strict=True)].index(False),
        "block": name,
        "bits": [],
        "expected": f"results in the clocks {[c - begun for c in expected]} after a sample",
        "found": str([c - begun for c in found]),
    }
    raise MismatchError(str(progress.mismatch))


async def pipelined(dut, vectors: Vectors, rng: random.Random, progress: Progress) -> None:
    signals = [signal_at(dut, block.path) for block in vectors.blocks]
    await reset(dut)
    # slots[k] is the sample that k + 1 registers have taken in, None for a bubble.
    slots: list[int | None] = [None] * vectors.latency
    step = 0
    offered = False
    # Phases of full throughput, of random stalls, and of a consumer that hardly listens.
    for cycle in range(64 * (len(vectors.steps) + vectors.latency) + 1024):
        phase = cycle // 12 % 4
        offer = 1.0 if phase == 0 else 0.7
        take = {0: 1.0, 1: 0.7, 2: 0.95, 3: 0.25}[phase]
        if not offered and step < len(vectors.steps):
            offered = rng.random() < offer
        dut.i__valid.value = int(offered)
        # A payload without valid is noise that must not matter.
        noise = rng.getrandbits(vectors.input_bits)
        dut.i__payload.value = vectors.steps[step] if offered else noise
        ready = rng.random() < take
        dut.o__ready.value = int(ready)
        await ReadOnly()
        full = slots[-1] is not None
        advance = ready or not full
        # A step that completes no sample is a bubble, whatever it holds.
        at = [vectors.completes[step] if offered else None, *slots]
        for block, signal in zip(vectors.blocks, signals, strict=True):
            sample = at[block.latency]
            if sample is not None:
                compare(block, signal, sample, progress)
        check_streams(dut, progress, slots[-1] if full else step, valid=full, ready=advance)
        await RisingEdge(dut.clk)
        progress.cycles += 1
        progress.samples += full and ready
        progress.stalls += not advance
        if advance:
            slots = at[:-1]
            step += offered
            offered = False
        if progress.samples == vectors.results:
            return
    raise AssertionError(f"only {progress.samples} samples came out in {progress.cycles} cycles")
