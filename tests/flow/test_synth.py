"""Mapping to each target."""

import re

import pytest
from flow_designs import Comparator, Hierarchy, Popcount, write_rtlil

from lgn_hdl.errors import BuildError, ToolError
from lgn_hdl.flow import TARGETS, prove_mapping, synthesize

CARRY = {"xilinx": 2, "xcup": 2, "ecp5": 4, "ice40": 8, "gowin": 8}


@pytest.mark.parametrize("target", TARGETS)
def test_popcount_with_register(target, tmp_path):
    result = synthesize(write_rtlil(Popcount(), tmp_path), target, tmp_path, by_block=False)
    used = result.resources
    assert used.ff == 4
    assert 4 <= used.lut <= 40
    assert (used.dsp, used.bram, used.by_block) == (0, 0, {})
    assert 1 <= result.depth <= 7
    assert result.target is TARGETS[target]
    assert prove_mapping(result).proved is True
    # Nothing is there but what the family has: no buffers, no gate left unmapped.
    assert all(TARGETS[target].takes(cell) for cell in used.cells), used.cells
    assert "module top(" in result.files["verilog"].read_text()
    assert ("blif" in result.files) == target.startswith("lut")


@pytest.mark.parametrize("target", TARGETS)
def test_comparator_uses_the_carry_chain(target, tmp_path):
    result = synthesize(write_rtlil(Comparator(), tmp_path), target, tmp_path)
    assert result.resources.carry == pytest.approx(CARRY.get(target, 0), abs=1)
    assert result.resources.ff == 0
    assert result.resources.by_block == {}


@pytest.mark.parametrize("target", ["lut6", "ice40"])
def test_blocks_are_counted(target, tmp_path):
    result = synthesize(write_rtlil(Hierarchy(), tmp_path), target, tmp_path)
    blocks = result.resources.by_block
    assert set(blocks) >= {"groupsum", "argmax"}
    assert blocks["groupsum"].ff == 4
    assert blocks["argmax"].ff == 0
    assert blocks["top"].ff == 1
    assert sum(block.ff for block in blocks.values()) == result.resources.ff == 5
    assert sum(block.lut for block in blocks.values()) >= result.resources.lut
    assert "on its own" in result.by_block_note


def test_ecp5_carry_cells_count_two_luts(tmp_path):
    used = synthesize(write_rtlil(Comparator(), tmp_path), "ecp5", tmp_path).resources
    assert used.lut == used.cells.get("LUT4", 0) + 2 * used.cells["CCU2C"]


def test_lut_netlist_is_as_deep_as_it_says(tmp_path):
    result = synthesize(write_rtlil(Comparator(), tmp_path), "lut6", tmp_path)
    # 16 inputs need two levels of six; three suffice for a comparator.
    assert 2 <= result.depth <= 3
    assert len(re.findall(r"^\.names", result.files["blif"].read_text(), re.M)) >= 3


def test_script_can_be_run_again(tmp_path):
    result = synthesize(write_rtlil(Comparator(), tmp_path), "lut4", tmp_path)
    assert (tmp_path / "synth" / "synth.ys").read_text() == result.script
    assert "-script +strash;write_aiger,-s,core.aig;" in result.script
    assert result.tool.startswith("Yosys ")
    assert result.seconds > 0


def test_a_wrong_netlist_is_refuted(tmp_path):
    result = synthesize(write_rtlil(Comparator(), tmp_path), "lut4", tmp_path)
    mapped = result.files["core_mapped"]
    lines = mapped.read_text().split("\n")
    row = next(i for i, line in enumerate(lines) if re.fullmatch(r"[01-]+ 1", line))
    del lines[row]
    mapped.write_text("\n".join(lines))
    assert prove_mapping(result).proved is False


def test_path_with_spaces(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    assert synthesize(write_rtlil(Popcount(), folder), "lut6", folder).resources.ff == 4


def test_unknown_target_is_an_error(tmp_path):
    with pytest.raises(BuildError, match=r"no target 'stratix' \(one of lut4, lut6, xilinx"):
        synthesize(write_rtlil(Popcount(), tmp_path), "stratix", tmp_path)


def test_unknown_top_is_an_error(tmp_path):
    with pytest.raises(BuildError, match=r"top\.il: there is no module 'chip'"):
        synthesize(write_rtlil(Popcount(), tmp_path), "lut4", tmp_path, top="chip")


def test_broken_rtlil_is_an_error(tmp_path):
    path = write_rtlil(Popcount(), tmp_path)
    path.write_text(path.read_text().replace("cell $dff", "cell $nonsense"))
    with pytest.raises(ToolError, match="ERROR:"):
        synthesize(path, "lut4", tmp_path)
