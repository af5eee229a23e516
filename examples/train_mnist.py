"""Train the MNIST example: a small logic-gate network on 16 x 16 pixels of one bit.

    python examples/train_mnist.py             writes examples/mnist.lgn

Needs the folder of shared data (LGN_HDL_SHARED, default ../shared) with MNIST's training images and
the Liberty file of SkyWater's cells; some ten minutes on one CPU core that has nothing else to do.
The first 50,000 images are for training. The last 10,000 are looked at once, at the end, and with
the converted network. Settings were tried on images 45,000 to 49,999 by networks trained on those
before (`--choose` does that).

What the network reads are the middle 22 x 22 pixels of an image, made 16 x 16 by antialiased
bilinear resizing, above 0.2 of full white: `bits` below.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lgn_hdl.flow.liberty import gate_areas, read_liberty  # noqa: E402
from lgn_hdl.frontends import convert  # noqa: E402
from lgn_hdl.logic.evaluate import evaluate  # noqa: E402
from lgn_hdl.logic.lower import lower  # noqa: E402
from lgn_hdl.network import Network, write_network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402
from lgn_hdl.training import GroupSum, LogicLayer, area_loss  # noqa: E402

TRAINING, VALIDATION = 50_000, 10_000
CROP, SIZE, THRESHOLD = 22, 16, 0.2
LIBERTY = "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the MNIST example.")
    parser.add_argument("--layers", type=int, nargs="+", default=[4000, 2000])
    parser.add_argument("--candidates", type=int, nargs="+", default=[32, 16])
    parser.add_argument("--tau", type=float, default=5.8)
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--area", type=float, default=1e-6, help="loss per µm²")
    parser.add_argument("--versions", type=int, default=4, help="varied copies of each image")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="where to keep the module while training")
    parser.add_argument("--choose", action="store_true", help="hold out a part of the training set")
    parser.add_argument("-o", "--out", type=Path, default=HERE / "mnist.lgn")
    return parser.parse_args()


def bits(images: Tensor) -> Tensor:
    """From (N, 28, 28) with values from 0 to 1 to booleans of shape (N, 256)."""
    edge = (28 - CROP) // 2
    middle = images[:, None, edge:-edge, edge:-edge]
    small = functional.interpolate(middle, size=SIZE, mode="bilinear", antialias=True)
    return (small > THRESHOLD).flatten(1)


def varied(images: Tensor) -> Tensor:
    """Each image turned, scaled and moved a little: 5 degrees, 5 %, half a pixel at most."""
    turn, scale, right, down = 2 * torch.rand(4, len(images)) - 1
    cosine = torch.cos(turn * math.radians(5)) * (1 + 0.05 * scale)
    sine = torch.sin(turn * math.radians(5)) * (1 + 0.05 * scale)
    rows = [torch.stack([cosine, -sine, right / 28], 1), torch.stack([sine, cosine, down / 28], 1)]
    grid = functional.affine_grid(
        torch.stack(rows, 1), [len(images), 1, 28, 28], align_corners=False
    )
    return functional.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def accuracy(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """Of the gates that are decided on."""
    module.eval()
    with torch.no_grad():
        found = torch.cat([module(part.float()).argmax(1) for part in x.split(1000)])
    module.train()
    return float((found == y).float().mean())


def train(options: argparse.Namespace, images: Tensor, y: Tensor, areas: np.ndarray, watched):
    """A module trained on `images`; every few epochs prints the accuracy on `watched`."""
    x = bits(images)
    copies = [torch.cat([bits(varied(p)) for p in images.split(5000)])
              for _ in range(options.versions)]  # fmt: skip
    x = torch.stack([x, *copies], 1)
    widths = [x.shape[2], *options.layers]
    layers = [
        LogicLayer(before, after, candidates=count)
        for before, after, count in zip(widths, options.layers, options.candidates, strict=False)
    ]
    module = nn.Sequential(*layers, GroupSum(10, options.tau))
    optimizer = torch.optim.Adam(module.parameters(), options.rate, fused=True)
    steps = options.epochs * -(-len(x) // options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, options.rate / 50)
    start = time.perf_counter()
    for epoch in range(options.epochs):
        # The area comes late: gates that nothing reads yet would become constants at once.
        weight = options.area * min(1.0, max(0.0, 5 * epoch / options.epochs - 2))
        total = 0.0
        for layer in layers:
            layer.hard = epoch > 0  # one epoch of mixtures finds the way, the others decide
        for index in torch.randperm(len(x)).split(options.batch):
            chosen = torch.randint(0, x.shape[1], (len(index),))
            loss = functional.cross_entropy(module(x[index, chosen].float()), y[index])
            total += float(loss.detach()) * len(index)
            if weight:
                loss = loss + weight * area_loss(module, areas)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            for layer in layers:
                layer.bound()
        if epoch % 5 == 4 or epoch in (0, options.epochs - 1):
            print(
                f"epoch {epoch + 1}: loss {total / len(x):.4f}, {accuracy(module, *watched):.4f} "
                f"on {len(watched[0])} images, {decided_area(layers, areas):.0f} µm² of gates, "
                f"{time.perf_counter() - start:.0f} s",
                flush=True,
            )
            if options.checkpoint:
                torch.save(module.state_dict(), options.checkpoint)
    return module


def decided_area(layers: list[LogicLayer], areas: np.ndarray) -> float:
    """Sum of the cells of all gates, read or not."""
    return sum(float(areas[layer.weights.argmax(1).numpy()].sum()) for layer in layers)


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    shared = Path(os.environ.get("LGN_HDL_SHARED", HERE.parents[1] / "shared"))
    with np.load(shared / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = torch.from_numpy(data["x"]), torch.from_numpy(data["y"]).long()
    areas = gate_areas(read_liberty(shared / LIBERTY))
    images = images.float() / 255
    used = 45_000 if options.choose else TRAINING
    watched = slice(45_000, TRAINING) if options.choose else slice(0, 5_000)
    watch = bits(images[watched]), labels[watched]
    module = train(options, images[:used], labels[:used], areas, watch).eval()

    network = convert(module, (SIZE * SIZE,), classes=[str(i) for i in range(10)])
    found = {"training": accuracy_of(network, images[:used], labels[:used])}
    if options.choose:
        found["chosen_on"] = accuracy_of(network, images[watched], labels[watched])
    else:
        found["validation"] = accuracy_of(network, images[-VALIDATION:], labels[-VALIDATION:])
    print(f"{sum(options.layers)} gates,", ", ".join(f"{k} {v:.4f}" for k, v in found.items()))
    if options.choose:
        return
    left_out = ("out", "choose", "checkpoint")
    settings = {k: v for k, v in vars(options).items() if k not in left_out}
    preprocessing = {"crop": CROP, "size": SIZE, "threshold": THRESHOLD}
    meta = {"training": {**settings, "preprocessing": preprocessing, "accuracy": found}}
    network = replace(network, meta={"source": "lgn_hdl.training", **meta})
    write_network(network, options.out)


def accuracy_of(network: Network, images: Tensor, labels: Tensor) -> float:
    """Of the converted network, by the bit-packed evaluator and by the reference."""
    program, reference, right = lower(network), Reference(network), 0
    for part, expected in zip(images.split(5000), labels.split(5000), strict=True):
        x = bits(part).numpy()
        decided = evaluate(program, x.astype(np.int64))[1].argmax(1)
        if not np.array_equal(decided, reference.predict(x).numpy()):
            raise SystemExit("reference and evaluator decide differently")
        right += int((decided == expected.numpy()).sum())
    return right / len(images)


if __name__ == "__main__":
    main()
