"""Drives a component with streams, and compares with the reference layer by layer."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from amaranth.hdl import Value
from amaranth.lib import data
from amaranth.sim import Simulator

from lgn_hdl.network import FixedPoint, Layer, TensorType
from lgn_hdl.reference.apply import apply
from lgn_hdl.reference.prepare import layer_tensors

#: How often the bench offers a sample and takes a result.
PACES = [(1.0, 1.0), (0.6, 0.4)]


def reference(layer: Layer, source: TensorType, samples: np.ndarray) -> np.ndarray:
    """What a layer makes of stored integers (B, ...)."""
    out = layer.infer(source)
    tensors = layer_tensors(layer, source.element, out.element)
    return apply(layer, tensors, [torch.tensor(samples)], source, out).numpy()


def bits(layout: data.Layout, value: Any) -> int:
    """A payload as an integer."""
    return layout.const(value).as_value().value


def sparse_value(sample: np.ndarray) -> dict[str, Any]:
    """The fields of (slots, C + 3), as the reference packs them."""
    return {
        "features": sample[:, :-3].tolist(),
        "row": sample[:, -3].tolist(),
        "column": sample[:, -2].tolist(),
        "valid": sum(int(used) << k for k, used in enumerate(sample[:, -1])),
    }


def seen(view: Any, kind: TensorType) -> Any:
    """Comparable form of a payload: places of unused slots do not count."""
    if not kind.masked:
        return [view[k] for k in range(kind.shape[0])]
    slots, channels = kind.shape
    out = []
    for k in range(slots):
        used = view["valid"] >> k & 1
        place = (view["row"][k], view["column"][k]) if used else None
        out.append(([view["features"][k][c] for c in range(channels)], place))
    return out


def expected(sample: np.ndarray, kind: TensorType) -> Any:
    """`seen` of what the reference gives."""
    if not kind.masked:
        return sample.tolist()
    return [(row[:-3], (row[-3], row[-2]) if row[-1] else None) for row in sample.tolist()]


def drive(
    block: Any, samples: list[int], results: int, *, offer: float, take: float, interval: int = 0
) -> tuple[list[int], list[tuple[int, Any]]]:
    """Clocks in which samples were taken, and results with the clock in which they appeared."""
    rng = random.Random(0)
    taken: list[int] = []
    found: list[tuple[int, Any]] = []
    interval = interval or block.interval

    async def bench(ctx) -> None:
        offered, held = False, None
        for clock in range(20 * interval * len(samples) + 40 * block.latency):
            offered = offered or (len(taken) < len(samples) and rng.random() < offer)
            noise = rng.getrandbits(len(Value.cast(block.i.payload)))
            ctx.set(Value.cast(block.i.payload), samples[len(taken)] if offered else noise)
            ctx.set(block.i.valid, offered)
            ready = rng.random() < take
            ctx.set(block.o.ready, ready)
            valid, accepts = ctx.get(block.o.valid), ctx.get(block.i.ready)
            value = ctx.get(Value.cast(block.o.payload))
            if held is not None:
                assert valid, "a result is withdrawn"
                assert value == held, "a result that waits must not change"
            elif valid:
                found.append((clock, ctx.get(block.o.payload)))
            held = value if valid and not ready else None
            if offered and accepts:
                taken.append(clock)
                offered = False
            if len(found) == results and held is None:
                return
            await ctx.tick()
        raise AssertionError(f"{len(found)} of {results} results came out")

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return taken, found


def check(block: Any, layer: Layer, source: TensorType, samples: np.ndarray) -> None:
    """A component that takes whole samples does what the reference does, in the clocks it states.

    Parameters
    ----------
    block : component
    layer : Layer
    source : TensorType
    samples : ndarray of int64, shape (B, ...)
        As the reference takes them.
    """
    kind = layer.infer(source)
    wanted = [expected(sample, kind) for sample in reference(layer, source, samples)]
    layout = block.i.payload.shape()
    form = sparse_value if source.masked else np.ndarray.tolist
    words = [bits(layout, form(sample)) for sample in samples]
    for offer, take in PACES:
        taken, found = drive(block, words, len(words), offer=offer, take=take)
        assert [seen(view, kind) for _, view in found] == wanted
        if offer == take == 1:
            assert {after - before for before, (after, _) in zip(taken, found, strict=True)} == {
                block.latency
            }
            assert {b - a for a, b in pairwise(taken)} <= {block.interval}


def sparse_samples(
    rng: np.random.Generator, kind: TensorType, samples: int, extremes: bool = True
) -> np.ndarray:
    """Sparse tensors (B, slots, C + 3): empty ones, full ones, ends of the format, gaps."""
    number = kind.element
    assert isinstance(number, FixedPoint)
    slots, channels = kind.shape
    out = np.zeros((samples, slots, channels + 3), np.int64)
    for n, sample in enumerate(out):
        sample[:, :-3] = rng.integers(number.min_int, number.max_int + 1, (slots, channels))
        if extremes and n % 3 == 1:
            sample[:, :-3] = rng.choice([number.min_int, number.max_int], (slots, channels))
        near = max(1, slots + slots // 2) if n % 2 else kind.frame[0] * kind.frame[1]
        size = min(max(near, slots), kind.frame[0] * kind.frame[1])
        cells = np.sort(rng.permutation(size)[:slots])
        sample[:, -3], sample[:, -2] = cells // kind.frame[1], cells % kind.frame[1]
        sample[:, -1] = rng.random(slots) < (0.0, 1.0, 0.7)[n % 3]
        sample[:, :-3] *= sample[:, -1:]
    return out
