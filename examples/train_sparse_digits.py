"""Train the sparse digits example: thin strokes of handwritten digits, on a sparse CNN.

    python examples/train_sparse_digits.py     writes examples/sparse_digits.lgn and .npz

Needs `pip install "lgn-hdl[sparse-train]"` (Brevitas and scikit-learn); takes a few minutes on one
CPU core. scikit-learn's 8 x 8 images are thinned to strokes: a pixel stays if it is bright (at
least 6 of 16) and no darker than its neighbours in one direction. The strokes are drawn with every
second row and column left out, somewhere on a frame of 20 x 20 pixels. The 1797 images are split
once and for all: 450 for the test, 200 for choosing the best epoch, the rest for training, where
every epoch draws them in other places, from grey values with some noise.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lgn_hdl.frontends import convert  # noqa: E402
from lgn_hdl.network import write_network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402
from lgn_hdl.training import (  # noqa: E402
    Dense,
    InputReduce,
    QuantizedReLU,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
)

TEST, VALIDATION = 450, 200
FRAME, BRIGHT, LARGEST = 20, 6, 16
#: How far a digit of 15 x 15 pixels may be moved.
MOVES = FRAME - 15


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the sparse digits example.")
    parser.add_argument("--slots", type=int, default=20, help="pixels that are kept")
    parser.add_argument("--filters", type=int, nargs=2, default=[4, 4])
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--bits", type=int, default=8, help="of weights and activations")
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--noise", type=float, default=1.0, help="on grey values in training")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--out", type=Path, default=HERE, help="folder; 'none' writes nothing"
    )
    return parser.parse_args()


def strokes(images: np.ndarray) -> np.ndarray:
    """Bright pixels that are no darker than both neighbours in a row or in a column."""
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    here = wide[:, 1:-1, 1:-1]
    in_row = (here >= wide[:, 1:-1, :-2]) & (here > wide[:, 1:-1, 2:])
    in_column = (here >= wide[:, :-2, 1:-1]) & (here > wide[:, 2:, 1:-1])
    return images * ((in_row | in_column) & (images >= BRIGHT)) / LARGEST


def drawn(images: np.ndarray, rng: np.random.Generator, noise: float = 0.0) -> Tensor:
    """The strokes of each image somewhere on its frame, (B, 1, FRAME, FRAME)."""
    varied = np.rint(images + noise * rng.standard_normal(images.shape))
    images = strokes(varied.clip(0, LARGEST))
    frames = np.zeros((len(images), 1, FRAME, FRAME), np.float32)
    for frame, image, (down, right) in zip(
        frames, images, rng.integers(0, MOVES, (len(images), 2), endpoint=True), strict=True
    ):
        frame[0, down : down + 16 : 2, right : right + 16 : 2] = image
    return torch.from_numpy(frames)


def network(options: argparse.Namespace) -> nn.Sequential:
    first, second = options.filters
    bits = {"weight_bits": options.bits, "bias_bits": options.bits}
    return nn.Sequential(
        # Five bits hold sixteenths up to one exactly.
        InputReduce(options.slots, 0.0, input_format="ufixed<5,1>"),
        SparseConv2d(1, first, 5, **bits),
        QuantizedReLU(options.bits),
        SparsePool2d(2),
        SparseConv2d(first, second, 5, **bits),
        QuantizedReLU(options.bits),
        SparsePool2d(2),
        SparseFlatten(),
        Dense((FRAME // 4) ** 2 * second, options.hidden, **bits),
        QuantizedReLU(options.bits),
        Dense(options.hidden, 10, **bits),
    )


def accuracy(module: nn.Module, x: Tensor, y: Tensor) -> float:
    module.eval()
    with torch.no_grad():
        return float((module(x).argmax(1) == y).double().mean())


def train(options: argparse.Namespace, x: np.ndarray, y: Tensor, validation) -> nn.Sequential:
    rng = np.random.default_rng(options.seed)
    module = network(options)
    steps = options.epochs * -(-len(x) // 50)
    optimizer = torch.optim.Adam(module.parameters(), options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, options.rate / 50)
    best, kept = -1.0, {}
    for epoch in range(options.epochs):
        module.train()
        total, frames = 0.0, drawn(x, rng, options.noise)
        for index in torch.randperm(len(x)).split(50):
            loss = nn.functional.cross_entropy(module(frames[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(index)
        found = accuracy(module, *validation)
        if found >= best:
            best, kept = found, {k: v.clone() for k, v in module.state_dict().items()}
        if epoch % 10 == 9:
            print(
                f"epoch {epoch + 1}: loss {total / len(x):.3f}, validation {found:.4f}", flush=True
            )
    module.load_state_dict(kept)
    print(f"best validation accuracy {best:.4f}")
    return module.eval()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    images, labels = map(np.asarray, load_digits(return_X_y=True))
    images = images.reshape(-1, 8, 8)
    x, x_test, y, y_test = train_test_split(
        images, labels, test_size=TEST, random_state=0, stratify=labels
    )
    x, x_val, y, y_val = train_test_split(x, y, test_size=VALIDATION, random_state=0, stratify=y)
    x, x_val, x_test = np.asarray(x), np.asarray(x_val), np.asarray(x_test)
    places = np.random.default_rng(0)  # where the digits of test and validation are, once for all
    x_test, x_val = drawn(x_test, places), drawn(x_val, places)
    module = train(options, x, torch.from_numpy(y), (x_val, torch.from_numpy(y_val)))

    converted = convert(module, (1, FRAME, FRAME), classes=[str(i) for i in range(10)])
    reference = Reference(converted)
    with torch.no_grad():
        theirs = module(x_test)
    number = converted.types[converted.scores or ""].element
    if not np.array_equal(number.to_real(reference(x_test).numpy()), theirs.numpy()):  # pyright: ignore
        raise SystemExit("the converted network computes otherwise than the trained one")
    test = float((reference.predict(x_test).numpy() == y_test).mean())
    over = int(((x_test > 0).sum((1, 2, 3)) > options.slots).sum())
    print(
        f"test accuracy {test:.4f} on {TEST} images, {over} have more than {options.slots} pixels"
    )
    if str(options.out) == "none":
        return
    meta = {k: v for k, v in vars(options).items() if k != "out"}
    meta |= {"test_accuracy": round(test, 4), "test_images_cut": over}
    converted = replace(converted, meta={**converted.meta, "training": meta})
    write_network(converted, options.out / "sparse_digits.lgn")
    np.savez_compressed(
        options.out / "sparse_digits.npz", x=x_test.numpy(), y=np.asarray(y_test, dtype=np.uint8)
    )


if __name__ == "__main__":
    main()
