"""Networks on boards: bitstreams by the open tools, and what they reach.

    python benchmarks/on_boards.py [--out DIR] [--images 50] [NAME ...]

NAME is a part of a row's name. The digits network comes with the project, the others from the
folder of shared models (LGN_HDL_SHARED, default ../shared). Every row is built, and `--images`
samples are sent through the serial pins of its simulated device, in cocotb, and compared with
PyTorch; damaged frames come on top. Place and route of the tt10 networks takes minutes each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mnist import resized
from shared import load, shared_folder

import lgn_hdl
from lgn_hdl.compiler import Samples, read_samples, simulate_board

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Row:
    """A network, a board, and the options of the build."""

    network: str
    board: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in the table."""
        extra = " ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.network} on {self.board} {extra}".strip()


ROWS = (
    Row("digits", "icebreaker", {"fold": "sums"}),
    Row("digits", "icebreaker"),
    Row("digits", "hx8k"),
    Row("digits", "ulx3s"),
    Row("digits", "tangnano9k"),
    Row("digits", "arty_a7"),
    Row("tt10 3x2000", "icebreaker", {"fold": "sums"}),
    Row("tt10 3x2550", "icebreaker", {"fold": "sums"}),
    Row("tt10 3x2550", "icebreaker", {"fold": "gates", "fold_width": 2, "clock_mhz": 36}),
    Row("tt10 6x4000", "ulx3s", {"levels_per_stage": 8}),
)
#: What a logic cell is called, by family.
CELLS = ("ICESTORM_LC", "TRELLIS_COMB", "LUT4")
#: The author's threshold of a pixel; that of 3x2000 is not known, the same is taken.
THRESHOLD = {"tt10 3x2000": 0.05, "tt10 3x2550": 0.05, "tt10 6x4000": 0.1}


def samples_of(network: str, count: int) -> Samples:
    """Real images with their labels."""
    if network == "digits":
        digits = read_samples(EXAMPLES / "digits.npz")
        return digits
    with np.load(shared_folder() / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = (data[name][: max(count, 1000)] for name in data.files)
    return Samples(resized(THRESHOLD[network])(images), labels, "MNIST, training images")


def model_of(network: str) -> lgn_hdl.Model:
    """The trained network."""
    return lgn_hdl.load(EXAMPLES / "digits.lgn") if network == "digits" else load(network)


def measure(row: Row, out: Path, images: int) -> str:
    """Build, simulate, and return a row of the table."""
    samples = samples_of(row.network, images)
    start = time.perf_counter()
    result = lgn_hdl.build(
        model_of(row.network),
        out,
        board=row.board,
        samples=samples,
        vectors=images,
        allow_timing_fail=True,
        **row.options,
    )
    built = time.perf_counter() - start
    report, board = result.report, result.report.board
    accuracy, resources = report.model.accuracy, report.resources
    assert board is not None
    assert resources is not None
    assert accuracy is not None
    through = simulate_board(out)
    used = [board.utilisation[name] for name in CELLS if name in board.utilisation]
    cells = f"{used[0]['used']:,}/{used[0]['available']:,}" if used else "-"
    fmax = "-" if board.fmax_mhz is None else f"{board.fmax_mhz:.1f}"
    return (
        f"| {row.name} | {resources.lut:,} | {resources.ff:,} | {cells} "
        f"| {board.clock_mhz:g} | {fmax} | {report.timing.latency_ns:.1f} "
        f"| {report.timing.samples_per_second:,.0f} | {board.link['samples_per_second']:,.0f} "
        f"| {100 * accuracy['accuracy']:.2f} % "
        f"| {through.samples} equal, {sum(through.checks.values())} damaged | {built:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Networks on boards")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the row's name")
    parser.add_argument("--out", type=Path, help="keep the builds in this folder")
    parser.add_argument("--images", type=int, default=50)
    options = parser.parse_args()
    print(
        "| Network | LUT | FF | Cells | Clock MHz | Fmax MHz | Latency ns | Samples/s "
        "| through the UART | Accuracy | Simulated through the pins | Build s |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for row in ROWS:
            if not options.names or any(name in row.name for name in options.names):
                folder = (options.out or Path(temporary)) / row.name.replace(" ", "_")
                print(measure(row, folder, options.images), flush=True)


if __name__ == "__main__":
    main()
