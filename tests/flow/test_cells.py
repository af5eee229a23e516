"""Standard cells of SkyWater 130: what is mapped computes the same, and its area adds up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flow_designs import Comparator, Popcount, write_rtlil

from lgn_hdl.errors import BuildError
from lgn_hdl.flow import equivalent, map_to_cells, run_script, write_aiger
from lgn_hdl.flow.tools import relative


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Path:
    return shared / "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib"


def areas(liberty: Path) -> dict[str, float]:
    """Area of every cell of a Liberty file."""
    cells = re.split(r'^\s*cell \("?', liberty.read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for cell in cells:
        area = re.search(r"^\s*area : ([\d.]+);", cell, re.MULTILINE)
        assert area is not None
        found[cell[: re.search(r"[^\w]", cell).start()]] = float(area[1])  # pyright: ignore
    return found


def functions(netlist: Path, liberty: Path, folder: Path) -> Path:
    """The netlist as an and-inverter graph, by the functions of the Liberty file."""
    lines = [
        f"read_liberty -ignore_miss_func {relative(liberty, folder)}",
        f"read_verilog {relative(netlist, folder)}",
        "hierarchy -check -top top",
        "flatten",
        "opt_clean",
        "write_rtlil functions.il",
    ]
    run_script("\n".join(lines) + "\n", folder)
    write_aiger(folder / "functions.il", folder / "functions.aig")
    return folder / "functions.aig"


def test_a_comparator_is_the_same_in_cells(liberty: Path, tmp_path: Path) -> None:
    source = write_rtlil(Comparator(), tmp_path, "a")
    found = map_to_cells(source, liberty, tmp_path)
    write_aiger(source, tmp_path / "a.aig")
    assert equivalent(tmp_path / "a.aig", functions(found.netlist, liberty, tmp_path)).proved
    other = write_rtlil(Comparator(strict=False), tmp_path, "b")
    write_aiger(other, tmp_path / "b.aig")
    verdict = equivalent(tmp_path / "b.aig", functions(found.netlist, liberty, tmp_path))
    assert verdict.proved is False


def test_area_is_the_sum_of_the_cells(liberty: Path, tmp_path: Path) -> None:
    found = map_to_cells(write_rtlil(Popcount(), tmp_path, "a"), liberty, tmp_path)
    each = areas(liberty)
    assert found.area_um2 == pytest.approx(sum(each[name] * n for name, n in found.cells.items()))
    assert found.count == sum(found.cells.values())
    assert sum(n for name, n in found.cells.items() if "df" in name) == 4  # the count's registers
    assert not [name for name in found.cells if "lpflow" in name or "probe" in name]


def test_a_missing_library(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"none\.lib: there is no such Liberty file"):
        map_to_cells(tmp_path / "a.il", tmp_path / "none.lib", tmp_path)
