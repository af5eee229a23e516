"""The gate engine on networks trained by others: clocks, memory, and what Yosys makes of it.

    python benchmarks/engine.py [NAME ...] [--target ice40] [--lanes 1,2] [--no-map]

Needs the folder of shared models (LGN_HDL_SHARED, default ../shared), but for `digits`. The code is
executed on 200 samples and compared with the evaluator before anything is printed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from shared import MODELS, ROOT, load

import lgn_hdl
from lgn_hdl.flow import find_yosys, synthesize
from lgn_hdl.hdl.engine import Engine
from lgn_hdl.logic import LogicProgram, evaluate, lower, optimize
from lgn_hdl.logic.engine import RAMS, EngineCode, assemble, blocks, execute, memory_bits
from lgn_hdl.logic.verify import probe_vectors


def checked(program: LogicProgram, lanes: int, target: str) -> EngineCode:
    """The code, after a comparison with the evaluator."""
    code = assemble(program, lanes=lanes, ram=RAMS[target])
    features = probe_vectors(program, 200, 0)
    found, expected = execute(code, features), evaluate(program, features)
    for part, whole in zip(found, expected, strict=True):
        assert np.array_equal(part, whole)
    return code


def mapped(code: EngineCode, target: str) -> str:
    """LUTs, flip-flops and block RAMs after mapping."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "top.il"
        path.write_text(rtlil.convert(Engine(code=code, argmax=True), name="top", emit_src=False))
        used = synthesize(path, target, Path(folder), by_block=False).resources
    return f"{used.lut:5} {used.ff:5} {used.bram:5}"


def main() -> None:
    parser = argparse.ArgumentParser(description="the gate engine on networks of others")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    parser.add_argument("--target", default="ice40", choices=list(RAMS))
    parser.add_argument("--lanes", default="1,2,4", help="gates per clock")
    parser.add_argument("--no-map", action="store_true", help="count memory only")
    options = parser.parse_args()
    print(
        "network          gates lanes clocks  words x bits  memory bits blocks    LUT    FF  BRAM"
    )
    for name in ("digits", *MODELS):
        if options.names and not any(part in name for part in options.names):
            continue
        model = lgn_hdl.load(ROOT / "examples" / "digits.lgn") if name == "digits" else load(name)
        program, _ = optimize(lower(model.network))
        for lanes in map(int, options.lanes.split(",")):
            code = checked(program, lanes, options.target)
            figures = "" if options.no_map else mapped(code, options.target)
            counted = blocks(code, RAMS[options.target])
            print(
                f"{name:16} {program.num_gates:5} {lanes:5} {code.clocks:6} {len(code.words):6} x "
                f"{code.word_bits:4} {memory_bits(code):12,} {counted:6} {figures}",
                flush=True,
            )
    print(f"for {RAMS[options.target].title}, with {find_yosys()}")


if __name__ == "__main__":
    main()
