"""The command line: arguments in, progress and results out, no logic."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .errors import LgnError

__all__ = ["main"]

#: Wrong input, wrong options, a mismatch: one line on standard error and this exit status.
FAILURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    options = _parser().parse_args(arguments)
    # Place and route runs in process groups of its own: they are stopped on the way out.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        result = options.run(options)
        if options.json:
            print(json.dumps(result, indent=2, allow_nan=False))
        sys.stdout.flush()  # here, where a closed pipe is caught
    except LgnError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"lgn_hdl: error: {error}", file=sys.stderr)
        return FAILURE
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("lgn_hdl: interrupted", file=sys.stderr)
        return 130
    return 0


def _stop(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lgn_hdl",
        description="Trained logic-gate networks as hardware that computes exactly the same.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="compile a model into a folder")
    _model_arguments(build)
    build.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    build.add_argument(
        "--target",
        default="verilog",
        metavar="NAME",
        help="rtlil, verilog, lut4, lut6, xilinx, xcup, ecp5, ice40 or gowin (default: verilog)",
    )
    stages = build.add_argument_group("pipelining (one of)")
    stages.add_argument(
        "--clock-mhz",
        type=float,
        metavar="F",
        help="place registers for this clock (default: a clock per target)",
    )
    stages.add_argument(
        "--levels-per-stage", type=int, metavar="N", help="place registers after every N levels"
    )
    stages.add_argument("--combinational", action="store_true", help="no registers, no clock")
    build.add_argument(
        "--fold",
        choices=["none", "sums", "gates"],
        default="none",
        help="take less area and more clocks: one counter for all class sums, or the gates as a "
        "program in memory (default: none)",
    )
    build.add_argument(
        "--fold-width",
        type=int,
        metavar="N",
        help="terms or gates worked on in a clock (default: 16 terms, 1 gate)",
    )
    build.add_argument(
        "--reuse",
        choices=["none", "column", "row", "position"],
        default="none",
        help="let the positions of convolutions take turns at the same gates: a column, a row or "
        "one position of an image per clock (default: none)",
    )
    build.add_argument(
        "--front",
        choices=["whole", "slices", "rows"],
        default="whole",
        help="how a sample comes to a front end: all at once, or one index of the first axis a "
        "clock, such as a time slice; how an image comes to a sparse CNN: whole, or one row a "
        "clock (default: whole)",
    )
    build.add_argument(
        "--rows-per-clock",
        type=int,
        metavar="N",
        help="rows of a whole image in which a sparse CNN looks for active pixels (default: 1)",
    )
    build.add_argument(
        "--slots-per-clock",
        metavar="N[,BLOCK=N...]",
        help="active pixels that the layers of a sparse CNN work on (default: enough to keep up "
        "with the image), and other numbers for single blocks",
    )
    build.add_argument(
        "--constants",
        choices=["digits", "alkaid"],
        default="digits",
        help="how dense layers of a sparse CNN that take a whole vector in a clock are made: "
        "products one by one, or additions that alkaid shares (default: digits)",
    )
    on_board = build.add_argument_group("on a board")
    on_board.add_argument(
        "--board",
        metavar="NAME",
        help="make a bitstream for icebreaker, hx8k, ulx3s, tangnano9k, a Vivado project for "
        "arty_a7, or either for package.module:Class",
    )
    on_board.add_argument(
        "--fit", action="store_true", help="fold as much as the board needs, from --fold on"
    )
    on_board.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="try N placements, keep the fastest"
    )
    on_board.add_argument(
        "--allow-timing-fail", action="store_true", help="keep a result that misses the clock"
    )
    on_board.add_argument("--baud", type=int, metavar="N", help="of the serial port")
    on_board.add_argument(
        "--pnr-timeout",
        type=float,
        metavar="SECONDS",
        help="limit for place and route (default: none; 1800 with --fit)",
    )
    build.add_argument("--no-argmax", action="store_true", help="scores only, no class index")
    build.add_argument(
        "--counters",
        choices=["full-adders", "counters"],
        help="what the class sums are made of (default: by target)",
    )
    build.add_argument(
        "--samples",
        type=Path,
        metavar="NPZ",
        help="samples x and labels y for the vectors and the accuracy",
    )
    build.add_argument(
        "--vectors",
        type=int,
        metavar="N",
        help="test vectors to write (default: 512, for a sparse CNN 40)",
    )
    build.add_argument("--seed", type=int, default=0, metavar="N")
    build.add_argument(
        "--prove",
        action="store_true",
        help="prove that the hardware is the network, for every input (needs Yosys)",
    )
    build.set_defaults(run=_build)

    sim = commands.add_parser("sim", help="simulate a build against PyTorch in cocotb")
    sim.add_argument("folder", type=Path, metavar="DIR")
    sim.add_argument("--samples", type=Path, metavar="NPZ", help="instead of the build's vectors")
    sim.add_argument("--seed", type=int, default=0, metavar="N", help="of the back-pressure")
    sim.add_argument(
        "--uart",
        action="store_true",
        help="the device of a board, through its serial pins, damaged frames included",
    )
    sim.set_defaults(run=_sim)

    infer = commands.add_parser("infer", help="let a board classify samples, and compare")
    infer.add_argument("samples", type=Path, metavar="NPZ", help="samples x, and labels y if known")
    infer.add_argument("--port", required=True, help="serial port, such as /dev/ttyUSB0")
    infer.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="the build's folder or network.lgn: every answer is compared with it",
    )
    infer.add_argument("--baud", type=int, default=None, metavar="N")
    infer.add_argument("-o", "--output", type=Path, metavar="NPZ", help="write the answers")
    infer.set_defaults(run=_infer)

    info = commands.add_parser("info", help="say what a model is")
    _model_arguments(info)
    info.set_defaults(run=_info)

    for command in (build, sim, infer, info):
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help=".lgn, a state_dict of torchlogix, difflogic or torch-dwn, a gate list "
        "(.pth, .npz, .csv), or a SparsePixels model (.keras, .weights.h5)",
    )
    parser.add_argument(
        "--groups", type=int, metavar="K", help="number of classes, where the file does not tell it"
    )
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="NPZ",
        help="thresholds of inputs that are not bits, where the file does not hold them",
    )
    parser.add_argument("--inputs", type=int, metavar="N", help="number of input bits, likewise")
    parser.add_argument(
        "--arch",
        type=Path,
        metavar="JSON",
        help="architecture of a torchlogix state_dict or a .weights.h5 (default: the .json beside "
        "it)",
    )
    parser.add_argument(
        "--indices",
        type=Path,
        metavar="FILE",
        help="connections of a difflogic state_dict (default: the .indices.npz beside it)",
    )
    parser.add_argument(
        "--slots",
        type=int,
        metavar="N",
        help="active pixels that a SparsePixels model keeps (its n_max_pixels)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="pixels of a SparsePixels model above this are active (default: 0)",
    )
    parser.add_argument(
        "--input-format",
        metavar="FMT",
        help="of real inputs, such as 'ufixed<8,0>' or 'fixed<16,6>'",
    )
    parser.add_argument("--classes", metavar="A,B,...", help="names of the classes")


def _load(options: argparse.Namespace, input_format: str | None = None):
    from .api import load

    return load(
        options.model,
        options.groups,
        options.thresholds,
        architecture=options.arch,
        indices=options.indices,
        inputs=options.inputs,
        slots=options.slots,
        threshold=options.threshold,
        input_format=input_format,
        classes=options.classes.split(",") if options.classes else (),
    )


def _build(options: argparse.Namespace) -> dict[str, Any]:
    from .compiler import build

    with _progress("build", options.json) as step:
        step("loading")
        # What the quantisers of such a model do to pixels depends on their format.
        keras = options.model.suffix in (".keras", ".h5")
        model = _load(options, options.input_format if keras else None)
        result = build(
            model,
            options.output,
            target=options.target,
            input_format=options.input_format,
            clock_mhz=options.clock_mhz,
            levels_per_stage=options.levels_per_stage,
            combinational=options.combinational,
            argmax=not options.no_argmax,
            counters=options.counters,
            vectors=options.vectors,
            seed=options.seed,
            samples=options.samples,
            prove=options.prove,
            fold=options.fold,
            fold_width=options.fold_width,
            reuse=options.reuse,
            board=options.board,
            baud=options.baud,
            fit=options.fit,
            seeds=options.seeds,
            allow_timing_fail=options.allow_timing_fail,
            front=options.front,
            rows_per_clock=options.rows_per_clock,
            slots_per_clock=options.slots_per_clock,
            constants=options.constants,
            pnr_timeout=options.pnr_timeout,
            progress=step,
        )
    report = result.report
    if not options.json:
        _say((options.output / "report.md").read_text())
        print(
            f"Written to {options.output}: "
            + ", ".join(sorted(path.name for path in options.output.iterdir()))
        )
    return json.loads(report.to_json())


def _sim(options: argparse.Namespace) -> dict[str, Any]:
    from .compiler import read_samples, simulate, simulate_board

    with _progress("simulation", options.json) as step:
        step("cocotb")
        x = options.samples
        if options.uart:
            x = read_samples(x).x if x else None
            through = simulate_board(options.folder, x, seed=options.seed)
            if not options.json:
                tried = ", ".join(f"{name} {count}" for name, count in through.checks.items())
                print(
                    f"{through.samples:,} samples through the serial pins: answers equal to "
                    f"PyTorch, {through.samples_per_second:,.0f} samples/s; damage tried: {tried}"
                )
            return dict(through.__dict__)
        result = simulate(options.folder, x, seed=options.seed)
    if not options.json:
        print(
            f"{result.samples:,} samples: results equal to PyTorch and every block as expected, "
            f"{result.cycles:,} clocks, {result.stalls:,} of them stalled by back-pressure"
        )
    return dict(result.__dict__)


def _infer(options: argparse.Namespace) -> dict[str, Any]:
    from .compiler.infer import infer

    with _progress("infer", options.json) as step:
        step("asking the board")
        chosen = {} if options.baud is None else {"baud": options.baud}
        result = infer(
            options.port,
            options.samples,
            options.model,
            output=options.output,
            progress=lambda done, total: step(f"{done:,} of {total:,} samples"),
            **chosen,
        )
    if not options.json:
        checked = "equal to the model on every one" if result.compared else "not compared"
        print(
            f"{result.samples:,} samples, {checked}: {result.samples_per_second:,.0f} samples/s, "
            f"{result.retransmissions:,} frames sent again"
        )
        if result.accuracy is not None:
            print(f"accuracy {100 * result.accuracy:.2f} %")
    return result.as_dict()


def _info(options: argparse.Namespace) -> dict[str, Any]:
    model = _load(options, options.input_format)
    network = model.network
    layers = [
        {
            "name": node.name,
            "type": type(node.layer).__name__,
            "inputs": list(node.inputs),
            "output": str(network.types[node.name]),
        }
        for node in network.nodes
    ]
    found: dict[str, Any] = {
        "inputs": {name: str(tensor) for name, tensor in network.inputs.items()},
        "layers": layers,
        "outputs": list(network.outputs),
        "classes": list(model.classes),
        "meta": dict(network.meta),
    }
    if not options.json:
        for name, tensor in found["inputs"].items():
            print(f"input  {name}: {tensor}")
        for layer in layers:
            print(f"layer  {layer['name']}: {layer['type']} -> {layer['output']}")
        print(f"output {', '.join(found['outputs'])}")
        for key, value in found["meta"].items():
            inner = value.items() if isinstance(value, dict) else ()
            for name, part in [(f"{key}.{name}", part) for name, part in inner] or [(key, value)]:
                print(f"{name}: {_shortened(part)}")
    return found


def _shortened(value: Any) -> str:
    """A value of the meta data on one line that can be read; `--json` has all of it."""
    text = str(value)
    if len(text) <= 200:
        return text
    if isinstance(value, str):  # such as the command that made the network
        return text if len(text) <= 400 else f"{text[:400]}..."
    return f"{len(value)} entries" if isinstance(value, (dict, list, tuple)) else f"{text[:200]}..."


def _say(markdown: str) -> None:
    """The report as a page in a terminal, as text in a file."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(markdown))
    else:
        print(markdown)


class _progress:
    """What is going on and for how long, on standard error, if a person is looking."""

    def __init__(self, title: str, quiet: bool):
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task(title)
        self._title = title

    def __enter__(self) -> Callable[[str], None]:
        self._bar.start()
        return lambda step: self._bar.update(self._task, description=f"{self._title}: {step}")

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
