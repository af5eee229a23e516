"""Speed of the bit-packed evaluator: samples per second, against the PyTorch reference.

    python benchmarks/evaluator_speed.py [--gates N ...] [--repeats 5] [--out FOLDER]

First tt10 6x4000 on the 60,000 training images of MNIST, which needs the folder of shared models
(LGN_HDL_SHARED, default ../shared): the network as trained, and after the passes. Then random
networks of eight layers on 1,000 input bits, as drawn. The evaluator uses one thread; PyTorch is
measured with all of its threads and with one.

The contenders take turns, and each counts with its fastest run. Every one is given the bits as a
bool array, loaded and prepared before; the row "int64" and the row "Model.scores" are what a
caller sees who has wider integers, or any array. All scores are compared: exit status 1 if any
differ, or if the bar is missed. Ratios are to the faster of the two PyTorch rows.

Writes evaluator_speed.json and .png (needs matplotlib) into FOLDER.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mnist import BITS
from shared import load, shared_folder

import lgn_hdl
from lgn_hdl.frontends.assemble import chain, input_type
from lgn_hdl.logic import lower, optimize
from lgn_hdl.logic.evaluate import Evaluator
from lgn_hdl.network import GroupSum, LutLayer, Network
from lgn_hdl.reference import Reference

LAYERS, CLASSES, INPUTS = 8, 10, 1000
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
#: Samples per second on the trained network, after the passes and as trained.
BAR = 300_000
TRAINED = "tt10 6x4000"
PYTORCH = "PyTorch reference"
AS_TRAINED, AFTER_PASSES = "evaluator, as trained", "evaluator, after passes"
HEAD = f"{'network':12}{'gates':>10}  {'contender':32}   samples/s  Ggates/s   ratio"


@dataclass(frozen=True)
class Contender:
    """One way to the scores of a network, on samples that it holds."""

    name: str
    gates: int
    run: Callable[[], np.ndarray]


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "evaluator_threads": 1,
    }


def with_threads(threads: int, run: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    """Run PyTorch with this many threads."""

    def limited() -> np.ndarray:
        usual = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return run()
        finally:
            torch.set_num_threads(usual)

    return limited


def contend(contenders: list[Contender], repeats: int) -> list[float]:
    """Fastest seconds of each, in turns; the scores of all have to be those of the first."""
    seconds = [float("inf")] * len(contenders)
    expected: np.ndarray | None = None
    for _ in range(repeats):
        for i, contender in enumerate(contenders):
            start = time.perf_counter()
            scores = contender.run()
            seconds[i] = min(seconds[i], time.perf_counter() - start)
            expected = scores if expected is None else expected
            if not np.array_equal(scores, expected):
                sys.exit(f"{contender.name} and {contenders[0].name} differ")
    return seconds


def measure(
    name: str, network: Network, bits: np.ndarray, repeats: int, *, passes: bool
) -> list[dict[str, Any]]:
    """A row for every contender; ratios are to the faster of the PyTorch rows."""
    reference, trained, threads = Reference(network), lower(network), torch.get_num_threads()
    gates, evaluator = trained.num_gates, Evaluator(trained)

    def torch_scores() -> np.ndarray:
        return reference(bits).numpy()

    contenders = [
        Contender(f"{PYTORCH}, {threads} threads", gates, torch_scores),
        Contender(f"{PYTORCH}, 1 thread", gates, with_threads(1, torch_scores)),
        Contender(AS_TRAINED, gates, lambda: evaluator(bits)[1]),
    ]
    if passes:
        simplified, _ = optimize(trained)
        kept, after = simplified.num_gates, Evaluator(simplified)
        wide, model = bits.astype(np.int64), lgn_hdl.Model(network)
        contenders += [
            Contender(f"{AS_TRAINED}, int64", gates, lambda: evaluator(wide)[1]),
            Contender("Model.scores, as trained", gates, lambda: model.scores(bits)),
            Contender(AFTER_PASSES, kept, lambda: after(bits)[1]),
            Contender(f"{AFTER_PASSES}, int64", kept, lambda: after(wide)[1]),
        ]
    seconds = contend(contenders, repeats)
    fastest = min(s for c, s in zip(contenders, seconds, strict=True) if c.name.startswith(PYTORCH))
    rows = []
    for contender, best in zip(contenders, seconds, strict=True):
        row = {
            "network": name,
            "gates": contender.gates,
            "contender": contender.name,
            "samples": len(bits),
            "seconds": best,
            "samples_per_second": len(bits) / best,
            "gates_per_second": len(bits) / best * contender.gates,
            "ratio": fastest / best,
        }
        rows.append(row)
        print(
            f"{name:12}{row['gates']:10,}  {contender.name:32}{row['samples_per_second']:12,.0f}"
            f"{row['gates_per_second'] / 1e9:10.2f}{row['ratio']:8.2f}",
            flush=True,
        )
    return rows


def trained_network(folder: Path) -> tuple[Network, np.ndarray]:
    """The trained network, and the images of MNIST as its 256 bits."""
    with np.load(folder / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images = data[data.files[0]]
    bits = np.concatenate([BITS[TRAINED](part) for part in np.array_split(images, 20)])
    return load(TRAINED, inputs=bits.shape[1]).network, bits


def random_network(gates: int) -> tuple[Network, np.ndarray]:
    """Layers of equal width, all sixteen functions, and as many samples as take some time."""
    rng = np.random.default_rng(0)
    width = max(gates // LAYERS // CLASSES, 1) * CLASSES
    layers = []
    for layer in range(LAYERS):
        connections = rng.integers(0, width if layer else INPUTS, (2, width), dtype=np.int32)
        tables = rng.integers(0, 16, width).astype(np.uint64)
        layers.append((f"gates{layer}", LutLayer(connections, tables)))
    source = input_type((INPUTS,), bits=True)
    samples = max(1024, min(1 << 16, (1 << 30) // gates))
    bits = rng.integers(0, 2, (samples, INPUTS)).astype(bool)
    return chain(source, [*layers, ("scores", GroupSum(CLASSES))]), bits


def plot(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Gates per second against gates: lines for random networks, stars for the trained one."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(10, 5.5))
    for network, style in (("random", "o-"), (TRAINED, "*")):
        for contender in dict.fromkeys(row["contender"] for row in rows):
            found = [r for r in rows if (r["network"], r["contender"]) == (network, contender)]
            points = [[row[key] for row in found] for key in ("gates", "gates_per_second")]
            if found and "int64" not in contender:
                axis.loglog(*points, style, ms=12 if style == "*" else 5, label=contender)
    axis.set(xlabel="gates", ylabel="samples/s × gates")
    axis.set_title(f"lines: random networks of {LAYERS} layers; stars: {TRAINED}")
    axis.grid(True, alpha=0.3)
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    figure.tight_layout()
    figure.savefig(folder / "evaluator_speed.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description="speed of the bit-packed evaluator")
    parser.add_argument("--gates", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), metavar="FOLDER")
    options = parser.parse_args()
    found = machine()
    print(", ".join(f"{name} {value}" for name, value in found.items()))
    rows: list[dict[str, Any]] = []
    verdicts = []
    try:
        network, bits = trained_network(shared_folder())
    except SystemExit as absent:
        print(f"no trained network, random ones only: {absent}\n{HEAD}")
    else:
        print(HEAD)
        rows = measure(TRAINED, network, bits, options.repeats, passes=True)
        verdicts = [
            (row["samples_per_second"] >= BAR, f"{row['contender']}: at least {BAR:,} samples/s")
            for row in rows
            if row["contender"] in (AS_TRAINED, AFTER_PASSES)
        ]
    for gates in sorted(options.gates):
        network, bits = random_network(gates)
        rows += measure("random", network, bits, options.repeats, passes=False)
    for good, text in verdicts:
        print("ok  " if good else "MISS", text)
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": found, "rows": rows}, indent=1)
    (options.out / "evaluator_speed.json").write_text(text + "\n")
    plot(options.out, rows)
    print(f"written: {options.out}/evaluator_speed.json, .png")
    sys.exit(not all(good for good, _ in verdicts))


if __name__ == "__main__":
    main()
