"""Accuracy against cell area: logic-gate networks trained with and without `area_loss`.

    python benchmarks/area_loss.py [--weights 0 1e-5 ...] [--seeds 0 1 2] [-o FOLDER]

Needs scikit-learn, matplotlib, and the folder of shared data (LGN_HDL_SHARED, default ../shared)
for the Liberty file of SkyWater's cells; `--library torchlogix` needs torchlogix 0.2.2 as well. All
networks have the same size and are trained for the same epochs on 1000 of scikit-learn's images of
digits; the other 797 are for the test, and the last epoch counts. Prints one table, and writes it
as area_loss.csv, the curve as area_loss.svg.

Area is that of gate layers: one cell per gate, a gate without a cell of its own as its cheapest
implementation. `live` counts the gates that the output depends on, as trained; `after passes` what
the compiler leaves of them, without constants, wires and equal gates. Adders are in neither.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from lgn_hdl.flow.liberty import gate_areas, read_liberty
from lgn_hdl.frontends import convert
from lgn_hdl.logic.lower import lower
from lgn_hdl.logic.passes import optimize
from lgn_hdl.logic.program import LogicProgram
from lgn_hdl.logic.simplify import without_dead
from lgn_hdl.network import Network
from lgn_hdl.reference import Reference
from lgn_hdl.training import GroupSum, LogicLayer, area_loss

ROOT = Path(__file__).resolve().parents[1]
LIBERTY = "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib"
THRESHOLDS = [3.5, 8.5, 12.5]
TRAINING = 1000
INVERTER = 12


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Accuracy against cell area, on digits.")
    parser.add_argument(
        "--weights", type=float, nargs="+", default=[0, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--library", choices=["lgn_hdl", "torchlogix"], default="lgn_hdl")
    parser.add_argument("--layers", type=int, nargs="+", default=[1000, 500])
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--tau", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("-o", "--out", type=Path, default=Path("build/area_loss"))
    return parser.parse_args()


def ours(inputs: int, gates: int, candidates: int) -> nn.Module:
    return LogicLayer(inputs, gates, candidates=candidates)


def theirs(inputs: int, gates: int, candidates: int) -> nn.Module:
    """A layer of torchlogix, which needs Python 3.12 or newer."""
    from torchlogix.layers import LogicDense  # pyright: ignore[reportMissingImports]

    return LogicDense(
        inputs,
        gates,
        parametrization="raw",
        parametrization_kwargs={"weight_init": "random"},
        connections="learnable",
        connections_kwargs={"num_candidates": candidates},
    )


class Bits(nn.Module):
    """Grey values to thermometer codes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x[:, :, None] > torch.tensor(THRESHOLDS)).flatten(1).float()


def network(options: argparse.Namespace) -> nn.Sequential:
    widths = [64 * len(THRESHOLDS), *options.layers]
    make = {"lgn_hdl": ours, "torchlogix": theirs}[options.library]
    layers = [make(a, b, options.candidates) for a, b in pairwise(widths)]
    if options.library == "torchlogix":
        from torchlogix.layers import GroupSum as Sums  # pyright: ignore[reportMissingImports]

        return nn.Sequential(*layers, Sums(10, tau=options.tau))
    return nn.Sequential(*layers, GroupSum(10, options.tau))


