"""A Tiny Tapeout project: ports, description, tiles, and the chip's answers in a simulator."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from librelane_env import BENCH, ask
from networks import bits_only, classifier

from lgn_hdl.compiler.design import Design, plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.vectors import answers_to, block_vectors
from lgn_hdl.errors import BuildError
from lgn_hdl.flow.handoff import read_ports
from lgn_hdl.flow.liberty import Liberty, read_liberty
from lgn_hdl.flow.tinytapeout import (
    TILES,
    TinyTapeoutFiles,
    TinyTapeoutProject,
    choose_tiles,
    write_tinytapeout,
)
from lgn_hdl.host.payload import pack_samples
from lgn_hdl.network import FixedPoint, Network

PROJECT = TinyTapeoutProject(
    name="somebody_gates",
    title='Gates: "trained"',
    author="Jörg O'Neill",
    description="Sorts numbers into three classes # by logic",
    clock_hz=10_000_000,
    discord="somebody",
    samples="Four numbers of six bits.",
)
PIPELINED, COMBINATIONAL = BuildOptions(levels_per_stage=2), BuildOptions(combinational=True)
SMALL = classifier(element=FixedPoint(6, 4, signed=True))

BENCH_V = """\
`timescale 1ns/1ps
module bench;
  reg clk = 0, rst_n = 0, write = 0, next = 0;
  reg [7:0] ui_in = 0;
  wire [7:0] uo_out, uio_out, uio_oe;
  reg [{sample_top}:0] samples [0:{last}];
  reg [{result_top}:0] results [0:{last}];
  reg [{result_top}:0] got;
  integer n, k, wrong;
  {top} chip (.ui_in(ui_in), .uo_out(uo_out), .uio_in({{6'b0, next, write}}), .uio_out(uio_out),
              .uio_oe(uio_oe), .ena(1'b1), .clk(clk), .rst_n(rst_n));
  always #50 clk = ~clk;
  initial begin
    $readmemh("samples.hex", samples);
    $readmemh("results.hex", results);
    wrong = 0;
    #1033 rst_n = 1;
    for (n = 0; n <= {last}; n = n + 1) begin
      while (uio_out[2] !== 1) #7;
      for (k = 0; k < {sample_bytes}; k = k + 1) begin
        ui_in = samples[n][8*k +: 8];
        #3 write = 1; #417 write = 0; #411;
        ui_in = 8'hXX;
      end
      while (uio_out[3] !== 1) #7;
      for (k = 0; k < {result_bytes}; k = k + 1) begin
        got[8*k +: 8] = uo_out;
        next = 1; #403 next = 0; #419;
      end
      if (got !== results[n]) wrong = wrong + 1;
      if (uio_oe !== 8'b00001100) wrong = wrong + 1;
    end
    $display("%0d wrong of %0d", wrong, {last} + 1);
    $finish;
  end
endmodule
"""


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Liberty:
    return read_liberty(shared / "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib")


def write(
    folder: Path,
    network: Network = SMALL,
    options: BuildOptions = PIPELINED,
    liberty: Liberty | None = None,
) -> tuple[Design, TinyTapeoutFiles]:
    design = plan(network, options.resolved())
    return design, write_tinytapeout(folder, design.core.component(), PROJECT, liberty=liberty)


def info(files: TinyTapeoutFiles) -> Mapping[str, Any]:
    return ask(BENCH, "yaml", files.files["info"])


def simulate(design: Design, files: TinyTapeoutFiles, folder: Path) -> str:
    """What Icarus Verilog says of the whole project, compared with the PyTorch reference."""
    arrays = block_vectors(design, answers_to(design, None, 25, seed=1))
    samples = pack_samples(arrays["features"], int(arrays["feature_width"]))
    results = np.packbits(arrays["result_bits"], axis=1, bitorder="little")
    for name, rows in (("samples", samples), ("results", results)):
        # A number has its highest byte first.
        lines = [row[::-1].tobytes().hex() + "\n" for row in rows]
        (folder / f"{name}.hex").write_text("".join(lines))
    sample_bytes, result_bytes = samples.shape[1], results.shape[1]
    bench = BENCH_V.format(
        top=files.top,
        last=len(samples) - 1,
        sample_top=8 * sample_bytes - 1,
        result_top=8 * result_bytes - 1,
        sample_bytes=sample_bytes,
        result_bytes=result_bytes,
    )
    (folder / "bench.v").write_text(bench)
    sources = [str(files.files["project"]), str(files.files["classifier"])]
    command = ["iverilog", "-Wall", "-g2005", "-o", "bench.vvp", "bench.v", *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    noise = [line for line in done.stderr.splitlines() if "timescale" not in line]
    assert noise == []
    run = ["vvp", "-n", "bench.vvp"]
    return subprocess.run(
        run, cwd=folder, capture_output=True, text=True, check=True, timeout=120
    ).stdout


@pytest.mark.parametrize("options", [PIPELINED, COMBINATIONAL, BuildOptions(fold="sums")])
def test_the_chip_answers_as_the_reference(tmp_path: Path, options: BuildOptions) -> None:
    design, files = write(tmp_path, options=options)
    assert "0 wrong of 25" in simulate(design, files, tmp_path).splitlines()


def test_a_wrong_chip_is_seen(tmp_path: Path) -> None:
    design, files = write(tmp_path)
    source = files.files["classifier"]
    text, count = re.subn(r" \^ ", " | ", source.read_text())
    assert count
    source.write_text(text)
    said = simulate(design, files, tmp_path)
    assert re.search(r"^[1-9]\d* wrong of 25$", said, re.MULTILINE)


def test_a_network_without_classes(tmp_path: Path) -> None:
    design, files = write(tmp_path, bits_only(), COMBINATIONAL)
    assert "0 wrong of 25" in simulate(design, files, tmp_path).splitlines()
    assert "| 4:0 | outgoing bits |" in files.files["docs"].read_text()


def test_ports_are_those_of_the_multiplexer(tmp_path: Path) -> None:
    _, files = write(tmp_path)
    text = files.files["project"].read_text()
    head = text.partition(f"module {files.top} (")[2].partition(");")[0]
    found = re.findall(r"(input|output)\s+wire\s+(?:\[(\d+):0\])?\s*(\w+)", head)
    assert {name: (way, int(top or 0) + 1) for way, top, name in found} == {
        "ui_in": ("input", 8),
        "uo_out": ("output", 8),
        "uio_in": ("input", 8),
        "uio_out": ("output", 8),
        "uio_oe": ("output", 8),
        "ena": ("input", 1),
        "clk": ("input", 1),
        "rst_n": ("input", 1),
    }
    assert "`default_nettype none" in text


