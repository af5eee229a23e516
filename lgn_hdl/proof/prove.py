"""The proof of a build, from the trained network to the last netlist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline
from ..network import Network
from .aig import Aig
from .argmax import match_fails, pairing_faults
from .circuits import Circuits, read_hardware
from .claims import Claim, Prover
from .compressors import tree_faults
from .counterexample import Comparison, Counterexample
from .netlist import Net, Netlist
from .registers import register_faults, reset_faults
from .witness import Witness, sums_differ

__all__ = ["prove"]


def prove(
    network: Network,
    program: LogicProgram,
    pipeline: Pipeline,
    rtlil: Path,
    workdir: Path,
    *,
    argmax: bool,
    mapped: Path | None = None,
    timeout: float | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda claim: None,
) -> list[Claim]:
    """Prove that hardware computes what a network computes, for every input.

    The chain: the bits that the network counts are those of a witness (its simplified gates, with
    nothing fused); the witness' sums are the program's, as polynomials; the compressor trees add
    up; the argmax is one; the RTL, its registers seen through, is the scheduled program; and all
    its registers move in step, as many on every path.

    Parameters
    ----------
    network : Network
        With a number format on its input.
    program : LogicProgram
        What the passes made of it.
    pipeline : Pipeline
        The schedule of the program.
    rtlil : Path
        The hardware that was made of them.
    workdir : Path
        For scripts, netlists and the solver's files.
    argmax : bool
        Whether the hardware gives the class index.
    mapped : Path, optional
        RTLIL of the hardware mapped to generic LUTs.
    timeout : float, optional
        Limit for each call of the solver in seconds.
    seed : int
        Of the samples tried when a counterexample is to be shown.
    progress : callable
        Told each claim before it is tried.

    Returns
    -------
    list of Claim

    Raises
    ------
    Refuted
        At the first claim that does not hold, with a sample that shows it.
    ToolError
        If Yosys or ABC fails.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    progress("reading the netlist")
    circuits = Circuits.of(network, program, pipeline, argmax)
    aig = circuits.aig
    netlist, values = read_hardware(circuits, rtlil, workdir)

    show = _shown(circuits, netlist, values, seed)
    prover = Prover(aig, workdir, timeout, show, progress)
    _program(prover, circuits)
    _blocks(prover, circuits)
    prover.never(
        "RTL = scheduled program",
        "cec from the features to every result, registers seen through",
        lambda: _results_differ(circuits, netlist, values),
    )
    _handshake(prover, circuits, netlist, values)
    _registers(prover, "of the RTL", circuits, netlist, values)
    if mapped is not None:
        luts, lut_values = read_hardware(circuits, mapped, workdir, mapped=True)
        prover.show = _shown(circuits, luts, lut_values, seed)
        ports = [port for port, is_input in netlist.is_input.items() if not is_input]
        prover.never(
            "LUTs = RTL",
            "cec of the whole mapped netlist, from the features to every output",
            lambda: _differ(
                aig,
                [literal for port in ports for literal in _port(netlist, values, port)],
                [literal for port in ports for literal in _port(luts, lut_values, port)],
            ),
        )
        _registers(prover, "of the LUTs", circuits, luts, lut_values)
    return prover.claims


def _shown(
    circuits: Circuits, netlist: Netlist, values: Mapping[Net, int], seed: int
) -> Callable[[np.ndarray | None], Counterexample | None]:
    """Looks for a sample on which a netlist differs from the network."""

    def show(inputs: np.ndarray | None) -> Counterexample | None:
        comparison = Comparison(circuits, circuits.fields(_port(netlist, values, "o__payload")))
        found = inputs is not None and comparison.confirm(circuits.features(inputs[None]))
        return found or comparison.search(seed)

    return show


