"""A netlist of cells against the RTL it was mapped from, register by register."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import VerifyError
from ..flow.equivalence import never_true
from ..flow.liberty import Liberty
from ..logic.evaluate import evaluate
from .aig import FALSE, TRUE, Aig
from .cellnetlist import cell_netlist
from .claims import Claim, Refuted
from .netlist import Net, Netlist, gate_netlist
from .unroll import Unrolled

__all__ = ["prove_cells"]

_WHAT = "standard cells = RTL"
_HOW = "cec of the next state of every register and of every output, from equal states and inputs"


def prove_cells(
    rtlil: Path,
    mapped: Path,
    liberty: Liberty,
    workdir: Path,
    *,
    timeout: float | None = None,
    progress: Callable[[str], None] = lambda claim: None,
) -> Claim:
    """Prove that a mapped netlist does what its RTL does, for every input and in every clock.

    Registers correspond by name. Each register of the netlist starts the clock with the value of
    the one of the RTL; if all of them, and all outputs, then end it with equal values, the two
    behave alike from any common state. Registers of the RTL that the netlist lacks may hold
    anything.

    Parameters
    ----------
    rtlil : Path
    mapped : Path
        JSON of a flat netlist of cells, such as `CellNetlist.files["flat_json"]`.
    liberty : Liberty
    workdir : Path
        For scripts, netlists and the solver's files.
    timeout : float, optional
        Limit for the solver in seconds.
    progress : callable
        Told the claim before it is tried.

    Returns
    -------
    Claim

    Raises
    ------
    Refuted
        With the registers or outputs that differ.
    VerifyError
        If ports or registers do not correspond.
    """
    progress(_WHAT)
    start = time.perf_counter()
    workdir.mkdir(parents=True, exist_ok=True)
    source = gate_netlist(rtlil, workdir, plain=True)
    pairs = _Pair(source, cell_netlist(mapped, liberty)).pairs()
    aig = pairs.aig
    differs = aig.any(aig.exclusive(a, b) for a, b in pairs.literals.values())
    proved: bool | None = True
    if differs != FALSE:
        path = workdir / "cells.aig"
        aig.write(path, differs)
        answer = never_true(path, timeout)
        proved = answer.proved
        if proved is False:
            values = [pair[-1] == "1" for pair in answer.counterexample.split()]
            raise Refuted(_WHAT, pairs.told(np.array(values)), None)
    return Claim(_WHAT, _HOW, proved, time.perf_counter() - start)


@dataclass(frozen=True)
class _Pairs:
    """What must be equal: a name for it → its literal in the RTL and in the cells."""

    aig: Aig
    literals: Mapping[str, tuple[int, int]]

    def told(self, inputs: np.ndarray) -> str:
        """Which of them differ for some values of the graph's inputs."""
        both = [literal for pair in self.literals.values() for literal in pair]
        bits, _ = evaluate(self.aig.program(both), self._features(both, inputs))
        odd = np.flatnonzero(bits[0, 0::2] != bits[0, 1::2])
        names = [list(self.literals)[place] for place in odd[:3]]
        more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
        return f"{', '.join(names)}{more} differ"

    def _features(self, literals: Sequence[int], inputs: np.ndarray) -> np.ndarray:
        return np.asarray(inputs, np.int64)[None]


class _Pair:
    """Two netlists over one graph, their registers matched."""

    def __init__(self, rtl: Netlist, cells: Netlist):
        self.rtl, self.cells = rtl, cells
        self.inputs = {
            name: len(nets)
            for name, nets in rtl.ports.items()
            if rtl.is_input[name] and name != "clk"
        }
        match = _matched(rtl, cells)
        self.match = _merged(rtl, self.inputs, match)
        free = sum(net is None for net in self.match)
        self.aig = Aig(sum(self.inputs.values()) + len(cells.registers) + free)

    def pairs(self) -> _Pairs:
        bits = iter(self.aig.inputs)
        ports = {name: [next(bits) for _ in range(n)] for name, n in self.inputs.items()}
        state = [next(bits) for _ in self.cells.registers]
        known: dict[Net, int] = {"0": FALSE, "1": TRUE}
        known |= {r.output: s for r, s in zip(self.cells.registers, state, strict=True)}
        held = [next(bits) if net is None else known[net] for net in self.match]
        rtl, cells = Unrolled(self.aig, self.rtl), Unrolled(self.aig, self.cells)
        a, b = rtl.clock(held, ports), cells.clock(state, ports)
        after: dict[Net, int] = {"0": FALSE, "1": TRUE}
        after |= {r.output: s for r, s in zip(self.cells.registers, b.following, strict=True)}
        found = {
            f"register {self.rtl.names.get(register.output, register.output)}": (new, after[net])
            for register, net, new in zip(self.rtl.registers, self.match, a.following, strict=True)
            if net is not None
        }
        for name, is_input in self.rtl.is_input.items():
            if not is_input:
                ours, theirs = rtl.port(a, name), cells.port(b, name)
                if len(ours) != len(theirs):
                    raise VerifyError(f"port {name} has {len(theirs)} bits, expected {len(ours)}")
                both = zip(ours, theirs, strict=True)
                found |= {f"{name}[{place}]": pair for place, pair in enumerate(both)}
        return _Pairs(self.aig, found)


