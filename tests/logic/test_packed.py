"""Packed bits against Python integers."""

from __future__ import annotations

import numpy as np
import pytest

from lgn_hdl.logic.packed import WORD, pack, transpose_octets, unpack

SHAPES = [(0, 3), (1, 1), (7, 9), (64, 8), (65, 7), (200, 0), (130, 33), (700, 16)]


def random_bits(samples: int, signals: int) -> np.ndarray:
    return np.random.default_rng(samples * 1000 + signals).integers(0, 2, (samples, signals)) == 1


@pytest.mark.parametrize(("samples", "signals"), SHAPES)
@pytest.mark.parametrize("spare", [0, 2])
def test_sample_s_is_bit_s_of_the_row(samples: int, signals: int, spare: int) -> None:
    bits = random_bits(samples, signals)
    words = -(-samples // 64) + spare
    rows = pack(bits, words)
    assert (rows.shape, rows.dtype) == ((signals, words), WORD)
    for row, column in zip(rows.tolist(), bits.T.tolist(), strict=True):
        number = sum(word << 64 * w for w, word in enumerate(row))
        assert number == sum(bit << s for s, bit in enumerate(column))


@pytest.mark.parametrize(("samples", "signals"), SHAPES)
@pytest.mark.parametrize("spare", [0, 2])
def test_unpack_is_the_way_back(samples: int, signals: int, spare: int) -> None:
    bits = random_bits(samples, signals)
    found = unpack(pack(bits, -(-samples // 64) + spare), samples)
    assert found.dtype == bool
    assert np.array_equal(found, bits)


def test_unpack_takes_any_rows() -> None:
    rows = pack(random_bits(100, 10), 2)
    chosen = np.array([3, 3, 0])
    assert np.array_equal(unpack(rows[chosen], 100), random_bits(100, 10)[:, chosen])


def test_transposed_octets() -> None:
    octets = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 5)).astype(np.uint8)
    found = transpose_octets(octets)
    assert found.shape == (3, 2, 5, 8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little").reshape(3, 2, 8, 5, 8)
    back = np.unpackbits(found, axis=-1, bitorder="little").reshape(3, 2, 5, 8, 8)
    assert np.array_equal(back, np.moveaxis(bits, 2, -1))
