"""Ports between blocks beyond 32,768 bits are split; nothing else changes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from circuits import placed
from test_classifier import check

from lgn_hdl.hdl import Classifier, to_rtlil
from lgn_hdl.hdl.wide import port_names
from lgn_hdl.logic import LogicProgram, WeightedSums
from lgn_hdl.network import FixedPoint


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (0, [("o", 0)]),
        (1, [("o", 1)]),
        (32_768, [("o", 32_768)]),
        (32_769, [("o0", 32_768), ("o1", 1)]),
        (100_000, [("o0", 32_768), ("o1", 32_768), ("o2", 32_768), ("o3", 1696)]),
    ],
)
def test_names(width: int, names: list[tuple[str, int]]) -> None:
    assert port_names("o", width) == names


def xor_of_neighbours(width: int, classes: int) -> LogicProgram:
    """As many gates as inputs; a few of them are counted, all of them leave."""
    left = np.arange(width, dtype=np.int32)
    counted = np.arange(8 * classes, dtype=np.int32) * (width // (8 * classes)) + 2 + width
    return LogicProgram(
        FixedPoint(1),
        width,
        left,
        np.zeros(width, np.int64),
        np.stack([left + 2, np.roll(left, 1) + 2], axis=1),
        np.full(width, 2, np.uint8),
        np.full(width, 0b0110, np.uint64),
        left + 2 + width,
        WeightedSums(
            np.arange(classes + 1, dtype=np.int64) * 8,
            counted,
            np.ones(8 * classes, np.int64),
            np.zeros(classes, np.int64),
        ),
    ).check()


@pytest.mark.parametrize("limit", [1, 5, 16])
def test_split_ports_carry_the_same_bits(limit: int, monkeypatch) -> None:
    """The same small classifier with a lower limit, so that all its ports are split."""
    monkeypatch.setattr("lgn_hdl.hdl.wide._LIMIT", limit)
    program = xor_of_neighbours(40, classes=3)
    assert len(port_names("o", program.num_inputs)) == -(-40 // limit)
    check(program, placed(program, 1), argmax=True, offer=0.8, take=0.8)


@pytest.mark.slow
def test_a_block_may_have_more_inputs_than_the_top() -> None:
    """Every pair of 370 bits: most leave, the others are counted; the sums see them all."""
    a, b = np.triu_indices(370, 1)
    gates, leaving = len(a), 61_000
    program = replace(
        xor_of_neighbours(370, classes=1),
        fanin=np.stack([a, b], axis=1).astype(np.int32) + 2,
        arity=np.full(gates, 2, np.uint8),
        table=np.full(gates, 0b0110, np.uint64),
        bits=np.arange(leaving, dtype=np.int32) + 372,
        sums=WeightedSums(
            np.array([0, gates - leaving]),
            np.arange(leaving, gates, dtype=np.int32) + 372,
            np.ones(gates - leaving, np.int64),
            np.zeros(1, np.int64),
        ),
    ).check()
    assert len(program.roots) == gates > 65_530
    block = Classifier(program=program, pipeline=placed(program), argmax=True)
    text = to_rtlil(block)
    assert "wire width 32768 \\roots0" in text
    assert f"wire width {gates - 2 * 32_768} \\roots2" in text
    for block, ports in ("gates", "o0 o1 o2"), ("groupsum", "i0 i1 i2"), ("argmax", "i"):
        (cell,) = re.findall(rf"  cell \\top_{block} .*?\n  end\n", text, re.DOTALL)
        assert all(f"connect \\{port} " in cell for port in ports.split())
