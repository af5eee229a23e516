"""Pipelines whose registers are in step, and every way in which they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from lgn_hdl.proof.aig import FALSE, Aig
from lgn_hdl.proof.netlist import Driver, Net, Netlist, Register, literals
from lgn_hdl.proof.registers import register_faults, reset_faults

BUFFER, NOT, AND, OR, XOR = 0b10, 0b01, 0b1000, 0b1110, 0b0110
PORTS = {"i__payload": [2, 3], "i__valid": [4], "o__ready": [5]}
PAYLOAD, VALID, ADVANCE, IDLE = 20, 21, 10, 11


def pipeline(
    *,
    driver: Mapping[int, tuple[int, Sequence[Net]]] | None = None,
    without: Sequence[Net] = (),
    enable: Mapping[int, Net | None] | None = None,
    inverted: Sequence[Net] = (),
    latency: int = 2,
) -> list[str]:
    """Faults of two payload bits that meet after a register, in a pipeline of two stages."""
    drivers: dict[Net, Driver] = {
        ADVANCE: (OR, [5, IDLE]),
        IDLE: (NOT, [VALID]),
        12: (BUFFER, [2]),
        13: (BUFFER, [3]),
        14: (BUFFER, [4]),
        15: (AND, [12, 13]),
        PAYLOAD: (BUFFER, [15]),
        VALID: (BUFFER, [14]),
    }
    for net, (table, operands) in (driver or {}).items():
        drivers[net] = table, list(operands)
    enables: dict[Net, Net | None] = dict.fromkeys([12, 13, 14, PAYLOAD, VALID], ADVANCE)
    enables.update(enable or {})
    registers = [
        Register(net, own, net in inverted) for net, own in enables.items() if net not in without
    ]
    outputs = {"o__payload": [PAYLOAD], "o__valid": [VALID], "i__ready": [ADVANCE]}
    wires = {"sum": [15], "left": [12], "right": [13], "early": [14], "extra": [30], "more": [31]}
    ports = {**PORTS, **outputs}
    is_input = {name: name in PORTS for name in ports}
    netlist = Netlist(ports, is_input, drivers, registers, wires)
    aig = Aig(4)
    a, b, valid, ready = aig.inputs
    inputs = {"i__payload": [a, b], "i__valid": [valid], "o__ready": [ready]}
    known = literals(aig, netlist, inputs)
    assert known[PAYLOAD] in (FALSE, aig.conjunction(a, b))
    return register_faults(netlist, latency, known, known[ADVANCE])


def test_registers_in_step_have_no_fault() -> None:
    assert pipeline() == []


def test_another_latency_than_promised() -> None:
    assert pipeline(latency=3)[0] == (
        "o__valid is reached through 2 registers, expected 3: i__valid -> early -> o__valid"
    )


WRONG = {
    "a missing register": (
        {"without": [13]},
        "o__payload is reached through 1 register, expected 2: i__payload[1] -> o__payload",
    ),
    "one register more": (
        {"driver": {30: (BUFFER, [13]), 15: (AND, [12, 30])}, "enable": {30: ADVANCE}},
        "o__payload is reached through 3 registers, expected 2: "
        "i__payload[1] -> right -> extra -> o__payload",
    ),
    "valid one stage early": (
        {"without": [14]},
        "o__valid is reached through 1 register, expected 2: i__valid -> o__valid",
    ),
    "a shorter path that does not matter to the function": (
        {"driver": {30: (AND, [12, 2]), 15: (AND, [30, 13])}},
        "o__payload is reached through 1 register, expected 2: i__payload[0] -> o__payload",
    ),
    "ready from an earlier valid": (
        {"driver": {IDLE: (NOT, [14])}},
        "i__ready is reached through 1 register, expected 2: i__valid -> early",
    ),
    "ready from the last clock": (
        {"driver": {30: (BUFFER, [5]), ADVANCE: (OR, [30, IDLE])}, "enable": {30: ADVANCE}},
        "i__ready is reached through 1 register, expected 0: o__ready -> extra",
    ),
    "a result that changes with the stall": (
        {
            "driver": {30: (BUFFER, [5]), 31: (XOR, [30, 5]), 15: (0b01000000, [12, 13, 31])},
            "enable": {30: ADVANCE},
        },
        "o__payload is reached through 2 registers, expected 0: o__ready -> extra -> o__payload",
    ),
    "a register that does not wait": (
        {"enable": {13: None}},
        "right does not stand still with the pipeline",
    ),
    "an enable that is always on": (
        {"enable": {13: "1"}},
        "right is enabled by another signal than the pipeline",
    ),
    "an enable of the consumer": (
        {"enable": {13: 5}},
        "right is enabled by another signal than the pipeline",
    ),
    "an enable turned around": (
        {"inverted": [13]},
        "right is enabled by another signal than the pipeline",
    ),
    "an enable from an earlier valid": (
        {"driver": {30: (NOT, [14]), 31: (OR, [5, 30])}, "enable": {13: 31}},
        "right is enabled by another signal than the pipeline",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_registers_out_of_step_are_a_fault(name: str) -> None:
    changes, expected = WRONG[name]
    assert expected in pipeline(**changes)  # pyright: ignore[reportArgumentType]


def test_an_enable_may_be_active_low_or_made_twice() -> None:
    low = {30: (0b0001, [5, IDLE])}
    assert pipeline(driver=low, enable={13: 30}, inverted=[13]) == []
    again = {30: (0b1101, [5, VALID])}
    assert pipeline(driver=again, enable={12: 30}) == []


def test_a_constant_result_moves_through_nothing() -> None:
    assert pipeline(driver={PAYLOAD: (BUFFER, ["0"])}, without=[PAYLOAD]) == []


def test_without_registers_everything_is_at_once() -> None:
    driver = {ADVANCE: (BUFFER, [5])}
    nets = [12, 13, 14, PAYLOAD, VALID]
    assert pipeline(driver=driver, without=nets, latency=0) == []
    assert pipeline(driver=driver, without=nets[:-2], latency=0) == [
        "o__valid is reached through 1 register, expected 0: i__valid -> o__valid",
        "o__payload is reached through 1 register, expected 0: i__payload[0] -> o__payload",
    ]


def chain_of(registers: Sequence[Register], driver: Mapping[Net, Driver]) -> list[str]:
    """Faults of the reset of two registers between i__valid (4) and o__valid (21)."""
    ports = {**PORTS, "o__valid": [VALID]}
    is_input = {name: name in PORTS for name in ports}
    drivers: dict[Net, Driver] = {14: (BUFFER, [4]), VALID: (BUFFER, [14]), **driver}
    return reset_faults(Netlist(ports, is_input, drivers, list(registers), {"early": [14]}))


CLEARED = (Register(14, 10, cleared=True), Register(VALID, 10, cleared=True))


def test_rst_clears_a_chain_of_valid_bits() -> None:
    assert chain_of(CLEARED, {}) == []
    assert chain_of(CLEARED, {VALID: (BUFFER, [15]), 15: (BUFFER, [14])}) == []


@pytest.mark.parametrize(
    ("registers", "driver", "fault"),
    [
        ((CLEARED[0], Register(VALID, 10)), {}, "o__valid is not cleared by rst"),
        ((Register(14, 10), CLEARED[1]), {}, "early is not cleared by rst"),
        (
            CLEARED,
            {VALID: (NOT, [15]), 15: (NOT, [14])},
            "o__valid, which o__valid is made of, is a",
        ),
        (CLEARED, {VALID: (AND, [14, 5])}, "is not i__valid in a register"),
    ],
)
def test_what_rst_does_not_empty(
    registers: Sequence[Register], driver: Mapping[Net, Driver], fault: str
) -> None:
    (found,) = chain_of(registers, driver)
    assert fault in found
