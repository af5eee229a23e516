"""A small build, and one thing changed in it: a table bit, a wire, a weight, a register."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import lgn_hdl
from lgn_hdl.compiler.build import BuildResult
from lgn_hdl.compiler.design import Design
from lgn_hdl.compiler.emit import emit_files
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, evaluate_signals, schedule
from lgn_hdl.logic.program import FIRST_INPUT

__all__ = ["EXAMPLES", "SmallBuild", "mutated", "rebuilt", "with_text", "without_register"]


EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class SmallBuild:
    """A pipelined build of a small random network, and the design it was made from."""

    path: Path
    model: lgn_hdl.Model
    design: Design
    result: BuildResult


def _tables(program: LogicProgram) -> Iterator[LogicProgram]:
    for gate in range(program.num_gates):
        for bit in range(1 << int(program.arity[gate])):
            table = program.table.copy()
            table[gate] ^= np.uint64(1 << bit)
            if 0 < int(table[gate]) < (1 << (1 << int(program.arity[gate]))) - 1:
                yield replace(program, table=table)


def _wires(program: LogicProgram) -> Iterator[LogicProgram]:
    for gate in range(program.num_gates):
        for source in range(FIRST_INPUT, program.first_gate):  # cannot run backwards in time
            fanin = program.fanin.copy()
            fanin[gate, 0] = source
            yield replace(program, fanin=fanin)


def _weights(program: LogicProgram) -> Iterator[LogicProgram]:
    sums = program.sums
    for term in range(len(sums.weight)):
        for change in (1, -1):
            weight = sums.weight.copy()
            weight[term] += change
            low = WeightedSums(sums.start, sums.signal, weight, sums.constant).bounds[0]
            if weight[term] and (low >= 0).all():
                changed = WeightedSums(sums.start, sums.signal, weight, sums.constant)
                yield replace(program, sums=changed)


_KINDS = {"table bit": _tables, "wire": _wires, "weight": _weights}


def altered(design: Design, **parts: Any) -> Design:
    """The design with another program or pipeline."""
    return replace(design, core=replace(design.core, **parts))


def mutated(design: Design, kind: str, features: np.ndarray) -> Design:
    """The first change of a kind that is seen on `features` and leaves all widths as they are."""
    program = design.program
    expected = evaluate(program, features)
    for changed in _KINDS[kind](program):
        pipeline = schedule(
            changed,
            model=design.options.delays,
            clock=design.options.stage_clock,
            style=design.options.counters or "full-adders",
            argmax=design.options.argmax,
        )
        new, old = pipeline, design.pipeline
        if (new.roots_stage, new.scores_stage) != (old.roots_stage, old.scores_stage):
            continue
        if [len(s.tree.result) for s in new.sums] != [len(s.tree.result) for s in old.sums]:
            continue
        found = evaluate(changed, features)
        if all(np.array_equal(x, y) for x, y in zip(expected, found, strict=True)):
            continue
        same_roots = np.array_equal(
            evaluate_signals(program, features, program.roots),
            evaluate_signals(changed, features, program.roots),
        )
        if same_roots == (kind == "weight"):
            return altered(design, program=changed, pipeline=pipeline)
    raise AssertionError(f"no {kind} can be changed visibly")


def rebuilt(design: Design, build: Path, folder: Path) -> Path:
    """A copy of a build whose Verilog is that of another design."""
    shutil.copytree(build, folder)
    emit_files(design, folder, lambda step: None)
    return folder


def with_text(build: Path, folder: Path, text: str) -> Path:
    """A copy of a build with another text of top.v."""
    shutil.copytree(build, folder)
    (folder / "top.v").write_text(text)
    return folder


def without_register(verilog: str, module: str) -> str:
    """The Verilog with the first register of a module turned into a wire (a transparent latch)."""
    body = re.search(rf"^module {module}\(.*?^endmodule", verilog, re.M | re.S)
    assert body, f"no module {module}"
    changed, count = re.subn(
        r"always @\(posedge clk\)\s+(if \(enable\) )?(\w+) <= ([^;]+);",
        r"always @* \1\2 = \3;",
        body[0],
        count=1,
    )
    assert count == 1, f"module {module} has no register"
    return verilog.replace(body[0], changed)
