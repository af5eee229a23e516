"""Blocks as RTLIL of their vectors: proved equal to what Amaranth makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockDomain, Elaboratable, Instance, Module, Mux, Signal, signed
from amaranth.hdl._ir import Fragment, PortDirection
from circuits import placed
from programs import random_program, without_negative_scores

from lgn_hdl.errors import ToolError
from lgn_hdl.flow import find_yosys
from lgn_hdl.hdl import Classifier, to_rtlil
from lgn_hdl.hdl.vectors import vector_rtlil
from lgn_hdl.logic import LogicProgram, optimize
from lgn_hdl.logic.compressor import Style
from lgn_hdl.network import FixedPoint

_READ = """\
read_rtlil {name}.il
hierarchy -check -top top
proc
flatten
opt_clean
rename top {name}
design -stash {name}
"""
_COMPARE = """\
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
equiv_make gold gate equiv
equiv_simple
equiv_induct
equiv_status -assert
"""


def prove_equal(gold: str, gate: str, folder: Path) -> None:
    """Modules `top` of the same registers: equal in every clock."""
    (folder / "gold.il").write_text(gold)
    (folder / "gate.il").write_text(gate)
    script = _READ.format(name="gold") + _READ.format(name="gate") + _COMPARE
    find_yosys().run(script, folder, name="equiv")


def network(seed: int, form: FixedPoint, k: int) -> LogicProgram:
    program = random_program(
        np.random.default_rng(seed),
        form=form,
        features=8,
        inputs=14,
        gates=60,
        k=k,
        bits=5,
        classes=3,
        terms=16,
        constants=False,
    )
    program, _ = optimize(without_negative_scores(program))
    assert program.num_gates > 5
    return program


@pytest.mark.parametrize("levels", [None, 1, 3])
@pytest.mark.parametrize("style", ["full-adders", "counters"])
@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize(
    "form", [FixedPoint(1), FixedPoint(3), FixedPoint(3, signed=True)], ids=str
)
def test_equal_to_what_amaranth_makes(
    form: FixedPoint, k: int, style: Style, levels: int | None, tmp_path: Path
) -> None:
    program = network(k, form, k)
    pipeline = placed(program, levels, style=style)

    def top() -> Classifier:
        return Classifier(program=program, pipeline=pipeline, argmax=True)

    gold = rtlil.convert(top(), name="top", emit_src=False)
    gate = to_rtlil(top())
    assert "cell $dffe" in gate or not pipeline.latency
    assert "cell $dffe" not in gold
    prove_equal(gold, gate, tmp_path)


def test_the_proof_is_one(tmp_path: Path) -> None:
    program = network(2, FixedPoint(1), 2)
    right = to_rtlil(Classifier(program=program, pipeline=placed(program), argmax=True))
    wrong = right.replace("cell $or ", "cell $xor ", 1)
    assert wrong != right
    with pytest.raises(ToolError):
        prove_equal(right, wrong, tmp_path)


@pytest.mark.parametrize("levels", [None, 2])
def test_outputs_beyond_the_limit_are_joined(
    levels: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same small classifier with lower limits: instances are written in parts."""
    program = network(1, FixedPoint(1), 2)
    monkeypatch.setattr("lgn_hdl.hdl.wide._LIMIT", 5)
    pipeline = placed(program, levels)

    def top() -> Classifier:
        return Classifier(program=program, pipeline=pipeline, argmax=True)

    gold = to_rtlil(top())
    monkeypatch.setattr("lgn_hdl.hdl.modules.MAX_PAYLOAD_BITS", 12)
    text = to_rtlil(top())
    assert text.count("cell \\top_gates ") == 1
    assert "$part" not in text
    assert "cell \\top.argmax " in text  # no vector block, and too wide for a top of its own
    assert text != gold
    prove_equal(gold, text, tmp_path)


class Block(Elaboratable):
    """A block of one kind of statement."""

    def __init__(self, kind: str):
        self.kind = kind
        self.i, self.o = Signal(4), Signal(4)
        self.ports = {
            "i": (self.i, PortDirection.Input),
            "o": (self.o, PortDirection.Output),
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, o = self.i, self.o
        register = Signal(4, reset_less=self.kind != "a reset")
        number = Signal(signed(4))
        match self.kind:
            case "operators":
                part = Signal(4)
                m.d.comb += part.eq(i[:2] ^ i)
                m.d.comb += o.eq(~(part | Cat(i[3], part[1:3], i[0])) & 0b0111)
            case "multiplexer":
                m.d.comb += o.eq(Cat(Mux(i[3], i[0], i[1]), i[1:3]))
            case "equal names":
                first, second = (Signal(4, name="i") for _ in range(2))
                m.d.comb += [first.eq(~i), second.eq(first & i), o.eq(second)]
            case "a slice of a slice":
                m.d.comb += o.eq(Cat(i[1:][1:][0], i[:3][1:]))
            case "a register" | "a reset":
                m.d.sync += register.eq(i)
                m.d.comb += o.eq(register)
            case "an instance":
                out = Signal(4)
                m.submodules.inner = Instance("inner", i_a=i, o_y=out)
                m.d.comb += o.eq(out)
            case "an instance with a parameter":
                m.submodules.inner = Instance("inner", p_N=1, i_a=i, o_y=o)
            case "a condition":
                with m.If(i[0]):
                    m.d.comb += o.eq(i)
            case "a part of a signal":
                m.d.comb += o[1:].eq(i)
            case "two statements":
                m.d.comb += [o.eq(i), o.eq(~i)]
            case "a signed number":
                m.d.comb += [number.eq(i), o.eq(number)]
            case "a signed constant":
                m.d.comb += o.eq(i ^ -1)
            case "too many bits":
                m.d.comb += o.eq(Cat(i, i))
            case "arithmetic":
                m.d.comb += o.eq(i + 1)
            case "a comparison":
                m.d.comb += o.eq(i > 3)
            case "another domain":
                m.domains.other = ClockDomain()
                m.d.other += o.eq(i)
            case "a submodule":
                m.submodules.inner = Block("operators")
                m.d.comb += o.eq(i)
            case "an undriven output":
                pass
            case "an undriven signal":
                m.d.comb += o.eq(Signal(4))
        return m


def text_of(block: Block) -> str | None:
    return vector_rtlil(Fragment.get(block, None), name="top", ports=block.ports)


@pytest.mark.parametrize(
    "kind", ["operators", "multiplexer", "equal names", "a slice of a slice", "a register"]
)
def test_statements(kind: str, tmp_path: Path) -> None:
    block, text = Block(kind), text_of(Block(kind))
    assert text is not None
    gold = rtlil.convert(block, name="top", ports=block.ports, emit_src=False)
    prove_equal(gold, text, tmp_path)


def test_an_instance_is_a_cell() -> None:
    text = text_of(Block("an instance"))
    assert text is not None
    assert "cell \\inner \\inner\n    connect \\a \\i\n    connect \\y \\out\n  end" in text


@pytest.mark.parametrize(
    "kind",
    [
        "a reset",
        "an instance with a parameter",
        "a condition",
        "a part of a signal",
        "two statements",
        "a signed number",
        "a signed constant",
        "too many bits",
        "arithmetic",
        "a comparison",
        "another domain",
        "a submodule",
        "an undriven output",
        "an undriven signal",
    ],
)
def test_anything_else_is_left_to_amaranth(kind: str) -> None:
    assert text_of(Block(kind)) is None
