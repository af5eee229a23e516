"""Standard cells of SkyWater 130: what is mapped computes the same, and its area adds up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flow_designs import Comparator, Held, Kept, Popcount, write_rtlil

from lgn_hdl.errors import ToolError, VerifyError
from lgn_hdl.flow import CellNetlist, Liberty, map_to_cells, read_liberty
from lgn_hdl.proof import Refuted, prove_cells

SKY = "sky130_fd_sc_hd__"


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Liberty:
    return read_liberty(shared / "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib")


def proved(source: Path, netlist: CellNetlist, liberty: Liberty, folder: Path) -> bool | None:
    return prove_cells(source, netlist.files["flat_json"], liberty, folder / "proof").proved


def test_a_comparator_is_the_same_in_cells(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Comparator(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    assert proved(source, found, liberty, tmp_path)
    other = write_rtlil(Comparator(strict=False), tmp_path, "b")
    with pytest.raises(Refuted, match=r"standard cells = RTL: refuted: o\[0\] differ"):
        proved(other, found, liberty, tmp_path)


def test_area_is_the_sum_of_the_cells(liberty: Liberty, tmp_path: Path) -> None:
    found = map_to_cells(write_rtlil(Popcount(), tmp_path, "a"), liberty, tmp_path)
    assert found.area_um2 == pytest.approx(
        sum(liberty.areas[name] * n for name, n in found.cells.items())
    )
    assert found.count == sum(found.cells.values())
    assert sum(n for name, n in found.cells.items() if "df" in name) == 4  # the count's registers
    assert not [name for name in found.cells if "lpflow" in name or "probe" in name]
    assert {block: area.count for block, area in found.by_block.items()} == {"top": found.count}


def test_eight_bits_are_counted_by_adders(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Popcount(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    assert found.cells[SKY + "fa_1"] >= 4
    assert proved(source, found, liberty, tmp_path)


@pytest.mark.parametrize("gating", [True, False])
def test_registers_with_an_enable(liberty: Liberty, tmp_path: Path, gating: bool) -> None:
    source = write_rtlil(Held(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path, clock_gating=gating)
    assert (SKY + "dlclkp_1" in found.cells) == gating
    assert proved(source, found, liberty, tmp_path)


def test_a_changed_cell_is_refuted_by_name(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Held(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    path = found.files["flat_json"]
    right = json.loads(path.read_text())
    pairs = [("nand2_1", "nor2_1"), ("a21oi_1", "o21ai_1"), ("and3_1", "or3_1")]
    swaps = dict([*pairs, *(pair[::-1] for pair in pairs)])
    tried = 0
    for name, cell in right["modules"]["top"]["cells"].items():
        kind = cell["type"].removeprefix(SKY)
        if kind in swaps:
            wrong = json.loads(json.dumps(right))
            wrong["modules"]["top"]["cells"][name]["type"] = SKY + swaps[kind]
            path.write_text(json.dumps(wrong))
            with pytest.raises(Refuted, match=r"refuted: (register )?\w+\[\d\]"):
                proved(source, found, liberty, tmp_path)
            tried += 1
    assert tried > 5


def test_a_lost_enable_is_refuted(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Held(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    path = found.files["flat_json"]
    design = json.loads(path.read_text())
    (gate,) = [
        cell for cell in design["modules"]["top"]["cells"].values() if "dlclkp" in cell["type"]
    ]
    gate["connections"]["GATE"] = ["1"]
    path.write_text(json.dumps(design))
    with pytest.raises(Refuted, match="register"):
        proved(source, found, liberty, tmp_path)


def test_a_folder_with_a_blank(liberty: Liberty, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    source = write_rtlil(Comparator(), folder, "a")
    assert map_to_cells(source, liberty, folder).count > 8


def test_a_cell_that_the_library_lacks(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Comparator(), tmp_path, "a")
    text = source.read_text().replace("cell $gt ", "cell \\unknown ")
    assert "unknown" in text
    source.write_text(text)
    with pytest.raises(ToolError, match="unknown"):
        map_to_cells(source, liberty, tmp_path)


def _with_cell(path: Path, name: str, kind: str, connections: dict) -> None:
    """One more cell in a netlist."""
    design = json.loads(path.read_text())
    module = design["modules"]["top"]
    nets = {pin: [net] for pin, net in connections.items()}
    module["cells"][name] = {"type": SKY + kind, "connections": nets}
    path.write_text(json.dumps(design))


def test_a_second_driver_is_an_error(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Comparator(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    path = found.files["flat_json"]
    right = path.read_text()
    ports = json.loads(right)["modules"]["top"]["ports"]
    for net in (ports["o"]["bits"][0], ports["a"]["bits"][0], "0"):
        path.write_text(right)
        _with_cell(path, "short", "inv_1", {"A": ports["b"]["bits"][1], "Y": net})
        with pytest.raises(VerifyError, match=r"short drives|drives a net that something else"):
            proved(source, found, liberty, tmp_path)


def test_a_pin_without_a_driver_is_an_error(liberty: Liberty, tmp_path: Path) -> None:
    source = write_rtlil(Comparator(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    path = found.files["flat_json"]
    design = json.loads(path.read_text())
    cell = next(iter(design["modules"]["top"]["cells"].values()))
    pin = next(pin for pin in cell["connections"] if pin not in ("X", "Y"))
    cell["connections"][pin] = []
    path.write_text(json.dumps(design))
    with pytest.raises(VerifyError, match=f"nothing drives the pin {pin} of"):
        proved(source, found, liberty, tmp_path)


@pytest.mark.parametrize("start", [0, 1])
def test_a_register_that_keeps_its_start(liberty: Liberty, tmp_path: Path, start: int) -> None:
    """Synthesis makes a constant of it; from another start it is none."""
    source = write_rtlil(Kept(start), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    assert proved(source, found, liberty, tmp_path)
    other = write_rtlil(Kept(1 - start), tmp_path, "b")
    with pytest.raises(Refuted):
        proved(other, found, liberty, tmp_path)