def test_every_module_bears_the_name_of_the_project(tmp_path: Path) -> None:
    """All projects of a chip are simulated together."""
    _, files = write(tmp_path)
    names = re.findall(r"^module (\w+)", files.files["classifier"].read_text(), re.MULTILINE)
    assert names
    assert all(name.startswith("tt_um_somebody_gates_") for name in names)
    ports = read_ports(files.files["classifier"].read_text(), f"{files.top}_pins")
    assert {port.name for port in ports} >= {"clk", "rst", "ui_in", "uo_out"}


def test_the_description_is_what_tiny_tapeout_reads(tmp_path: Path, liberty: Liberty) -> None:
    _, files = write(tmp_path, liberty=liberty)
    said = info(files)
    assert set(said) == {"project", "pinout", "yaml_version"}
    assert said["yaml_version"] == 6
    assert said["project"] == {
        "title": 'Gates: "trained"',
        "author": "Jörg O'Neill",
        "discord": "somebody",
        "description": "Sorts numbers into three classes # by logic",
        "language": "Amaranth",
        "clock_hz": 10_000_000,
        "tiles": "1x1",
        "top_module": "tt_um_somebody_gates",
        "source_files": ["project.v", "classifier.v"],
    }
    assert list(said["pinout"]) == [f"{k}[{n}]" for k in ("ui", "uo", "uio") for n in range(8)]
    assert all(isinstance(what, str) for what in said["pinout"].values())
    assert said["pinout"]["uio[0]"] == "write"
    for file in said["project"]["source_files"]:
        assert (tmp_path / "src" / file).is_file()
    docs = files.files["docs"].read_text()
    assert "Four numbers of six bits." in docs
    assert "| 1:0 | the class |" in docs
    assert files.tiles == "1x1"
    assert files.area_um2 is not None
    # The registers of a sample alone: 24 flip-flops with an enable.
    assert 24 * 20 < files.area_um2 < 5000


def test_without_cells_nothing_is_estimated(tmp_path: Path) -> None:
    _, files = write(tmp_path)
    assert (files.tiles, files.area_um2) == (None, None)
    assert info(files)["project"]["tiles"] == "1x1"
    assert "Not estimated" in files.files["info"].read_text()


def test_a_name_with_the_prefix_is_the_same(tmp_path: Path) -> None:
    project = replace(PROJECT, name="tt_um_somebody_gates")
    assert project.top == PROJECT.top


def test_tiles_by_area() -> None:
    assert choose_tiles(5_000) == "1x1"
    assert choose_tiles(11_000) == "1x2"
    areas = np.linspace(1_000, 170_000, 60)
    chosen = [list(TILES).index(choose_tiles(area)) for area in areas]
    assert chosen == sorted(chosen)
    assert max(chosen) == len(TILES) - 1
    for area in areas:
        width, height = TILES[choose_tiles(area)]
        assert area <= 0.65 * width * height
    assert choose_tiles(11_000, density=0.8) == "1x1"


def test_too_large_for_a_project() -> None:
    with pytest.raises(BuildError, match=r"largest Tiny Tapeout project, 8x2.*--fold sums"):
        choose_tiles(200_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "no spaces"}, "cannot be the name"),
        ({"title": ""}, "the title of the project"),
        ({"author": " "}, "the author of the project"),
        ({"description": "two\nlines"}, "the description of the project"),
        ({"clock_hz": 100_000_000}, "makes up to 66 MHz"),
        ({"clock_hz": 0}, "the clock is 0 MHz"),
    ],
)
def test_what_a_project_may_not_say(change: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=message):
        write_tinytapeout(tmp_path / "none", None, replace(PROJECT, **change))
    assert not (tmp_path / "none").exists()
