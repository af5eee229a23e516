"""Compile time and gates next to torchlogix' own export, on the shape of a SmartPixels network.

    make peers
    .venv-peers/bin/python benchmarks/torchlogix_speed.py [--runs 5] [--vectors 64]

Seven LogicDense layers with random weights, 900 bits in, three group sums. Both sides run in this
process, in turns, on one thread; the fastest run of each counts.

torchlogix: live module, Circuit.from_model (trace), simplify, write_verilog_code.
lgn-hdl: checkpoint file, load, build(target="verilog"): passes, their verification, the comparison
with PyTorch, RTLIL, and Verilog by Yosys. Its Verilog is a pipeline with streams and an argmax.

Then the Verilog of both is simulated in Icarus Verilog, and its scores are compared with those of
the trained module. torchlogix' simplified Verilog loses the constants of its sums, so the time and
the gates without `simplify` are printed as well. Needs torchlogix 0.2.2, so Python 3.12 or newer.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torchlogix.circuit import Circuit  # pyright: ignore[reportMissingImports]
from torchlogix.layers import GroupSum, LogicDense  # pyright: ignore[reportMissingImports]

import lgn_hdl
from lgn_hdl.frontends.torchlogix import architecture

INPUTS, CLASSES = 900, 3
WIDTHS = (12_000, 12_000, 12_000, 8_000, 8_000, 8_000, 6_000)
NOT_TWO_INPUT = ("CONST_FALSE", "CONST_TRUE", "WIRE", "NOT", "NOT_A", "NOT_B")
BENCH = """\
module bench;
  reg [{inputs}-1:0] vectors [0:{count}-1];
  reg [{inputs}-1:0] inp;
  wire [{width}-1:0] scores;
  integer i;
  circuit dut (.inp(inp), .scores_flat(scores));
  initial begin
    $readmemb("vectors.txt", vectors);
    for (i = 0; i < {count}; i = i + 1) begin
      inp = vectors[i];
      #1 $display("%b", scores);
    end
  end
endmodule
"""


@dataclass
class Run:
    """Seconds of every step, the gates of two inputs before the sums, and what else is there."""

    name: str
    seconds: dict[str, float]
    gates: int
    others: int = 0

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def __str__(self) -> str:
        steps = ", ".join(f"{step} {value:.2f}" for step, value in self.seconds.items())
        return f"{self.name:25}{self.total:7.2f} s{self.gates:8,} gates{self.others:8,}   {steps}"


def random_model(seed: int) -> Any:
    """The live module; its weights are normal, as no initialisation of the library leaves them."""
    torch.manual_seed(seed)
    layers = [LogicDense(a, b) for a, b in zip((INPUTS, *WIDTHS), WIDTHS, strict=False)]
    with torch.no_grad():
        for layer in layers:
            layer.weight.normal_()
    return nn.Sequential(*layers, GroupSum(CLASSES, tau=1.0)).eval()


def theirs(module: Any, verilog: Path, *, simplify: bool) -> Run:
    """torchlogix' export of a live module."""
    seconds = {}
    start = time.perf_counter()
    circuit = Circuit.from_model(module, [INPUTS])
    seconds["trace"] = time.perf_counter() - start
    if simplify:
        start = time.perf_counter()
        circuit.simplify()
        seconds["simplify"] = time.perf_counter() - start
    start = time.perf_counter()
    circuit.write_verilog_code(str(verilog))
    seconds["verilog"] = time.perf_counter() - start
    kinds = [gate.op.name for gate in circuit.gates]
    gates = sum(kind not in NOT_TWO_INPUT for kind in kinds)
    name = "torchlogix, simplified" if simplify else "torchlogix, unsimplified"
    return Run(name, seconds, gates, len(kinds) - gates)


