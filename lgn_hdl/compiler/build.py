"""From a model to a folder: RTL, vectors, report."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BuildError
from ..logic.verify import probe_count, probe_vectors
from ..model import Model, as_samples
from ..network import FixedPoint, write_network
from ..report import Report, to_markdown
from .design import Design, plan
from .emit import emit_files
from .options import BuildOptions
from .output import output_folder
from .report import make_report
from .samples import Samples, read_samples
from .vectors import block_vectors, checked_answers, write_vectors

__all__ = ["BuildResult", "build"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BuildResult:
    """Where the files are, and what the report says."""

    path: Path
    report: Report


def build(
    model: Model,
    out: str | Path,
    *,
    target: str = "verilog",
    input_format: FixedPoint | str | None = None,
    clock_mhz: float | None = None,
    levels_per_stage: int | None = None,
    combinational: bool = False,
    argmax: bool = True,
    counters: Any = None,
    vectors: int = 512,
    seed: int = 0,
    samples: Samples | str | Path | None = None,
    prove: bool = False,
    progress: Progress = lambda step: None,
) -> BuildResult:
    """Compile a model into the folder `out`.

    Parameters
    ----------
    model : Model
    out : str or Path
        Replaced if it holds an earlier build; anything else there is refused.
    target : str
        rtlil, verilog (no mapping), lut4, lut6, xilinx, ecp5, ice40 or gowin.
    input_format : FixedPoint or str, optional
        Number format of real inputs; by default 16 bits that cover all thresholds.
    clock_mhz : float, optional
        Place registers for this clock by the target's delay model.
    levels_per_stage : int, optional
        Or after this many levels of gates, counters or comparisons.
    combinational : bool
        Or not at all.
    argmax : bool
        Whether the hardware gives the class index beside the scores.
    counters : {"full-adders", "counters"}, optional
        What the class sums are made of; by default the target's better choice.
    vectors : int
        How many test vectors to write.
    seed : int
        Of the random vectors and of every random choice.
    samples : Samples, str or Path, optional
        Real samples, or an .npz of them (`x`, and labels `y` if they are known), for the vectors;
        with labels, the report states the accuracy.
    prove : bool
        Prove that the hardware computes what the network computes, for every input.
    progress : callable
        Told the name of each step before it starts.

    Returns
    -------
    BuildResult
        The folder holds top.v, top.il, network.lgn, vectors.npz, report.json, report.md, and for
        mapped targets the netlist.

    Raises
    ------
    LgnError
        With what was wrong, for a proof that fails with a counterexample; then `out` is as it was.
    """
    options = BuildOptions(
        target=target,
        input_format=str(input_format) if input_format is not None else None,
        clock_mhz=clock_mhz,
        levels_per_stage=levels_per_stage,
        combinational=combinational,
        argmax=argmax,
        counters=counters,
        vectors=vectors,
        seed=seed,
        prove=prove,
    ).resolved()
    if isinstance(samples, (str, Path)):
        samples = read_samples(samples)
    seconds: dict[str, float] = {}
    clock = _Stopwatch(seconds, progress)
    clock("passes")
    design = plan(model.network, options, progress)
    clock("reference")
    checks, expected, accuracy = _check_samples(model, design, samples)
    with output_folder(Path(out)) as folder:
        write_network(design.network, folder / "network.lgn")
        arrays = block_vectors(
            design.program, design.pipeline, expected, design.network, argmax=design.options.argmax
        )
        write_vectors(folder / "vectors.npz", arrays)
        emitted = emit_files(design, folder, clock)
        clock("report")
        versions = {"lgn-hdl": metadata.version("lgn-hdl"), "python": platform.python_version()}
        versions |= {name: metadata.version(name) for name in ("amaranth", "numpy", "torch")}
        clock.stop()
        report = make_report(design, emitted, checks, accuracy, versions, seconds, model.origin)
        (folder / "report.json").write_text(report.to_json())
        (folder / "report.md").write_text(to_markdown(report))
    return BuildResult(Path(out), report)


def _check_samples(model: Model, design: Design, samples: Samples | None):
    """Reference = evaluator on the samples; the vectors; the accuracy if labels are known."""
    options, network = design.options, design.network
    if samples is None:
        features = probe_vectors(design.program, options.vectors, options.seed)
        source = f"{len(features):,} random samples next to the thresholds"
    else:
        real = as_samples(network, samples.x)
        if not len(real):
            raise BuildError("there are no samples", where=samples.source)
        features = design.program.format.quantize(real)
        source = f"{len(features):,} samples of {samples.source}"
    tried = probe_count(design.program)
    expected = checked_answers(network, design.program, features)
    checks = [
        {
            "what": "every pass",
            "how": f"bit-packed evaluation before = after, {tried:,} random samples",
            "result": "equal",
        },
        {
            "what": "PyTorch reference = simplified gates",
            "how": f"bit-exact scores and bits on {source}",
            "result": "equal",
        },
    ]
    accuracy = None
    if samples is not None and samples.labels is not None and network.scores is not None:
        classes = network.types[network.scores].size
        if not ((samples.labels >= 0) & (samples.labels < classes)).all():
            raise BuildError(
                f"labels run from {samples.labels.min()} to {samples.labels.max()}, "
                f"expected 0 to {classes - 1}",
                where=samples.source,
            )
        winners = np.argmax(expected.outputs[network.scores], axis=1)
        trained = model.predict(samples.x)
        accuracy = {
            "accuracy": float(np.mean(winners == samples.labels)),
            "samples": len(winners),
            "source": samples.source,
            "trained_accuracy": float(np.mean(trained == samples.labels)),
            "decisions_changed_by_input_format": int(np.sum(trained != winners)),
        }
    return checks, expected.first(options.vectors), accuracy


class _Stopwatch:
    """Seconds of each step; reports the step's name when it starts."""

    def __init__(self, seconds: dict[str, float], progress: Progress):
        self.seconds, self.progress = seconds, progress
        self.step: str | None = None
        self.start = 0.0

    def __call__(self, step: str) -> None:
        self.stop()
        self.step, self.start = step, time.perf_counter()
        self.progress(step)

    def stop(self) -> None:
        if self.step is not None:
            spent = time.perf_counter() - self.start
            self.seconds[self.step] = round(self.seconds.get(self.step, 0.0) + spent, 3)
        self.step = None
