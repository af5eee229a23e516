"""Ports between blocks beyond 32,768 bits are split; nothing else changes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from amaranth.back import rtlil
from circuits import placed

from lgn_hdl.hdl import Classifier
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


@pytest.mark.parametrize("levels", [None, 1])
def test_conversion_of_a_wide_network(levels: int | None) -> None:
    program = xor_of_neighbours(33_000, classes=3)
    pipeline = placed(program, levels)
    text = rtlil.convert(
        Classifier(program=program, pipeline=pipeline, argmax=True), name="top", emit_src=False
    )
    for module, ports in {
        "top.binarizer": {"o0", "o1"},
        "top.gates": {"i0", "i1", "o0", "o1"},
        "top.groupsum": {"i0", "i1"},
    }.items():
        body = re.search(rf"^module \\{re.escape(module)}$(.*?)^end$", text, re.M | re.S)
        if body is None:
            assert module == "top.binarizer"  # it only passes wires on
            continue
        assert ports <= set(re.findall(r"wire width \d+ (?:input|output) \d+ \\(\w+)", body[1]))
        widths = [int(w) for w in re.findall(r"wire width (\d+)", body[1])]
        assert max(widths) <= 33_000
