"""The command line: arguments in, progress and results out, no logic."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from .arguments import make_parser
from .errors import LgnError

__all__ = ["main"]

#: Wrong input, wrong options, a mismatch: one line on standard error and this exit status.
FAILURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    options = make_parser().parse_args(arguments)
    # Place and route runs in process groups of its own: they are stopped on the way out.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        result = _COMMANDS[options.command](options)
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
            pixels_per_clock=options.pixels_per_clock,
            slots_per_clock=options.slots_per_clock,
            constants=options.constants,
            mapping=options.mapping,
            pdk_root=options.pdk_root,
            wire_ff=options.wire_ff,
            handoff=options.handoff,
            macro_name=options.macro_name,
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
        result = simulate(options.folder, x, seed=options.seed, gates=options.gates)
    if not options.json:
        blocks = "" if options.gates else " and every block as expected"
        print(
            f"{result.samples:,} samples: results equal to PyTorch{blocks}, "
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


_COMMANDS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "build": _build,
    "sim": _sim,
    "infer": _infer,
    "info": _info,
}
