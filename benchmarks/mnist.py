"""Networks trained by others, on all of MNIST: PyTorch = evaluator, and RTL = PyTorch.

    python benchmarks/mnist.py [--samples 500] [NAME ...]

Needs the folder of shared models (LGN_HDL_SHARED, default ../shared). The reference and the
bit-packed evaluator are compared on all 60,000 training images, the RTL in cocotb on the first
`--samples` of them. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import lgn_hdl


@dataclass(frozen=True)
class Network:
    """A model file, and how its author turns an image into bits."""

    name: str
    pattern: str
    bits: Callable[[np.ndarray], np.ndarray]


def resized(threshold: float) -> Callable[[np.ndarray], np.ndarray]:
    """16 x 16 pixels by antialiased bilinear resizing, above the threshold."""

    def bits(images: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(images)[:, None].float() / 255
        small = torch.nn.functional.interpolate(
            x, size=16, mode="bilinear", antialias=True, align_corners=False
        )
        return (small > threshold).flatten(1).numpy()

    return bits


def full_size(images: np.ndarray) -> np.ndarray:
    """28 x 28 pixels above one half."""
    return (images.reshape(len(images), -1).astype(np.float32) / 255) > 0.5


NETWORKS = (
    Network("tt10 6x4000", "models/tt10/final_*.pth", resized(0.1)),
    Network("tt10 3x2550", "models/tt10/binarized_*.npz", resized(0.05)),
    Network("tt10 8x1300", "models/tt10/barabasi_*.npz", resized(0.05)),
    Network("carleton 2x4000", "models/carleton/*.csv", full_size),
)


def compare(network: Network, shared: Path, images: np.ndarray, labels: np.ndarray, samples: int):
    """Yield the cells of one row of the table; raise if anything differs."""
    (path,) = shared.glob(network.pattern)
    x = np.concatenate([network.bits(part) for part in np.array_split(images, 20)])
    model = lgn_hdl.load(path, groups=10, inputs=x.shape[1])
    yield f"{network.name:16}"
    start = time.perf_counter()
    reference = model.reference()(x).numpy()
    yield f"{time.perf_counter() - start:8.2f}"
    start = time.perf_counter()
    scores = model.scores(x)
    yield f"{time.perf_counter() - start:8.2f}"
    if not np.array_equal(reference, scores):
        raise SystemExit(f"{network.name}: reference and evaluator differ")
    yield f"{100 * np.mean(np.argmax(scores, axis=1) == labels):8.2f} %"
    with tempfile.TemporaryDirectory() as folder:
        result = lgn_hdl.build(model, Path(folder) / "out")
        passes = result.report.passes
        yield f"{passes[0]['gates']:7} -> {passes[-1]['gates']:5}"
        start = time.perf_counter()
        done = lgn_hdl.simulate(Path(folder) / "out", x[:samples])
        yield f"{result.report.pipeline.latency_cycles:4}"
        yield f"{done.samples:5} equal in {done.cycles} clocks, {time.perf_counter() - start:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description="PyTorch = evaluator = RTL on MNIST")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    parser.add_argument("--samples", type=int, default=500)
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("LGN_HDL_SHARED", root.parent / "shared"))
    if not shared.is_dir():
        sys.exit(f"{shared} is absent: set LGN_HDL_SHARED to the folder of shared models")
    with np.load(shared / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = (data[name] for name in data.files)
    print("network          torch s  evaluator s  accuracy  gates  latency  RTL in cocotb")
    for network in NETWORKS:
        if not options.names or any(name in network.name for name in options.names):
            for cell in compare(network, shared, images, labels, options.samples):
                print(cell, end="  ", flush=True)
            print()


if __name__ == "__main__":
    main()
