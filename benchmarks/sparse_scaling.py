"""How a sparse CNN's hardware grows with slots, frame, kernel and channels.

    python benchmarks/sparse_scaling.py -o build/sparse_scaling

One convolution, rounding, average and dense layer with random 8-bit weights; one number is varied,
the others stay at 16 slots, 32 x 32 pixels, 5 x 5 kernels and 2 filters. Rows come one a clock.
Writes scaling.csv and scaling.png; each point is mapped by the flow of `build --target xcup`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sparse import mapped, with_random_weights

from lgn_hdl.hdl import to_rtlil
from lgn_hdl.hdl.sparse import SparseClassifier, plan_sparse
from lgn_hdl.network import (
    ArgMax,
    Dense,
    FixedPoint,
    InputReduce,
    Network,
    Node,
    Quantize,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
    TensorType,
)

WEIGHTS, NUMBERS = FixedPoint(8, 5, signed=True), FixedPoint(8, 6)
CLASSES = 5
VARIED = {
    "slots": (8, 12, 16, 20),
    "frame": (16, 32, 48, 64),
    "kernel": (3, 5, 7, 9),
    "filters": (1, 2, 4, 8),
}


@dataclass(frozen=True)
class Size:
    """What is varied."""

    slots: int = 16
    frame: int = 32
    kernel: int = 5
    filters: int = 2


def network_of(size: Size) -> Network:
    """A sparse CNN of one convolution, with random weights."""

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int64)

    cells = size.frame // 4
    inputs = size.filters * cells * cells
    conv = zeros(size.filters, 1, size.kernel, size.kernel), zeros(size.filters)
    dense = zeros(CLASSES, inputs), zeros(CLASSES)
    layers = {
        "reduce": InputReduce(size.slots),
        "conv": SparseConv2d(*conv, WEIGHTS, WEIGHTS),
        "relu": Quantize(NUMBERS),
        "pool": SparsePool2d((4, 4)),
        "flatten": SparseFlatten(),
        "dense": Dense(*dense, WEIGHTS, WEIGHTS),
        "class": ArgMax(),
    }
    names = ["x", *layers]
    nodes = [Node(n, layer, (names[k],)) for k, (n, layer) in enumerate(layers.items())]
    image = TensorType((1, size.frame, size.frame), FixedPoint(8, 7))
    return with_random_weights(Network({"x": image}, tuple(nodes), ("class", "dense")))


def measured(size: Size, slots_per_clock: int | None, *, synthesis: bool) -> dict[str, Any]:
    """Clocks and cells of one size."""
    plan = plan_sparse(network_of(size), by_rows=True, slots=slots_per_clock)
    row: dict[str, Any] = {"latency": plan.latency, "interval": plan.interval}
    if synthesis:
        text = to_rtlil(SparseClassifier(plan=plan))
        with TemporaryDirectory(prefix="lgn_hdl_scaling_") as folder:
            found = mapped(text, "xcup", Path(folder))
        row |= {key: found[key] for key in ("lut", "ff", "dsp", "bram", "depth")}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description="Sparse CNNs: growth with their sizes")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=list(VARIED), default=list(VARIED))
    parser.add_argument("--slots-per-clock", type=int)
    parser.add_argument("--no-synthesis", action="store_true", help="clocks only")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    known: dict[Size, dict[str, Any]] = {}
    for name in options.only:
        for value in VARIED[name]:
            size = replace(Size(), **{name: value})
            if size not in known:
                synthesis = not options.no_synthesis
                known[size] = measured(size, options.slots_per_clock, synthesis=synthesis)
            rows.append({"varied": name, "value": value, **known[size]})
            print(rows[-1], file=sys.stderr, flush=True)
    with (options.output / "scaling.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    plot(rows, options.output / "scaling.png")
    print(f"{options.output}: scaling.csv, scaling.png")


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """LUTs, or clocks where nothing was mapped, against each number."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(row["varied"] for row in rows))
    what = "lut" if "lut" in rows[0] else "latency"
    figure, axes = plt.subplots(
        1, len(names), figsize=(3.2 * len(names), 3), sharey=True, squeeze=False
    )
    for axis, name in zip(axes[0], names, strict=True):
        of_name = [row for row in rows if row["varied"] == name]
        axis.plot([r["value"] for r in of_name], [r[what] for r in of_name], "o-")
        axis.set_xlabel(name)
        axis.set_xticks([r["value"] for r in of_name])
        axis.grid(alpha=0.3)
    axes[0][0].set_ylim(bottom=0)  # of all, once everything is drawn
    axes[0][0].set_ylabel({"lut": "LUT", "latency": "clocks from the first row"}[what])
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
