"""Train the digits example: scikit-learn's 8 x 8 images of handwritten digits, on a logic-gate net.

    python examples/train_digits.py            writes examples/digits.lgn and examples/digits.npz

Needs torchlogix 0.2.2 (so Python 3.12 or newer) and scikit-learn; takes a few minutes on one CPU
core. The 1797 images are split once and for all: 450 for the test, 200 for choosing the best
epoch, the rest for training, with some noise on the grey values. Pixels are integers from 0 to 16,
so a threshold of 3.5 says "at least 4".
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
from torch import nn
from torchlogix.layers import (  # pyright: ignore[reportMissingImports]
    FixedBinarization,
    GroupSum,
    LogicDense,
)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lgn_hdl.frontends import convert  # noqa: E402
from lgn_hdl.network import write_network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402

TEST, VALIDATION = 450, 200


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the digits example.")
    parser.add_argument("--layers", type=int, nargs="+", default=[500, 300])
    parser.add_argument("--thresholds", type=float, nargs="+", default=[3.5, 8.5, 12.5])
    parser.add_argument("--kind", default="light", choices=["raw", "light", "warp"])
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--tau", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--out", type=Path, default=HERE, help="folder; 'none' writes nothing"
    )
    return parser.parse_args()


def network(options: argparse.Namespace) -> nn.Sequential:
    layers: list[nn.Module] = [FixedBinarization(torch.tensor(options.thresholds)), nn.Flatten()]
    width = 64 * len(options.thresholds)
    for neurons in options.layers:
        layers.append(
            LogicDense(
                width,
                neurons,
                lut_rank=options.rank,
                parametrization=options.kind,
                connections="learnable" if options.candidates > 1 else "fixed",
                connections_kwargs={"num_candidates": options.candidates}
                if options.candidates > 1
                else {},
            )
        )
        width = neurons
    return nn.Sequential(*layers, GroupSum(10, tau=options.tau))


def varied(x: torch.Tensor, strength: float) -> torch.Tensor:
    """Grey values with some noise, so that thresholds are not learned by heart."""
    return x + strength * torch.randn_like(x)


def accuracy(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    module.eval()
    with torch.no_grad():
        return float((module(x).argmax(1) == y).float().mean())


def train(options: argparse.Namespace, x, y, x_validation, y_validation) -> nn.Module:
    module = network(options)
    steps = options.epochs * -(-len(x) // 100)
    optimizer = torch.optim.Adam(module.parameters(), options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, options.rate / 20)
    best, kept = -1.0, {}
    for epoch in range(options.epochs):
        module.train()
        total = 0.0
        for index in torch.randperm(len(x)).split(100):
            loss = nn.functional.cross_entropy(module(varied(x[index], options.noise)), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(index)
        found = accuracy(module, x_validation, y_validation)
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
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype(np.uint8)
    x, x_test, y, y_test = train_test_split(
        images, labels, test_size=TEST, random_state=0, stratify=labels
    )
    x, x_val, y, y_val = train_test_split(x, y, test_size=VALIDATION, random_state=0, stratify=y)
    as_tensors = [torch.from_numpy(np.asarray(a)) for a in (x, y, x_val, y_val)]
    as_tensors[0], as_tensors[2] = as_tensors[0].float(), as_tensors[2].float()
    module = train(options, *as_tensors)

    with_format = {"input_format": "ufixed<5,5>", "classes": [str(i) for i in range(10)]}
    converted = convert(module, (8, 8), **with_format)
    ours = Reference(converted).predict(x_test)
    theirs = module(torch.from_numpy(x_test).float()).argmax(1)
    if not torch.equal(ours, theirs):
        raise SystemExit("the converted network decides otherwise than the trained one")
    test = float((ours.numpy() == y_test).mean())
    print(f"{sum(options.layers)} gates, test accuracy {test:.4f} on {len(x_test)} images")
    if str(options.out) == "none":
        return
    meta = {k: v for k, v in vars(options).items() if k != "out"}
    meta |= {"test_accuracy": round(test, 4)}
    converted = replace(converted, meta={**converted.meta, "training": meta})
    write_network(converted, options.out / "digits.lgn")
    np.savez_compressed(options.out / "digits.npz", x=x_test, y=np.asarray(y_test, dtype=np.uint8))


if __name__ == "__main__":
    main()
