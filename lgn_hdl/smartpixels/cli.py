"""The command line of the application: arguments in, progress and results out."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ..errors import LgnError

__all__ = ["main"]

FAILURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status, 2 for bad input."""
    options = _parser().parse_args(arguments)
    # A command that is stopped takes its unfinished folder away.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        options.run(options)
        sys.stdout.flush()
    except LgnError as error:
        print(f"lgn_hdl.smartpixels: error: {error}", file=sys.stderr)
        return FAILURE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"lgn_hdl.smartpixels: error: {place}{error.strerror}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("lgn_hdl.smartpixels: interrupted", file=sys.stderr)
        return 130
    return 0


def _stop(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lgn_hdl.smartpixels",
        description="Filters for low-momentum tracks in a pixel sensor: data, training, figures.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    make = commands.add_parser("generate", help="write synthetic clusters as parquet files")
    make.add_argument("-o", "--out", type=Path, required=True, help="folder")
    make.add_argument("-n", "--clusters", type=int, default=10_000)
    make.add_argument("--per-file", type=int, default=5_000)
    make.add_argument("--seed", type=int, default=0)
    make.add_argument("--noise", type=float, help="electrons rms (default 80)")
    make.add_argument("--threshold", type=float, help="electrons (default 400)")
    make.set_defaults(run=_generate)

    train = commands.add_parser("train", help="train one network; logic gates need torchlogix")
    train.add_argument("network", choices=["mlp", "cnn", "dense", "conv"])
    train.add_argument(
        "-o", "--out", type=Path, required=True, help="file: .lgn, or .pt for mlp, cnn"
    )
    train.add_argument("--size", choices=["example", "full", "small-head"], default="example")
    train.add_argument("--features", type=int, choices=[9, 14], help="of the dense network")
    train.add_argument("--layers", type=int, nargs="+", help="gates of the dense layers")
    train.add_argument("--kernels", type=int, nargs=4, help="of the logic convolutions")
    train.add_argument("--bits", type=int, help="thresholds per feature")
    train.add_argument("--tau", type=float, help="of the group sum")
    train.add_argument(
        "--thresholds", choices=["shared", "own"], help="one set for all rows, or one for each"
    )
    train.add_argument(
        "--talk-view", action="store_true", help="order of bits as in the talk's code"
    )
    _data_arguments(train, "100,000, for conv 60,000")
    train.add_argument("--epochs", type=int)
    train.add_argument("--batch", type=int)
    train.add_argument("--rate", type=float)
    train.add_argument("--patience", type=int)
    train.add_argument("--temperature", type=float, help="of soft gates in the last epoch")
    train.add_argument("--warm", type=float, help="share of the epochs before it falls")
    train.add_argument("--minutes", type=float, help="stop after the epoch that passes this time")
    train.add_argument("--seed", type=int)
    train.add_argument("--samples", type=Path, help="also write test samples for a build, .npz")
    train.add_argument("--sample-count", type=int, default=2000)
    train.set_defaults(run=_train)

    test = commands.add_parser("evaluate", help="measure trained networks, plot")
    test.add_argument("models", type=Path, nargs="+", help=".lgn or .pt")
    test.add_argument("-o", "--out", type=Path, required=True, help="folder")
    _data_arguments(test, "40,000")
    test.set_defaults(run=_evaluate)

    again = commands.add_parser("reproduce", help="everything from nothing: plots and gate table")
    again.add_argument("-o", "--out", type=Path, required=True, help="folder")
    again.add_argument("-n", "--clusters", type=int, default=100_000, help="to train baselines on")
    again.add_argument("--test-clusters", type=int, default=40_000)
    again.add_argument("--models", type=Path, nargs="+", default=[], help="default: the examples")
    again.add_argument("--no-luts", action="store_true", help="do not map to LUT6")
    again.add_argument(
        "--liberty", type=Path, help="default: sky130 under LGN_HDL_SHARED, if it is there"
    )
    again.add_argument("--no-cells", action="store_true", help="do not map to standard cells")
    again.set_defaults(run=_reproduce)
    return parser


def _data_arguments(parser: argparse.ArgumentParser, usual: str) -> None:
    parser.add_argument("--data", type=Path, help="folder of parquet files; default: generated")
    parser.add_argument("-n", "--clusters", type=int, help=f"to generate (default {usual})")
    parser.add_argument("--boundary", type=float, help="|pT| between the classes, GeV (0.2)")


def _generate(options: argparse.Namespace) -> None:
    from .commands import generate

    generate(options, _say)


def _train(options: argparse.Namespace) -> None:
    from .traincommand import train

    train(options, _say)


def _evaluate(options: argparse.Namespace) -> None:
    from .commands import measure

    measure(options, _say)


def _reproduce(options: argparse.Namespace) -> None:
    from .commands import again

    again(options, _say)


def _say(line: str) -> None:
    """A line of progress, on standard error."""
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(line, markup=False)