def _matched(rtl: Netlist, cells: Netlist) -> list[Net | None]:
    """The register of the cells that goes by the name of each of the RTL's; None if none does."""
    named: dict[Net, list[tuple[str, int]]] = {}
    for wire, nets in rtl.wires.items():
        for place, net in enumerate(nets):
            named.setdefault(net, []).append((wire, place))
    outputs = cells.register_outputs
    match: list[Net | None] = []
    for register in rtl.registers:
        found = None
        for wire, place in named.get(register.output, ()):
            nets = cells.wires.get(wire, ())
            if place < len(nets) and nets[place] in outputs:
                found = nets[place]
                break
        match.append(found)
    return match


def _merged(rtl: Netlist, inputs: Mapping[str, int], match: list[Net | None]) -> list[Net | None]:
    """Match registers that synthesis took for constants, and for copies of others.

    A register that starts at a value and, if some of them keep theirs, keeps it, is the constant
    "0" or "1". One that starts as another does, and takes what that takes when that does, is its
    copy. Whatever is assumed here is claimed again of the two netlists together.
    """
    initial = [rtl.initial.get(register.output) for register in rtl.registers]
    match = _alike_at_the_start(match, initial)
    constant = [
        None if net is not None else start for net, start in zip(match, initial, strict=True)
    ]
    while True:
        following, _ = _next(rtl, inputs, match, constant)
        kept = [
            value if literal == value else None  # literals 0 and 1 are the constants
            for value, literal in zip(constant, following, strict=True)
        ]
        if kept == constant:
            break
        constant = kept
    match = [
        net if value is None else str(value) for value, net in zip(constant, match, strict=True)
    ]
    while True:
        _, takes = _next(rtl, inputs, match, constant)
        keys = list(zip(takes, initial, strict=True))
        known = {
            key: net
            for key, net in zip(keys, match, strict=True)
            if net not in (None, "0", "1") and key[1] is not None
        }
        better = [
            known.get(key) if net is None else net for key, net in zip(keys, match, strict=True)
        ]
        if better == match:
            return match
        match = better


def _alike_at_the_start(match: list[Net | None], initial: Sequence[int | None]) -> list[Net | None]:
    """Registers that share one of the cells must start alike; those that do not share none."""
    starts: dict[Net, set[int | None]] = {}
    for net, start in zip(match, initial, strict=True):
        if net is not None:
            starts.setdefault(net, set()).add(start)
    return [net if net is not None and len(starts[net]) == 1 else None for net in match]


def _next(
    rtl: Netlist,
    inputs: Mapping[str, int],
    match: list[Net | None],
    constant: Sequence[int | None],
) -> tuple[list[int], list[tuple[int, int]]]:
    """The next state of each register, and what it takes, when; some constant, copies as one."""
    aig = Aig(sum(inputs.values()) + len(match))
    bits = iter(aig.inputs)
    ports = {name: [next(bits) for _ in range(n)] for name, n in inputs.items()}
    of_net: dict[Net, int] = {}
    state = []
    for net, value in zip(match, constant, strict=True):
        own = next(bits)
        if value is not None:
            state.append(TRUE if value else FALSE)
        else:
            state.append(own if net is None else of_net.setdefault(net, own))
    clock = Unrolled(aig, rtl).clock(state, ports)
    takes = []
    for register in rtl.registers:
        table, operands = rtl.driver[register.output]
        data = aig.lookup(table, [clock.values[net] for net in operands])
        when = TRUE
        if register.enable is not None:
            when = clock.values[register.enable] ^ int(register.inverted)
        takes.append((data, when))
    return clock.following, takes
