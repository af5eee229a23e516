# amaranth: UnusedElaboratable=no
"""Input reduction of small frames, proved for every image; and whatever is wrong with it, found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from amaranth.hdl import Const, Module, Mux, Signal
from truth import every_pattern, number, values

from lgn_hdl.errors import VerifyError
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.hdl.sparse import FrameReduce, RowReduce, compact, reduce, rowreduce, search, steps
from lgn_hdl.hdl.sparse.steps import Held
from lgn_hdl.network import FixedPoint, InputReduce, TensorType
from lgn_hdl.proof import Refuted, prove_reduction
from lgn_hdl.proof.aig import Aig
from lgn_hdl.proof.claims import Claim
from lgn_hdl.proof.slots import first_active
from lgn_hdl.reference.sparse import input_reduce

BIT, PAIR, SIGNED = FixedPoint(1), FixedPoint(2, 1), FixedPoint(3, 2, signed=True)


def frame(height: int, width: int, number: FixedPoint = BIT, channels: int = 1) -> TensorType:
    return TensorType((channels, height, width), number)


def check(
    folder: Path, layer: InputReduce, source: TensorType, rows: int | None, **options: Any
) -> list[Claim]:
    """Prove `RowReduce`, or `FrameReduce` with so many rows a clock."""
    if rows is None:
        block: Any = RowReduce(layer=layer, source=source)
    else:
        block = FrameReduce(layer=layer, source=source, rows=rows)
    promised = {"latency": block.latency, "interval": block.interval}
    (folder / "top.il").write_text(to_rtlil(block))
    return prove_reduction(
        layer, source, folder / "top.il", folder / "proof", **{**promised, **options}
    )


@pytest.mark.parametrize("rows", [None, 2])
@pytest.mark.parametrize(
    ("layer", "source"),
    [
        (InputReduce(2), frame(3, 2)),
        (InputReduce(3, 0.5), frame(3, 3, PAIR)),
        (InputReduce(9), frame(3, 3)),  # as many slots as pixels
        (InputReduce(2, -0.6), frame(3, 2, SIGNED, channels=2)),  # zero is active
        (InputReduce(4, -2.0), frame(4, 3, SIGNED)),  # every number is active
        (InputReduce(2, 5.0), frame(3, 3, PAIR)),  # no number is
    ],
    ids=str,
)
def test_every_image_of_a_small_frame(
    layer: InputReduce, source: TensorType, rows: int | None, tmp_path: Path
) -> None:
    claims = check(tmp_path, layer, source, rows)
    assert [claim.proved for claim in claims] == [True] * 5


@pytest.mark.parametrize("rows", [1, 3])
def test_every_image_one_or_all_rows_a_clock(rows: int, tmp_path: Path) -> None:
    assert all(c.proved for c in check(tmp_path, InputReduce(3, 0.5), frame(3, 3, PAIR), rows))


@pytest.mark.parametrize("pixels", [1, 2])
def test_every_image_in_parts_of_rows(pixels: int, tmp_path: Path) -> None:
    layer, source = InputReduce(3, 0.5), frame(2, 4, PAIR)
    block = RowReduce(layer=layer, source=source, pixels=pixels)
    (tmp_path / "top.il").write_text(to_rtlil(block))
    claims = prove_reduction(
        layer,
        source,
        tmp_path / "top.il",
        tmp_path / "proof",
        latency=block.latency,
        interval=block.interval,
    )
    assert [claim.proved for claim in claims] == [True] * 5


@pytest.mark.parametrize("rows", [None, 1])
def test_one_pixel(rows: int | None, tmp_path: Path) -> None:
    assert all(c.proved for c in check(tmp_path, InputReduce(1), frame(1, 1, PAIR), rows))


def test_a_row_of_several_groups(tmp_path: Path) -> None:
    """Twenty pixels: four groups, two levels of the prefix sum."""
    assert all(c.proved for c in check(tmp_path, InputReduce(4), frame(1, 20), None))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slots", "source", "rows"),
    [
        (5, frame(4, 4, PAIR), None),
        (16, frame(4, 4), None),
        (5, frame(4, 4, PAIR), 3),
        (6, frame(2, 14), None),
        (8, frame(1, 32), None),
    ],
)
def test_larger_frames(slots: int, source: TensorType, rows: int | None, tmp_path: Path) -> None:
    assert all(c.proved for c in check(tmp_path, InputReduce(slots), source, rows, pauses=1))


@pytest.mark.parametrize("slots", [1, 3, 6])
def test_what_is_proved_is_the_reference(slots: int) -> None:
    """For every image of 2 x 3 pixels of two bits."""
    layer, source = InputReduce(slots, 0.5), frame(2, 3, PAIR)
    aig = Aig(12)
    pixels = [aig.inputs[k : k + 2] for k in range(0, 12, 2)]
    found = first_active(aig, pixels, layer, source)
    images = np.stack([number(every_pattern(12)[:, k : k + 2]) for k in range(0, 12, 2)], axis=1)
    images = torch.tensor(images.reshape(-1, 1, 2, 3))
    expected = input_reduce(images, slots, torch.tensor(1))
    for k, slot in enumerate(found):
        used = expected.used[:, k].numpy()
        assert np.array_equal(values(aig, [slot.used])[:, 0], used)
        features = number(values(aig, slot.features))
        assert np.array_equal(features, expected.features[:, k, 0].numpy())
        for bits, axis in ((slot.row, 0), (slot.column, 1)):
            place = number(values(aig, bits))
            assert np.array_equal(place[used], expected.place[used, k, axis].numpy())


def _without_long_moves(original: Callable[..., Any]) -> Callable[..., Any]:
    """Pixels that should move by three, or by three times a power of four, are lost."""

    def moved(m: Any, lanes: Any, at: int, low: int, high: int, name: str) -> Any:
        return original(m, lanes[: at + (3 << low)], at, low, high, name)

    return moved


def _appends_one_too_far(original: Callable[..., Any]) -> Callable[..., Any]:
    def append(m: Any, kept: Any, count: Any, *rest: Any) -> Any:
        return original(m, kept, (count + count[0])[: len(count)], *rest)

    return append


def _counts_too_far(original: Callable[..., Any]) -> Callable[..., Any]:
    """The number of pixels that are kept runs over instead of staying at the largest."""

    def saturated(m: Any, value: Any, largest: int, name: str) -> Any:
        out = Signal(largest.bit_length(), name=name)
        m.d.comb += out.eq(value)
        return out

    return saturated


def _not_strict(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, number, limit: original(value, number, limit - 1)


def _keeps_old_places(original: Callable[..., Any]) -> Callable[..., Any]:
    """The data of slots that are not used are those of the frame before."""
    return lambda select, one, zero: original(
        select, zero if isinstance(one, int) and len(zero) == 6 else one, zero
    )


WRONG_SLOTS = {
    "a move is lost": (compact, "_moved", _without_long_moves),
    "appended too far": (reduce, "append", _appends_one_too_far),
    "counted too far": (reduce, "saturated", _counts_too_far),
    "threshold not strict": (search, "above", _not_strict),
    "unused slots not zero": (reduce, "Mux", _keeps_old_places),
}


@pytest.mark.parametrize("name", WRONG_SLOTS)
def test_a_wrong_pixel_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function, change = WRONG_SLOTS[name]
    monkeypatch.setattr(module, function, change(getattr(module, function)))
    source = frame(3, 5)
    with pytest.raises(Refuted, match="slots = first active pixels: refuted") as error:
        check(tmp_path, InputReduce(3), source, None)
    example = error.value.counterexample
    assert example is not None
    image = torch.tensor(example.features).reshape(1, *source.shape)
    wanted = input_reduce(image, 3, torch.tensor(0))
    expected = example.expected.reshape(3, 4)  # used, feature, row, column
    assert np.array_equal(expected[:, 0], wanted.used[0])
    assert np.array_equal(expected[:, 1], wanted.features[0, :, 0])
    places = expected[wanted.used[0].numpy(), 2:]
    assert np.array_equal(places, wanted.place[0][wanted.used[0]])
    assert (example.found != example.expected).any()
    assert re.search(r"slot \d \w+.* = \d, expected \d", str(error.value))


def _always(original: Callable[..., Any]) -> Callable[..., Any]:
    """Registers that move whether a result waits or not."""
    return lambda advance: lambda m: m


def _never_reset(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, reset=False, **options: original(*args, **options)


@pytest.mark.parametrize("rows", [None, 2])
@pytest.mark.parametrize(
    ("function", "change", "claim"),
    [
        ("EnableInserter", _always, "all stands still while a result waits"),
        ("delayed", _never_reset, "rst empties it"),
    ],
)
def test_a_wrong_handshake_is_found(
    function: str,
    change: Callable[..., Any],
    claim: str,
    rows: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, function, change(getattr(steps, function)))
    with pytest.raises(Refuted, match=f"{claim}: refuted"):
        check(tmp_path, InputReduce(2), frame(3, 3), rows)


@pytest.mark.parametrize("rows", [None, 1])
def test_a_promise_that_is_not_kept_is_found(rows: int | None, tmp_path: Path) -> None:
    layer, source = InputReduce(2), frame(3, 3)
    kind = RowReduce if rows is None else FrameReduce
    options = {} if rows is None else {"rows": rows}
    latency = kind(layer=layer, source=source, **options).latency
    for wrong in (latency - 1, latency + 1):
        with pytest.raises(Refuted, match=r"a result for each frame, and no other|rst empties it"):
            check(tmp_path, layer, source, rows, latency=wrong)
    with pytest.raises(Refuted, match="pieces are taken when promised: refuted"):
        check(tmp_path, layer, source, rows, interval=6)


class ForgetsRows(RowReduce):
    """After a frame with as many pauses the next one does not begin at its first row."""

    pauses = 0

    def _held(self, m: Module, free: Signal) -> Held:
        row, last, paused = Signal(range(self._height)), Signal(), Signal(2)
        m.d.comb += [free.eq(1), last.eq(row == self._height - 1)]
        with m.If(self.i.valid):
            m.d.sync += row.eq(Mux(last, paused == self.pauses, row + 1))
            m.d.sync += paused.eq(Mux(last, 0, paused))
        with m.Elif((paused < self.pauses) & (row != 0)):
            m.d.sync += paused.eq(paused + 1)
        return Held(self.i.payload, None, row, self.i.valid, row == 0, last)


@pytest.mark.parametrize("pauses", [0, 2])
def test_a_frame_that_ends_with_the_window(pauses: int, tmp_path: Path) -> None:
    layer, source = InputReduce(2), frame(2, 2)
    block = ForgetsRows(layer=layer, source=source)
    block.pauses = pauses
    (tmp_path / "top.il").write_text(to_rtlil(block))
    options = {"latency": block.latency, "interval": block.interval, "pauses": pauses}
    with pytest.raises(Refuted, match="pieces are taken when promised: refuted"):
        prove_reduction(layer, source, tmp_path / "top.il", tmp_path / "proof", **options)
    honest = check(tmp_path, layer, source, None, pauses=pauses)
    assert all(claim.proved for claim in honest)


def test_rows_counted_wrong_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last row of a frame the next row is not the first one."""
    monkeypatch.setattr(
        rowreduce,
        "Mux",
        lambda s, a, b: Mux(s, Const(1), b) if a == 0 and len(b) == 3 else Mux(s, a, b),
    )
    with pytest.raises(Refuted, match="pieces are taken when promised: refuted"):
        check(tmp_path, InputReduce(2), frame(3, 3), None)


def test_another_frame_is_an_error(tmp_path: Path) -> None:
    block = RowReduce(layer=InputReduce(2), source=frame(3, 3))
    (tmp_path / "top.il").write_text(to_rtlil(block))
    promised = {"latency": block.latency, "interval": block.interval}
    with pytest.raises(VerifyError, match="a payload has 3 bits, expected 16 or 4: a frame or"):
        prove_reduction(
            InputReduce(2), frame(4, 4), tmp_path / "top.il", tmp_path / "proof", **promised
        )