def train(options: argparse.Namespace, weight: float, areas: np.ndarray, x, y) -> nn.Module:
    module, bits = network(options), Bits()
    own = [layer for layer in module if isinstance(layer, LogicLayer)]
    steps = options.epochs * -(-len(x) // 100)
    optimizer = torch.optim.Adam(module.parameters(), options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, options.rate / 50)
    for epoch in range(options.epochs):
        for layer in own:
            layer.hard = epoch >= 0.2 * options.epochs
        # Late, when it is clear what reads what: unread gates would become constants at once.
        now = weight * min(1.0, max(0.0, 5 * epoch / options.epochs - 2))
        for index in torch.randperm(len(x)).split(100):
            noisy = bits(x[index] + torch.randn_like(x[index]))
            loss = nn.functional.cross_entropy(module(noisy), y[index])
            if now:
                loss = loss + now * area_loss(module, areas)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            for layer in own:
                layer.bound()
    return module.eval()


def area_of(program: LogicProgram, areas: np.ndarray) -> float:
    """Cells of a program's gates, which have two inputs at most."""
    two = program.arity == 2
    tables = program.table[two].astype(int)
    ids = sum((tables >> index & 1) << (3 - index) for index in range(4))  # docs/ir.md
    wires = program.arity == 1
    inverters = int((program.table[wires] == 1).sum())
    return float(areas[ids].sum()) + inverters * float(areas[INVERTER])


def measured(trained: Network, areas: np.ndarray) -> dict[str, Any]:
    program = lower(trained)
    live, left = without_dead(program), optimize(program)[0]
    return {
        "live_gates": live.num_gates,
        "live_um2": round(area_of(live, areas), 1),
        "gates": left.num_gates,
        "um2": round(area_of(left, areas), 1),
    }


def rows(options: argparse.Namespace, areas: np.ndarray):
    """Yield the rows of the table, the baseline of each seed first."""
    images, labels = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(
        images.astype(np.float32), labels, train_size=TRAINING, random_state=0, stratify=labels
    )
    x, y, x_test = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(x_test)
    base: dict[int, dict[str, Any]] = {}
    for weight in sorted(options.weights):
        for seed in options.seeds:
            torch.manual_seed(seed)
            start = time.perf_counter()
            module = train(options, weight, areas, x, y)
            trained = convert(module, (64 * len(THRESHOLDS),))
            decided = Reference(trained).predict(Bits()(x_test)).numpy()
            row = {
                "seed": seed,
                "weight": weight,
                "accuracy": round(100 * float(np.mean(decided == y_test)), 2),
                **measured(trained, areas),
                "seconds": round(time.perf_counter() - start, 1),
            }
            first = base.setdefault(seed, row)
            row["live_ratio"] = round(row["live_um2"] / first["live_um2"], 3)
            row["ratio"] = round(row["um2"] / first["um2"], 3)
            yield row


def mean(table: list[dict[str, Any]], weight: float) -> dict[str, float]:
    chosen = [row for row in table if row["weight"] == weight]
    keys = ("accuracy", "live_um2", "um2", "live_ratio", "ratio")
    return {key: float(np.mean([row[key] for row in chosen])) for key in keys}


def plot(table: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for seed in sorted({row["seed"] for row in table}):
        line = [row for row in table if row["seed"] == seed]
        axes.plot(
            [row["um2"] for row in line],
            [row["accuracy"] for row in line],
            "o",
            label=f"seed {seed}",
        )
    weights = sorted({row["weight"] for row in table})
    means = [mean(table, weight) for weight in weights]
    axes.plot([m["um2"] for m in means], [m["accuracy"] for m in means], "k-", label="mean")
    for weight, point in zip(weights, means, strict=True):
        axes.annotate(f"{weight:g}", (point["um2"], point["accuracy"]))
    axes.set(xlabel="cells of the gate layers, µm²", ylabel="test accuracy, %")
    axes.legend()
    figure.savefig(path)


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    shared = Path(os.environ.get("LGN_HDL_SHARED", ROOT.parent / "shared"))
    areas = gate_areas(read_liberty(shared / LIBERTY))
    print("seed  weight  accuracy  live gates      µm²  ratio  after passes      µm²  ratio")
    table: list[dict[str, Any]] = []
    for row in rows(options, areas):
        table.append(row)
        print(
            f"{row['seed']:4}  {row['weight']:6g}  {row['accuracy']:6.2f} %  "
            f"{row['live_gates']:10}  {row['live_um2']:7.0f}  {row['live_ratio']:5.2f}  "
            f"{row['gates']:12}  {row['um2']:7.0f}  {row['ratio']:5.2f}",
            flush=True,
        )
    for weight in sorted(set(options.weights)):
        found = mean(table, weight)
        print(
            f"mean  {weight:6g}  {found['accuracy']:6.2f} %  {'':10}  {found['live_um2']:7.0f}  "
            f"{found['live_ratio']:5.2f}  {'':12}  {found['um2']:7.0f}  {found['ratio']:5.2f}"
        )
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "area_loss.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    plot(table, options.out / "area_loss.svg")


if __name__ == "__main__":
    main()
