"""Cells of a Liberty file: areas and functions."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lgn_hdl.errors import BuildError, ToolError
from lgn_hdl.flow import Liberty, gate_areas, read_liberty
from lgn_hdl.flow.liberty import STATE

SKY = "sky130_fd_sc_hd__"


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Liberty:
    return read_liberty(shared / "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib")


def _stated(liberty: Liberty, name: str) -> tuple[float, dict[str, str]]:
    """Area and functions as the text of the file has them."""
    text = liberty.path.read_text()
    start = re.search(rf'^\s*cell \("{name}"\)', text, re.MULTILINE)
    assert start is not None
    following = re.search(r"^\s*cell \(", text[start.end() :], re.MULTILINE)
    body = text[start.end() : start.end() + following.start()] if following else text[start.end() :]
    area = re.search(r"^\s*area : ([\d.]+);", body, re.MULTILINE)
    assert area is not None
    found = {}
    for pin in re.split(r'^\s*pin \("', body, flags=re.MULTILINE)[1:]:
        function = re.search(r'^\s*function : "(.*)";', pin, re.MULTILINE)
        if function:
            found[pin[: pin.index('"')]] = function[1]
    return float(area[1]), found


@pytest.mark.parametrize(
    "name", ["nand2_1", "nor2b_1", "a21oi_1", "fa_1", "ha_1", "mux2_1", "o2bb2ai_1", "maj3_1"]
)
def test_functions_are_those_of_the_file(liberty: Liberty, name: str) -> None:
    cell = liberty.cells[SKY + name]
    area, functions = _stated(liberty, SKY + name)
    assert cell.area == liberty.areas[SKY + name] == area
    assert cell.arguments == cell.inputs
    assert functions.keys() == cell.tables.keys()
    for pin, function in functions.items():
        python = function.replace("!", " not ").replace("&", " and ").replace("|", " or ")
        for index, values in enumerate(product((0, 1), repeat=len(cell.inputs))):
            names = dict(zip(cell.inputs, values, strict=True))
            expected = bool(eval(python, {}, names))  # Boolean words over names
            assert bool(cell.tables[pin] >> index & 1) == expected, (pin, names)


def test_flip_flops(liberty: Liberty) -> None:
    plain, enabled = liberty.cells[SKY + "dfxtp_1"], liberty.cells[SKY + "edfxtp_1"]
    assert plain.register is not None
    assert enabled.register is not None
    assert plain.register.clock == enabled.register.clock == "CLK"
    assert plain.arguments == ("D", STATE)
    assert plain.tables == {"Q": 0b1010}
    assert plain.register.next == 0b1100
    assert enabled.arguments == ("D", "DE", STATE)
    for index, (d, enable, state) in enumerate(product((0, 1), repeat=3)):
        assert enabled.register.next >> index & 1 == (d if enable else state)


def test_what_is_not_plain(liberty: Liberty) -> None:
    for name in ("dfrtp_1", "dlxtp_1", "einvp_1"):
        assert not liberty.cells[SKY + name].plain
    assert SKY + "dlclkp_1" not in liberty.cells  # a clock gate is a table that Yosys skips
    assert liberty.areas[SKY + "dlclkp_1"] > 0
    names = {cell.name for cell in liberty.used()}
    assert SKY + "nand2_1" in names
    assert not [name for name in names if "lpflow" in name or name.endswith("_0")]


def test_the_smallest_cell_of_a_function(liberty: Liberty) -> None:
    for table in range(16):
        found = liberty.smallest(table)
        if found is None:
            continue
        cell, order = found
        own = cell.tables[cell.outputs[0]]
        for index, values in enumerate(product((0, 1), repeat=2)):
            pins = {cell.inputs[pin]: value for pin, value in zip(order, values, strict=True)}
            inner = 2 * pins[cell.inputs[0]] + pins[cell.inputs[1]]
            assert own >> inner & 1 == table >> index & 1
        rivals = [
            c.area
            for c in liberty.used()
            if c.plain
            and c.register is None
            and len(c.inputs) == 2
            and len(c.outputs) == 1
            and c.tables[c.outputs[0]] == own
        ]
        assert cell.area == min(rivals)
    assert liberty.smallest(0b1100) is None  # a wire


def test_areas_of_the_sixteen_functions(liberty: Liberty) -> None:
    areas = gate_areas(liberty)
    assert areas.shape == (16,)
    assert areas[[0, 3, 5, 15]].tolist() == [0] * 4
    inverter, nand = liberty.areas[SKY + "inv_1"], liberty.areas[SKY + "nand2_1"]
    assert areas[10] == areas[12] == inverter
    assert areas[14] == nand
    assert areas[1] == liberty.areas[SKY + "and2_1"]
    assert areas[6] == liberty.areas[SKY + "xor2_1"]
    assert areas[9] == liberty.areas[SKY + "xnor2_1"]
    # a AND NOT b is gate 2 of torchlogix and difflogic, NOT a AND b gate 4.
    assert areas[2] == areas[4] == liberty.areas[SKY + "nor2b_1"]


def test_functions_without_a_cell_cost_inverters(liberty: Liberty) -> None:
    few = {SKY + name: liberty.cells[SKY + name] for name in ("inv_1", "nand2_1", "xor2_1")}
    areas = gate_areas(Liberty(Path("few.lib"), few, liberty.areas))
    inverter, nand = liberty.areas[SKY + "inv_1"], liberty.areas[SKY + "nand2_1"]
    assert areas[1] == pytest.approx(nand + inverter)  # AND
    assert areas[7] == pytest.approx(nand + 2 * inverter)  # OR
    assert areas[8] == pytest.approx(nand + 3 * inverter)  # NOR
    assert np.isfinite(areas).all()
    with pytest.raises(BuildError, match="has no inverter"):
        gate_areas(Liberty(Path("none.lib"), {}, {}))


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"none\.lib: there is no such Liberty file"):
        read_liberty(tmp_path / "none.lib")
    (tmp_path / "empty.lib").write_text("library (empty) {\n}\n")
    with pytest.raises(BuildError, match=r"empty\.lib: holds no cell"):
        read_liberty(tmp_path / "empty.lib")
    (tmp_path / "text.lib").write_text("this is no library")
    with pytest.raises((BuildError, ToolError)):
        read_liberty(tmp_path / "text.lib")