def _program(prover: Prover, circuits: Circuits) -> None:
    """Network = program."""
    aig, meaning = circuits.aig, circuits.meaning
    witness = Witness.of(aig, circuits.network)
    expected, found = [*chain(*meaning.groups), *meaning.bits], witness.bits
    prover.never(
        "simplified gates = network",
        f"cec of {len(found):,} bits from the features, comparisons on both sides",
        lambda: _differ(aig, expected, found),
    )
    if meaning.groups:
        prover.never(
            "weighted sums = counts of the network",
            f"{len(meaning.groups)} sums, as polynomials over the same signals",
            lambda: sums_differ(circuits, witness),
        )
    if meaning.bits:
        leaving = [circuits.signals[signal] for signal in circuits.program.bits.tolist()]
        prover.never(
            "bits of the program = bits of the network",
            f"cec of {len(leaving):,} bits from the features",
            lambda: _differ(aig, found[len(found) - len(leaving) :], leaving),
        )


def _blocks(prover: Prover, circuits: Circuits) -> None:
    """Compressor trees and argmax, each at its own inputs."""
    trees = circuits.pipeline.sums
    if trees:
        counters = sum(len(class_sum.tree.counters) for class_sum in trees)
        prover.faultless(
            "compressor trees = weighted sums",
            f"{counters:,} counters: sum in = sum out for every pattern; every bit counted once",
            lambda: tree_faults(circuits.program, circuits.pipeline),
        )
    if circuits.with_class:
        classes, rounds = len(trees), len(circuits.pipeline.argmax_stage)
        width = max(len(class_sum.tree.result) for class_sum in trees)
        prover.local(
            "match of two scores = the larger, the first of equal ones",
            f"SAT over all pairs of {width}-bit scores",
            lambda: match_fails(width),
        )
        prover.faultless(
            "argmax = first of the largest scores",
            f"induction over {classes - 1} matches of neighbours",
            lambda: pairing_faults(classes, rounds),
        )


def _registers(
    prover: Prover, where: str, circuits: Circuits, netlist: Netlist, values: Mapping[Net, int]
) -> None:
    """All in step, the same number on every path; a combinational design has none."""
    latency, count = circuits.pipeline.latency, len(netlist.registers)
    (advance,) = _port(netlist, values, "i__ready")
    prover.faultless(
        f"registers {where} keep samples apart",
        f"{count:,} registers, {latency} on every path, one enable: on the netlist",
        lambda: register_faults(netlist, latency, values, advance),
    )
    if latency:
        prover.faultless(
            f"rst empties the pipeline {where}",
            f"{latency} registers from i__valid to o__valid, each cleared by rst: on the netlist",
            lambda: reset_faults(netlist),
        )


def _results_differ(circuits: Circuits, netlist: Netlist, values: Mapping[Net, int]) -> int:
    intended = circuits.intended()
    found = circuits.fields(_port(netlist, values, "o__payload"))
    expected = [literal for name in found for literal in intended[name]]
    return _differ(circuits.aig, expected, [*chain(*found.values())])


def _handshake(
    prover: Prover, circuits: Circuits, netlist: Netlist, values: Mapping[Net, int]
) -> None:
    """A result waits in the last register until it is taken, and all stand still behind it."""
    aig, latency = circuits.aig, circuits.pipeline.latency
    valid, ready = aig.inputs[-2:]
    advance = aig.disjunction(ready, valid ^ 1) if latency else ready
    expected = {"o__valid": valid, "i__ready": advance}
    prover.faultless(
        "handshake of the RTL",
        "o__valid follows i__valid; i__ready as o__ready, or nothing waits: on the netlist",
        lambda: [
            f"{port} is another function of i__valid and o__ready"
            for port, literal in expected.items()
            if _port(netlist, values, port) != [literal]
        ],
    )


def _port(netlist: Netlist, values: Mapping[Net, int], name: str) -> list[int]:
    return [values[net] for net in netlist.ports[name]]


def _differ(aig: Aig, expected: Sequence[int], found: Sequence[int]) -> int:
    pairs = zip(expected, found, strict=True)
    return aig.any(aig.exclusive(a, b) for a, b in pairs)