def ours(checkpoint: Path, folder: Path) -> Run:
    """Our build of a checkpoint."""
    start = time.perf_counter()
    model = lgn_hdl.load(checkpoint)
    seconds = {"load": time.perf_counter() - start}
    report = lgn_hdl.build(model, folder, target="verilog").report
    total = time.perf_counter() - start
    seconds |= report.seconds
    seconds["rest"] = total - sum(seconds.values())
    return Run("lgn-hdl", seconds, report.passes[-1]["gates"])


def simulated(verilog: Path, vectors: np.ndarray) -> np.ndarray:
    """Scores of torchlogix' Verilog in Icarus Verilog, int64 of shape (n, classes)."""
    folder = verilog.parent
    width = 1 + int(verilog.read_text().partition("output reg  [")[2].partition(":")[0])
    rows = ["".join(map(str, row[::-1])) for row in vectors.tolist()]
    (folder / "vectors.txt").write_text("\n".join(rows) + "\n")
    bench = BENCH.format(inputs=INPUTS, count=len(vectors), width=width)
    (folder / "bench.v").write_text(bench)
    compiled = verilog.with_suffix(".vvp")
    subprocess.run(["iverilog", "-o", compiled, folder / "bench.v", verilog], check=True)
    done = subprocess.run(
        ["vvp", "-n", compiled.name], cwd=folder, check=True, capture_output=True, text=True
    )
    shift = width // CLASSES * np.arange(CLASSES)
    scores = [[int(line, 2) >> int(s) for s in shift] for line in done.stdout.split()]
    return np.array(scores) & ((1 << width // CLASSES) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="compile time and gates next to torchlogix")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--vectors", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of torch.fx, about how torchlogix uses it
    module = random_model(options.seed)
    print(f"{INPUTS} bits, layers {WIDTHS}, {sum(WIDTHS):,} gates, {CLASSES} sums")
    vectors = np.random.default_rng(1).integers(0, 2, (options.vectors, INPUTS), np.uint8)
    with torch.no_grad():
        trained = module(torch.from_numpy(vectors).float()).numpy().astype(np.int64)
    with tempfile.TemporaryDirectory() as name:
        compare_speed(module, Path(name), options.runs)
        compare_verilog(Path(name), vectors, trained)


def compare_speed(module: Any, folder: Path, runs: int) -> None:
    described = architecture(module, (INPUTS,))
    state = {"state_dict": module.state_dict(), "architecture": described}
    torch.save(state, folder / "model.pth")
    best: dict[str, Run] = {}
    for _ in range(runs):
        for run in (
            theirs(module, folder / "simplified.v", simplify=True),
            theirs(module, folder / "unsimplified.v", simplify=False),
            ours(folder / "model.pth", folder / "ours"),
        ):
            if run.name not in best or run.total < best[run.name].total:
                best[run.name] = run
    print("\nseconds; gates of two inputs before the sums; inverters, wires and constants; steps")
    for run in best.values():
        print(run)
    own = best.pop("lgn-hdl")
    for run in best.values():
        times, share = run.total / own.total, own.gates / run.gates
        print(f"lgn-hdl is {times:.2f} times as fast as {run.name}, with {share:.3f} of its gates")


def compare_verilog(folder: Path, vectors: np.ndarray, trained: np.ndarray) -> None:
    count = len(vectors)
    print(f"\nscores against the trained module, {count} random vectors, in Icarus Verilog")
    for name in ("simplified", "unsimplified"):
        wrong = (simulated(folder / f"{name}.v", vectors) != trained).any(axis=1).sum()
        print(f"{'torchlogix, ' + name:25}{wrong:4} of {count} vectors have a wrong score")
    model = lgn_hdl.load(folder / "model.pth")
    wrong = (model.scores(vectors) != trained).any(axis=1).sum()
    done = lgn_hdl.simulate(folder / "ours", vectors)  # raises at the first difference
    print(f"{'lgn-hdl':25}{wrong:4} of {done.samples} vectors have a wrong score")


if __name__ == "__main__":
    main()
