"""The two sides of the proof in one graph: what the network means, and what the hardware is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import VerifyError
from ..hdl import result_layout
from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline
from ..network import FixedPoint, Network
from .aig import FALSE, Aig
from .netlist import Net, Netlist, gate_netlist, literals
from .network import Meaning, network_meaning
from .program import argmax, program_signals, tree_sum

__all__ = ["Circuits", "Fields", "read_hardware"]

#: Literals of the fields of a result: `class`, `score 0`, ..., `bits`; least significant first.
Fields = dict[str, list[int]]


@dataclass(frozen=True, eq=False)
class Circuits:
    """A network, its program and its hardware over the same inputs.

    The inputs of the graph are the bits of the sample as the hardware takes them (feature 0
    lowest), then `i__valid`, then `o__ready`.

    Parameters
    ----------
    aig : Aig
    network : Network
    program : LogicProgram
    pipeline : Pipeline
    with_class : bool
        Whether the hardware gives the class index.
    meaning : Meaning
        Of the network.
    signals : list of int
        Literals of the program's signals.
    """

    aig: Aig
    network: Network
    program: LogicProgram
    pipeline: Pipeline
    with_class: bool
    meaning: Meaning
    signals: list[int]

    @classmethod
    def of(
        cls, network: Network, program: LogicProgram, pipeline: Pipeline, with_class: bool
    ) -> Circuits:
        """Write a network and its program into a new graph.

        Raises
        ------
        VerifyError
            If the program has more or fewer sums or bits than the network.
        """
        aig = Aig(program.features * program.format.width + 2)
        meaning = network_meaning(aig, network)
        found = len(program.sums), len(program.bits)
        expected = len(meaning.groups), len(meaning.bits)
        if found != expected:
            raise VerifyError(f"the program has (sums, bits) {found}, the network {expected}")
        signals = program_signals(aig, program)
        return cls(aig, network, program, pipeline, with_class, meaning, signals)

    @property
    def number(self) -> FixedPoint:
        """Format of the features."""
        return self.program.format

    @property
    def inputs(self) -> dict[str, list[int]]:
        """Literals of the input ports of the hardware."""
        *payload, valid, ready = self.aig.inputs
        return {"i__payload": payload, "i__valid": [valid], "o__ready": [ready]}

    def intended(self) -> Fields:
        """What the schedule of the program makes of a sample, block by block."""
        roots = [self.signals[signal] for signal in self.program.roots.tolist()]
        scores = [tree_sum(self.aig, tree, roots) for tree in self.pipeline.sums]
        width = max(map(len, scores), default=0)
        scores = [bits + [FALSE] * (width - len(bits)) for bits in scores]
        fields = {}
        if self.with_class:
            fields["class"] = argmax(self.aig, scores, len(self.pipeline.argmax_stage))
        fields |= {f"score {c}": bits for c, bits in enumerate(scores)}
        if len(self.program.bits):
            fields["bits"] = [self.signals[signal] for signal in self.program.bits.tolist()]
        return fields

    def fields(self, payload: list[int]) -> Fields:
        """The literals of a result payload, taken apart."""
        found: Fields = {}
        layout = result_layout(self.program, self.pipeline, argmax=self.with_class)
        for name, field in layout:
            bits = payload[field.offset : field.offset + field.width]
            if name == "scores":
                width = field.width // len(self.pipeline.sums)
                for c in range(len(self.pipeline.sums)):
                    found[f"score {c}"] = bits[c * width : (c + 1) * width]
            else:
                found[str(name)] = bits
        return found

    def features(self, bits: np.ndarray) -> np.ndarray:
        """Stored integers (n, F) from the inputs of the graph (n, inputs)."""
        width = self.number.width
        digits = bits[:, :-2].reshape(len(bits), -1, width).astype(np.int64)
        weight = 1 << np.arange(width, dtype=np.int64)
        if self.number.signed:
            weight[-1] = -weight[-1]
        return digits @ weight

    def input_bits(self, features: np.ndarray) -> np.ndarray:
        """Inputs of the graph from stored integers; a valid sample that is taken at once."""
        shifts = np.arange(self.number.width)
        bits = (features[:, :, None] >> shifts & 1).reshape(len(features), -1)
        return np.concatenate([bits, np.ones((len(features), 2), np.int64)], axis=1).astype(bool)


def read_hardware(
    circuits: Circuits, rtlil: Path, workdir: Path, *, mapped: bool = False
) -> tuple[Netlist, Mapping[Net, int]]:
    """Add the hardware to the graph; return its netlist and the literals of all its nets."""
    netlist = gate_netlist(rtlil, workdir, mapped=mapped)
    _check_ports(circuits, netlist)
    return netlist, literals(circuits.aig, netlist, circuits.inputs | {"rst": [FALSE]})


def _check_ports(circuits: Circuits, netlist: Netlist) -> None:
    layout = result_layout(circuits.program, circuits.pipeline, argmax=circuits.with_class)
    expected = {name: f"an input {len(bits)} wide" for name, bits in circuits.inputs.items()}
    outputs = {"o__payload": layout.size, "o__valid": 1, "i__ready": 1}
    expected |= {name: f"an output {bits} wide" for name, bits in outputs.items()}
    for name in dict.fromkeys([*expected, *netlist.ports]):
        nets, kind = netlist.ports.get(name, ()), "an output"
        if netlist.is_input.get(name):
            kind = "an input"
        found = f"{kind} {len(nets)} wide" if nets else "not there"
        if name not in ("clk", "rst") and found != (wanted := expected.get(name, "not there")):
            raise VerifyError(f"port {name} is {found}, expected {wanted}")
