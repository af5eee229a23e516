"""Netlists of Yosys: gates, LUTs, every kind of register, and what must not be taken as either."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from truth import every_pattern, values

from lgn_hdl.errors import LgnError, ToolError, VerifyError
from lgn_hdl.proof.aig import FALSE, Aig
from lgn_hdl.proof.netlist import Netlist, gate_netlist, literals

INPUTS = ("a", "b", "s")


def module(*cells: str, outputs: int = 1, wires: str = "", connects: str = "") -> str:
    """RTLIL with the inputs a, b, s, clk and rst, and outputs y0, y1, and so on."""
    names = [*INPUTS, "clk", "rst"]
    ports = [f"wire input {number} \\{name}" for number, name in enumerate(names)]
    ports += [f"wire output {len(names) + i} \\y{i}" for i in range(outputs)]
    return "\n".join(["module \\top", *ports, wires, *cells, connects, "end", ""])


def cell(kind: str, **connections: str) -> str:
    connects = [f"  connect \\{port} {signal}" for port, signal in connections.items()]
    # A name of its own for each cell: two in these tests never have the same ports.
    name = "$" + re.sub(r"\W", "", "".join(connections.values()))
    return "\n".join([f"cell {kind} {name}", *connects, "end"])


def netlist(tmp_path: Path, text: str, *, mapped: bool = True) -> Netlist:
    (tmp_path / "top.il").write_text(text)
    return gate_netlist(tmp_path / "top.il", tmp_path / "work", mapped=mapped)


def outputs(found: Netlist) -> np.ndarray:
    """Of all values of a, b and s, out of reset, the registers seen through."""
    aig = Aig(len(INPUTS))
    inputs = {name: [literal] for name, literal in zip(INPUTS, aig.inputs, strict=True)}
    known = literals(aig, found, inputs | {"rst": [FALSE]})
    ports = [nets for port, nets in found.ports.items() if not found.is_input[port]]
    return values(aig, [known[net] for nets in ports for net in nets])


A, B, S = every_pattern(3).T
GATES = {
    "$_BUF_": A,
    "$_NOT_": 1 - A,
    "$_AND_": A & B,
    "$_NAND_": 1 - (A & B),
    "$_OR_": A | B,
    "$_NOR_": 1 - (A | B),
    "$_XOR_": A ^ B,
    "$_XNOR_": 1 - (A ^ B),
    "$_ANDNOT_": A & (1 - B),
    "$_ORNOT_": A | (1 - B),
    "$_MUX_": np.where(S, B, A),
}


def test_every_gate(tmp_path: Path) -> None:
    cells = []
    for number, kind in enumerate(GATES):
        ports = {"$_BUF_": "A", "$_NOT_": "A", "$_MUX_": "ABS"}.get(kind, "AB")
        connections = {port: f"\\{port.lower()}" for port in ports}
        cells.append(cell(kind, **connections, Y=f"\\y{number}"))
    found = netlist(tmp_path, module(*cells, outputs=len(GATES)))
    assert np.array_equal(outputs(found), np.stack(list(GATES.values()), axis=1))
    assert found.registers == []


def test_the_first_input_of_a_lut_is_the_least_significant(tmp_path: Path) -> None:
    lut = "cell $lut $1\n parameter \\WIDTH 3\n parameter \\LUT 8'11001010\n"
    lut += " connect \\A { \\s \\b \\a }\n connect \\Y \\y0\nend"
    assert np.array_equal(outputs(netlist(tmp_path, module(lut)))[:, 0], np.where(S, B, A))


#: What is seen through a register whose D is a, whose reset is b and whose enable is s.
REGISTERS = {
    "$_DFF_P_": (A, None, False),
    "$_DFFE_PP_": (A, "s", False),
    "$_DFFE_PN_": (A, "s", True),
    "$_SDFF_PP0_": (A & (1 - B), None, False),
    "$_SDFF_PN1_": (A | (1 - B), None, False),
    "$_SDFFCE_PP0P_": (A & (1 - B), "s", False),
    "$_SDFFCE_PP1P_": (A | B, "s", False),
    "$_SDFFCE_PN0P_": (A & B, "s", False),
    "$_SDFFCE_PN1N_": (A | (1 - B), "s", True),
}


def register(kind: str, *, reset: str = "\\b", clock: str = "\\clk", output: int = 0) -> str:
    ports = {"C": clock, "D": "\\a", "Q": f"\\y{output}"}
    if "0" in kind or "1" in kind:  # the value it is reset to
        ports["R"] = reset
    if "E_" in kind:
        ports["E"] = "\\s"
    return cell(kind, **ports)


def test_every_register(tmp_path: Path) -> None:
    cells = [register(kind, output=i) for i, kind in enumerate(REGISTERS)]
    found = netlist(tmp_path, module(*cells, outputs=len(REGISTERS)))
    seen = np.stack([through for through, _, _ in REGISTERS.values()], axis=1)
    assert np.array_equal(outputs(found), seen)
    by_output = {register.output: register for register in found.registers}
    for number, (_, enable, inverted) in enumerate(REGISTERS.values()):
        own = by_output[found.ports[f"y{number}"][0]]
        assert own.enable == (found.ports["s"][0] if enable else None)
        assert own.inverted is inverted


def test_a_reset_is_seen_through(tmp_path: Path) -> None:
    kinds = ["$_SDFF_PP0_", "$_SDFFE_PP1P_", "$_SDFFCE_PP0P_", "$_DFFE_PP0P_"]
    cells = [register(kind, reset="\\rst", output=i) for i, kind in enumerate(kinds)]
    found = netlist(tmp_path, module(*cells, outputs=len(kinds)))
    assert np.array_equal(outputs(found), np.stack([A] * len(kinds), axis=1))


LOOP = "wire \\u\nwire \\v"
WRONG: dict[str, tuple[str, type[LgnError], str]] = {
    "the other edge": (
        module(register("$_DFF_N_")),
        ToolError,
        "expected the rising edge of the clock",
    ),
    "another clock": (
        module(register("$_DFF_P_", clock="\\s")),
        VerifyError,
        "the clock of a \\$_DFF_P_ is not the port clk",
    ),
    "held in reset": (
        module(register("$_SDFFE_PN0P_", reset="\\rst")),
        VerifyError,
        "is held in reset while rst is low",
    ),
    "held in reset for good": (
        module(register("$_DFFE_PN0P_", reset="\\rst")),
        VerifyError,
        "is held in reset while rst is low",
    ),
    "a reset beside the enable": (
        module(register("$_SDFFE_PP0P_")),
        ToolError,
        "that data can reset while it stands still",
    ),
    "a reset beside the clock": (
        module(cell("$_DFF_PP0_", C="\\clk", D="\\a", R="\\b", Q="\\y0")),
        ToolError,
        "that data can reset while it stands still",
    ),
    "a latch": (
        module(cell("$_DLATCH_P_", E="\\s", D="\\a", Q="\\y0")),
        ToolError,
        r"is a \$_DLATCH_P_, expected gates and registers",
    ),
    "the clock as data": (
        module(cell("$_AND_", A="\\a", B="\\clk", Y="\\y0")),
        ToolError,
        "clk: is read and has no value",
    ),
    "an x": (
        module(cell("$_AND_", A="\\a", B="1'x", Y="\\y0")),
        ToolError,
        "net x: is read and has no value",
    ),
    "an output of x": (module(connects="connect \\y0 1'x"), ToolError, "y0|net x"),
    "an output of nothing": (module(), ToolError, "y0: is read and has no value"),
    "an enable of nothing": (
        module(cell("$_DFFE_PP_", C="\\clk", D="\\a", E="\\u", Q="\\y0"), wires=LOOP),
        ToolError,
        "u: is read and has no value",
    ),
    "two drivers": (
        module(cell("$_NOT_", A="\\a", Y="\\y0"), cell("$_NOT_", A="\\b", Y="\\y0")),
        VerifyError,
        "multiple conflicting drivers for top",
    ),
    "a driver of an input": (
        module(cell("$_NOT_", A="\\a", Y="\\b"), connects="connect \\y0 \\b"),
        VerifyError,
        "multiple conflicting drivers for top.*module input b",
    ),
    "a driver of a constant": (
        module(cell("$_NOT_", A="\\a", Y="\\y0"), connects="connect \\y0 1'1"),
        VerifyError,
        "conflicting with a constant 1'1 driver",
    ),
    "a loop": (
        module(
            cell("$_AND_", A="\\a", B="\\v", Y="\\u"),
            cell("$_OR_", A="\\b", B="\\u", Y="\\v"),
            wires=LOOP,
            connects="connect \\y0 \\u",
        ),
        VerifyError,
        "the netlist has a loop",
    ),
    "a loop through a register": (
        module(
            cell("$_AND_", A="\\a", B="\\v", Y="\\u"),
            cell("$_DFFE_PP_", C="\\clk", D="\\u", E="\\s", Q="\\v"),
            wires=LOOP,
            connects="connect \\y0 \\u",
        ),
        VerifyError,
        "the netlist has a loop",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_pipeline_is_an_error(name: str, tmp_path: Path) -> None:
    text, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        outputs(netlist(tmp_path, text))


def test_an_x_is_not_decided_on_the_way_to_gates(tmp_path: Path) -> None:
    """Yosys may make of a register of x what it likes, the constant of its initial value say."""
    x = cell("$dff", CLK="\\clk", D="1'x", Q="\\y0")
    x = x.replace("connect", "parameter \\WIDTH 1\n parameter \\CLK_POLARITY 1\n connect", 1)
    text = module(x).replace("wire output 5 \\y0", "attribute \\init 1'0\nwire output 5 \\y0")
    with pytest.raises(ToolError, match="net x: is read and has no value"):
        outputs(netlist(tmp_path, text, mapped=False))


def test_words_and_processes_become_gates(tmp_path: Path) -> None:
    """A choice in a process, a comparison in a module of its own, and a register behind it."""
    inner = """\
module \\inner
  wire width 2 input 0 \\i
  wire output 1 \\o
  cell $gt $1
    parameter \\A_SIGNED 0
    parameter \\B_SIGNED 0
    parameter \\A_WIDTH 1
    parameter \\B_WIDTH 1
    parameter \\Y_WIDTH 1
    connect \\A \\i [1]
    connect \\B \\i [0]
    connect \\Y \\o
  end
end
"""
    process = """\
  process $2
    assign $3 \\y0
    switch \\s
      case 1'1
        assign $3 \\u
    end
  end
  cell $dff $4
    parameter \\WIDTH 1
    parameter \\CLK_POLARITY 1
    connect \\CLK \\clk
    connect \\D $3
    connect \\Q \\y0
  end
  cell \\inner \\block
    connect \\i { \\a \\b }
    connect \\o \\u
  end
"""
    text = module(process, wires="wire \\u\nwire $3") + inner
    found = netlist(tmp_path, text, mapped=False)
    assert np.array_equal(outputs(found)[:, 0], A & (1 - B))
    (only,) = found.registers
    assert (only.output, only.enable) == (found.ports["y0"][0], found.ports["s"][0])
    assert found.names[only.output] == "y0"
