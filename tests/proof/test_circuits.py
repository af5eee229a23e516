"""Hardware next to its network: ports that fit, small changes of the RTL that are not proved."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import classifier

from lgn_hdl.compiler.design import Design, plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.errors import LgnError, VerifyError
from lgn_hdl.flow import synthesize
from lgn_hdl.hdl import Classifier, to_rtlil
from lgn_hdl.logic import WeightedSums
from lgn_hdl.network import FixedPoint
from lgn_hdl.proof import Refuted, prove
from lgn_hdl.proof.circuits import Circuits


@pytest.fixture(scope="module")
def design() -> Design:
    options = BuildOptions(levels_per_stage=2)
    return plan(classifier(element=FixedPoint(2), classes=2), options.resolved())


def check(design: Design, folder: Path, text: str, mapped: Path | None = None) -> None:
    """Prove RTL, all claims of it."""
    rtl = folder / "top.il"
    rtl.write_text(text)
    parts = design.network, design.program, design.pipeline
    claims = prove(*parts, rtl, folder / "proof", argmax=True, mapped=mapped)
    assert all(claim.proved for claim in claims)


def rtl_of(design: Design) -> str:
    top = Classifier(program=design.program, pipeline=design.pipeline, argmax=True)
    return to_rtlil(top)


def _with_cells(text: str, cells: str) -> str:
    return text.replace("  cell \\top_gates ", cells + "  cell \\top_gates ", 1)


def _gate(kind: str, a: str, b: str, y: str) -> str:
    widths = "".join(f"    parameter \\{port} 1\n" for port in ("A_WIDTH", "B_WIDTH", "Y_WIDTH"))
    signs = "    parameter \\A_SIGNED 0\n    parameter \\B_SIGNED 0\n"
    nets = f"    connect \\A {a}\n    connect \\B {b}\n    connect \\Y {y}\n"
    return f"  wire {y}\n  cell ${kind} ${kind}_{y[1:]}\n{signs}{widths}{nets}  end\n"


def _turned_by_a_stall(text: str) -> str:
    """The class is wrong in a clock in which the consumer wants what it did not want before."""
    last = """\
  wire \\next
  wire \\last
  cell $mux $next
    parameter \\WIDTH 1
    connect \\A \\last
    connect \\B \\o__ready
    connect \\S \\i__ready
    connect \\Y \\next
  end
  cell $dff $last
    parameter \\WIDTH 1
    parameter \\CLK_POLARITY 1
    connect \\D \\next
    connect \\CLK \\clk
    connect \\Q \\last
  end
"""
    cells = last + _gate("xor", "\\last", "\\o__ready", "\\changed")
    cells += _gate("xor", "\\changed", "\\winner", "\\wrong")
    return _with_cells(text, cells).replace("[5:0] \\winner [0] }", "[5:0] \\wrong }", 1)


def _with_input(text: str) -> str:
    """Another input, which turns the class around."""
    text = text.replace("input 4  \\rst\n", "input 4  \\rst\n  wire input 8 \\test\n", 1)
    cells = _gate("xor", "\\test", "\\winner", "\\wrong")
    return _with_cells(text, cells).replace("[5:0] \\winner [0] }", "[5:0] \\wrong }", 1)


def _in(place: str, old: str, new: str) -> Callable[[str], str]:
    """The first `old` after `place`."""

    def change(text: str) -> str:
        before, found, after = text.partition(place)
        return before + found + after.replace(old, new, 1)

    return change


def _wide(text: str) -> str:
    """An output of one bit more, which stays out of what the fields are read from."""
    text = re.sub(r"wire width 7 (output \d+  \\o__payload)\n", r"wire width 8 \1\n", text, count=1)
    return text.replace("\\Q \\o__payload\n", "\\Q \\o__payload [6:0]\n", 1).replace(
        "attribute \\init 7'0000000\n", ""
    )


TOP = "module \\top\n"
CHANGES: dict[str, tuple[Callable[[str], str], type[LgnError], str]] = {
    "a clock of its own": (
        _in("\\D $2 [5:0]", "\\CLK \\clk", "\\CLK \\i__valid"),
        VerifyError,
        "is not the port clk",
    ),
    "a reset that is active low": (
        _in("switch \\rst", "case 1'1", "case 1'0"),
        VerifyError,
        "is held in reset while rst is low",
    ),
    "a result that depends on the stall": (_turned_by_a_stall, Refuted, "from|reached through"),
    "another input": (_with_input, VerifyError, "port test is an input 1 wide, expected not there"),
    "an output too wide": (
        _wide,
        VerifyError,
        "port o__payload is an output 8 wide, expected an output 7 wide",
    ),
    "no valid": (
        lambda text: text.replace("\\o__valid", "\\valid_out"),
        VerifyError,
        "port o__valid is not there, expected an output 1 wide",
    ),
    "a result of x": (
        _in(TOP, "[5:0] \\winner [0] }", "[5:0] 1'x }"),
        LgnError,
        "is read and has no value",
    ),
    "a second driver that is optimised away": (
        _in(TOP, "assign $4 [6:0] { \\scores", "assign \\o__payload [6:0] { \\scores"),
        VerifyError,
        "multiple conflicting drivers",
    ),
}


def test_the_hardware_itself_is_proved(design: Design, tmp_path: Path) -> None:
    check(design, tmp_path, rtl_of(design))


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_rtl_is_not_proved(name: str, design: Design, tmp_path: Path) -> None:
    change, error, message = CHANGES[name]
    text = rtl_of(design)
    changed = change(text)
    assert changed != text
    with pytest.raises(error, match=message):
        check(design, tmp_path, changed)


def test_a_wrong_lut_is_shown_by_a_sample(design: Design, tmp_path: Path) -> None:
    """The RTL is right: the sample has to come from the LUTs."""
    text = rtl_of(design)
    (tmp_path / "top.il").write_text(text)
    mapped = synthesize(tmp_path / "top.il", "lut4", tmp_path, by_block=False).generic_luts
    assert mapped is not None
    check(design, tmp_path, text, mapped)
    right = mapped.read_text()
    table = re.search(r"parameter \\LUT 16'([01]{16})", right)
    assert table is not None
    mapped.write_text(right.replace(table[1], table[1].translate(str.maketrans("01", "10")), 1))
    with pytest.raises(Refuted) as info:
        check(design, tmp_path, text, mapped)
    assert info.value.claim == "LUTs = RTL"
    found = info.value.counterexample
    assert found is not None
    assert not np.array_equal(found.expected, found.found)


def test_a_program_of_another_shape_is_refused(design: Design) -> None:
    sums = design.program.sums
    more = WeightedSums(
        np.append(sums.start, sums.start[-1]), sums.signal, sums.weight, np.append(sums.constant, 0)
    )
    for program in (
        replace(design.program, sums=more),
        replace(design.program, bits=np.zeros(1, np.int32)),
    ):
        with pytest.raises(VerifyError, match=r"the program has \(sums, bits\) .*, the network"):
            Circuits.of(design.network, program, design.pipeline, True)
