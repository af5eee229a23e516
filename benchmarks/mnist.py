"""Networks trained by others, on all of MNIST: PyTorch = evaluator, and RTL = PyTorch.

    python benchmarks/mnist.py [--samples 500] [NAME ...]

Needs the folder of shared models (LGN_HDL_SHARED, default ../shared). The reference and the
bit-packed evaluator are compared on all 60,000 training images, the RTL in cocotb on the first
`--samples` of them. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from shared import load, shared_folder

import lgn_hdl


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


#: How the author of each network turns an image into bits.
BITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tt10 6x4000": resized(0.1),
    "tt10 3x2550": resized(0.05),
    "tt10 8x1300": resized(0.05),
    "carleton 2x4000": full_size,
}


def compare(name: str, images: np.ndarray, labels: np.ndarray, samples: int):
    """Yield the cells of one row of the table; raise if anything differs."""
    x = np.concatenate([BITS[name](part) for part in np.array_split(images, 20)])
    model = load(name, inputs=x.shape[1])
    yield f"{name:16}"
    start = time.perf_counter()
    reference = model.reference()(x).numpy()
    yield f"{time.perf_counter() - start:8.2f}"
    start = time.perf_counter()
    scores = model.scores(x)
    yield f"{time.perf_counter() - start:8.2f}"
    if not np.array_equal(reference, scores):
        raise SystemExit(f"{name}: reference and evaluator differ")
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
    with np.load(shared_folder() / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = (data[name] for name in data.files)
    print("network          torch s  evaluator s  accuracy  gates  latency  RTL in cocotb")
    for name in BITS:
        if not options.names or any(part in name for part in options.names):
            for cell in compare(name, images, labels, options.samples):
                print(cell, end="  ", flush=True)
            print()


if __name__ == "__main__":
    main()
