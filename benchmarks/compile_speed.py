"""Compile time and memory against network size: checkpoint, passes, RTLIL.

    python benchmarks/compile_speed.py [--gates N ...] [--functions SET ...] [--out FOLDER]

Random networks of six layers of equal width on 1,000 input bits, ten group sums, no outside tool.
A gate is a trained gate: one column of the checkpoint's (16, N) weights, whether the passes keep it
or not. The checkpoint is written before, by another process, and is not timed.

Every row is a process of its own. Its time runs from the start of Python to its exit, its memory is
the peak resident set (`ru_maxrss`) of this process. "Per gate" is what comes on top of an empty
run: the same process on a network of 60 gates.

Writes compile_speed.json, .csv and .png (needs matplotlib) into FOLDER.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# The harness imports nothing large: a child that it starts begins with the harness' peak memory.

ROOT = Path(__file__).resolve().parents[1]
LAYERS, CLASSES, INPUTS = 6, 10, 1000
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
EMPTY = 60
STAGES = ("load", "passes", "schedule", "rtlil")
#: Gate ids that the generator draws from, uniformly.
FUNCTIONS = {
    "all-16": range(16),  # with the constants, wires and inverters
    "two-input": (1, 2, 4, 6, 7, 8, 9, 11, 13, 14),  # those that depend on both inputs
}
#: Limits in seconds and bytes, and how much more than proportional 100k to 1M may be.
LIMITS = {100_000: (20, 1e9), 1_000_000: (240, 8e9)}
GROWTH = 1.3


def write_checkpoint(path: Path, gates: int, functions: str) -> None:
    """A trained state as it is saved: weights (16, N) of every layer, and the connections."""
    import numpy as np
    import torch

    rng = np.random.default_rng(0)
    width = gates // LAYERS // CLASSES * CLASSES
    state: dict[str, Any] = {"connections": [[], []]}
    for layer in range(LAYERS):
        weights = torch.from_numpy(rng.standard_normal((16, width), np.float32))
        chosen = torch.from_numpy(rng.choice(list(FUNCTIONS[functions]), width))
        weights[chosen, torch.arange(width)] += 16
        state[f"layers.{layer}.w"] = weights
        for side in state["connections"]:
            side.append(torch.from_numpy(rng.integers(0, width if layer else INPUTS, width)))
    torch.save(state, path)


def compile_once(checkpoint: Path, folder: Path) -> dict[str, Any]:
    """The timed process: seconds of every stage, peak bytes, sizes."""
    import resource

    import lgn_hdl
    import lgn_hdl.frontends  # and with it torch, whose start is not a matter of the network
    from lgn_hdl.compiler.design import plan
    from lgn_hdl.compiler.emit import emit_files
    from lgn_hdl.compiler.options import BuildOptions

    clock = [time.perf_counter()]

    def lap() -> float:
        clock.append(time.perf_counter())
        return clock[-1] - clock[-2]

    model = lgn_hdl.load(checkpoint, groups=CLASSES)
    seconds = {"load": lap()}
    design = plan(model.network, BuildOptions(target="rtlil").resolved())
    planning = lap()
    seconds["passes"] = sum(result.seconds for result in design.passes)
    seconds["schedule"] = planning - seconds["passes"]
    emit_files(design, folder, lambda step: None)
    seconds["rtlil"] = lap()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "trained_gates": design.passes[0].gates,
        "kept_gates": design.passes[-1].gates,
        "summed_terms": design.passes[-1].terms,
        "rtlil_bytes": (folder / "top.il").stat().st_size,
        "peak_bytes": 1024 * usage.ru_maxrss,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "seconds": seconds,
    }


def measure(gates: int, functions: str, repeats: int) -> dict[str, Any]:
    """The fastest of some runs, each in its own process, with the largest memory of all."""
    with tempfile.TemporaryDirectory() as name:
        checkpoint = Path(name) / "network.pth"
        child("write", checkpoint, str(gates), functions)
        best: dict[str, Any] = {}
        peak = 0
        for _ in range(repeats):
            start = time.perf_counter()
            row = json.loads(child("compile", checkpoint, name))
            row["total_seconds"] = time.perf_counter() - start
            peak = max(peak, row["peak_bytes"])
            if not best or row["total_seconds"] < best["total_seconds"]:
                best = row
        return {"functions": functions, "runs": repeats, **best, "peak_bytes": peak}


def child(*arguments: str | Path) -> str:
    """This script in a process of its own; what it prints."""
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def per_gate(row: dict[str, Any], empty: dict[str, Any]) -> tuple[float, float]:
    """Seconds and bytes per gate on top of the empty run."""
    gates = row["trained_gates"]
    seconds = row["total_seconds"] - empty["total_seconds"]
    return seconds / gates, (row["peak_bytes"] - empty["peak_bytes"]) / gates


def line(row: dict[str, Any], empty: dict[str, Any]) -> str:
    seconds, memory = per_gate(row, empty)
    stages = "".join(f"{row['seconds'][stage]:9.2f}" for stage in STAGES)
    return (
        f"{row['functions']:10}{row['trained_gates']:9,}{row['kept_gates']:9,}{stages}"
        f"{row['total_seconds']:9.2f}{row['peak_bytes'] / 1e6:9.0f}"
        f"{seconds * 1e6:10.1f}{memory:10.0f}"
    )


def verdicts(rows: dict[int, dict[str, Any]], empty: dict[str, Any]) -> list[tuple[bool, str]]:
    """What the limits say about the sizes that were measured."""
    found = []
    for size, (seconds, memory) in LIMITS.items():
        if size in rows:
            row = rows[size]
            found.append(
                (
                    row["total_seconds"] <= seconds and row["peak_bytes"] <= memory,
                    f"{size:,} gates: {row['total_seconds']:.1f} s (at most {seconds}), "
                    f"{row['peak_bytes'] / 1e9:.2f} GB (at most {memory / 1e9:g})",
                )
            )
    if set(LIMITS) <= set(rows):
        small, large = (per_gate(rows[size], empty) for size in sorted(LIMITS))
        growth = [b / a for a, b in zip(small, large, strict=True)]
        found.append(
            (
                max(growth) <= GROWTH,
                f"per gate, 1M against 100k: time x {growth[0]:.2f}, memory x {growth[1]:.2f} "
                f"(at most {GROWTH})",
            )
        )
    return found


def write_rows(folder: Path, empties: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
    }
    text = json.dumps({"machine": machine, "empty": empties, "rows": rows}, indent=1)
    (folder / "compile_speed.json").write_text(text + "\n")
    with open(folder / "compile_speed.csv", "w", newline="") as file:
        flat = [
            {k: v for k, v in row.items() if k != "seconds"}
            | {f"{stage}_seconds": row["seconds"][stage] for stage in STAGES}
            for row in rows
        ]
        writer = csv.DictWriter(file, flat[0])
        writer.writeheader()
        writer.writerows(flat)


def plot(folder: Path, empties: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Time of every stage, and memory, against gates: a column for each set of functions."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(empties), figsize=(6 * len(empties), 9), squeeze=False)
    for (top, bottom), (functions, empty) in zip(axes.T, empties.items(), strict=True):
        found = [row for row in rows if row["functions"] == functions]
        gates = [row["trained_gates"] for row in found]
        extra = [per_gate(row, empty) for row in found]
        for stage in STAGES:
            top.loglog(gates, [row["seconds"][stage] for row in found], "o-", label=stage)
        above = [n * seconds for n, (seconds, _) in zip(gates, extra, strict=True)]
        top.loglog(gates, above, "ks-", label="all, less an empty run")
        top.loglog(gates, [above[-1] * n / gates[-1] for n in gates], "k:", label="proportional")
        top.set(title=f"{functions} random gates", ylabel="seconds")
        more = [n * memory / 1e6 for n, (_, memory) in zip(gates, extra, strict=True)]
        bottom.loglog(gates, [row["peak_bytes"] / 1e6 for row in found], "o-", label="peak")
        bottom.loglog(gates, more, "ks-", label="peak, less an empty run")
        bottom.loglog(gates, [more[-1] * n / gates[-1] for n in gates], "k:", label="proportional")
        bottom.set(xlabel="trained gates", ylabel="MB")
        for axis in (top, bottom):
            axis.grid(True, alpha=0.3)
            axis.legend()
    figure.tight_layout()
    figure.savefig(folder / "compile_speed.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description="compile time and memory against network size")
    parser.add_argument("--gates", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument(
        "--functions", nargs="+", choices=FUNCTIONS, default=list(FUNCTIONS), metavar="SET"
    )
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), metavar="FOLDER")
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, path, *rest = options.child
        if task == "write":
            write_checkpoint(Path(path), int(rest[0]), rest[1])
        else:
            print(json.dumps(compile_once(Path(path), Path(rest[0]))))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    heads = "".join(f"{stage + ' s':>9}" for stage in STAGES)
    print(f"{'functions':10}{'gates':>9}{'kept':>9}{heads}  total s  peak MB   us/gate    B/gate")
    rows, empties, failed = [], {}, False
    for functions in options.functions:
        empty = empties[functions] = measure(EMPTY, functions, 5)
        print(line(empty, empty), " (empty run)")
        found = {}
        for size in sorted(options.gates):
            row = found[size] = measure(size, functions, 5 if size <= 100_000 else 2)
            rows.append(row)
            print(line(row, empty), flush=True)
        for good, text in verdicts(found, empty):
            failed |= not good
            print("ok  " if good else "MISS", text)
    write_rows(options.out, empties, rows)
    plot(options.out, empties, rows)
    print(f"written: {options.out}/compile_speed.json, .csv, .png")
    sys.exit(failed)


if __name__ == "__main__":
    main()
