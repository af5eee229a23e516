"""Run the RTL of a build in cocotb and compare it with PyTorch."""

from __future__ import annotations

import importlib
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from ..errors import BuildError, FormatError, ToolError, VerifyError
from ..flow import with_single_wires
from ..model import Inputs, Model

__all__ = ["SimResult", "simulate", "simulator", "write_vectors_for"]


@dataclass(frozen=True)
class SimResult:
    """A simulation without a mismatch."""

    samples: int
    cycles: int
    stalls: int


def simulate(
    out: str | Path,
    x: Inputs | Path | str | None = None,
    *,
    seed: int = 0,
    gates: bool = False,
) -> SimResult:
    """Simulate the build in folder `out` with Icarus Verilog.

    Parameters
    ----------
    out : str or Path
        Made by `build`.
    x : array_like, shape (n, *input shape), mapping of str to such, str or Path, optional
        Real-valued samples, of each input by name if there are several, or an .npz of them; by
        default the build's own vectors.
    seed : int
        Of the random back-pressure.
    gates : bool
        Simulate the netlist of standard cells, without delays, instead of the Verilog before it;
        its results are compared, what goes on inside is not.

    Returns
    -------
    SimResult

    Raises
    ------
    VerifyError
        At the first mismatch, with the sample, the block and the bits.
    ToolError
        If the simulator is missing or fails.
    """
    out = Path(out)
    verilog = ["netlist.v", "cells.v"] if gates else ["top.v"]
    for name in (*verilog, "vectors.npz", "network.lgn", "report.json"):
        if not (out / name).is_file():
            raise FormatError(
                f"has no {name}",
                where=str(out),
                hint="run lgn_hdl build first, with "
                + ("--target sky130" if gates else "another target than rtlil"),
            )
    with tempfile.TemporaryDirectory(prefix="lgn_hdl_sim_") as folder:
        workdir = Path(folder)
        vectors = out / "vectors.npz"
        if x is not None:
            vectors = workdir / "vectors.npz"
            write_vectors_for(out, x, vectors)
        sources = [out / name for name in verilog]
        if gates:
            vectors = _results_only(vectors, workdir / "results.npz")
            sources[0] = with_single_wires(sources[0], sources[1], workdir)
        with simulator(out, workdir):
            outcome = _runner().run(sources, vectors, workdir, seed=seed)
    mismatch = outcome["mismatch"]
    if mismatch is not None:
        bits = ", ".join(map(str, mismatch["bits"])) or "none"
        raise VerifyError(
            f"sample {mismatch['sample']}, block {mismatch['block']}, bits {bits}: "
            f"expected {mismatch['expected']}, found {mismatch['found']}",
            where=str(out / verilog[0]),
        )
    return SimResult(outcome["samples"], outcome["cycles"], outcome["stalls"])


def _results_only(vectors: Path, path: Path) -> Path:
    """The vectors without those of blocks, whose wires a netlist may not have."""
    with np.load(vectors) as file:
        arrays = dict(file)
    kept = arrays["blocks"] == "result"
    arrays |= {"blocks": arrays["blocks"][kept], "paths": arrays["paths"][kept]}
    np.savez(path, **arrays)
    return path


@contextmanager
def simulator(out: Path, workdir: Path) -> Iterator[None]:
    """Failures of the simulator as errors of this package, its log kept in `out`.

    Raises
    ------
    ToolError
        If the simulator is missing or fails.
    """
    try:
        yield
    except FileNotFoundError:
        raise ToolError(
            "Icarus Verilog is not installed: no `iverilog` on PATH",
            hint="apt-get install iverilog",
        ) from None
    except RuntimeError as error:
        log = workdir / "sim.log"
        if log.exists():
            (out / "sim.log").write_bytes(log.read_bytes())
        raise ToolError(str(error).replace(str(workdir), str(out))) from None


def _runner() -> ModuleType:
    """The bench's runner: inside the package in a wheel, beside it in a checkout."""
    inside = importlib.util.find_spec("lgn_hdl.sim")
    return importlib.import_module("lgn_hdl.sim.runner" if inside else "sim.runner")


def write_vectors_for(out: Path, x: Inputs | Path | str, path: Path) -> None:
    """Vectors for other samples: compile the stored network again, with the stored options."""
    from .design import plan
    from .options import BuildOptions
    from .samples import read_samples
    from .vectors import answers_to, block_vectors

    model = Model.read(out / "network.lgn")
    stored = json.loads((out / "report.json").read_text())["options"]
    known = set(BuildOptions.__dataclass_fields__)
    if known != set(stored):
        raise BuildError(
            "was built by another version", where=str(out), hint="run lgn_hdl build again"
        )
    design = plan(model.network, BuildOptions(**stored))
    if isinstance(x, (str, Path)):
        x = read_samples(x, model.network.inputs).x
    np.savez(path, **block_vectors(design, answers_to(design, x)))  # pyright: ignore[reportArgumentType]
