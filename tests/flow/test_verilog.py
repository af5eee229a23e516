"""RTLIL to Verilog."""

import re

import pytest
from flow_designs import Hierarchy, write_rtlil

from lgn_hdl.errors import ToolError
from lgn_hdl.flow import clean_names, write_verilog


def test_verilog_keeps_names_hierarchy_and_registers(tmp_path):
    rtlil = write_rtlil(Hierarchy(), tmp_path)
    rtlil.write_text(clean_names(rtlil.read_text()))
    write_verilog(rtlil, tmp_path / "top.v")
    text = (tmp_path / "top.v").read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == ["top", "top_argmax", "top_groupsum"]
    assert re.search(r"top_groupsum\s+groupsum \(", text)
    assert "always @(posedge clk)" in text
    assert "if (enable) begin" in text
    # All that is not a plain identifier is the guard Yosys puts into a process.
    assert "\\" not in text.replace("\\$auto$verilog_backend.cc", "")
    assert "(*" not in text
    assert {path.name for path in tmp_path.iterdir()} == {"top.il", "top.v"}


def test_names_that_would_collide_get_a_number():
    text = (
        'module \\top.a\n  attribute \\x.y "\\top.a"\n'
        "  wire \\b$1\n  wire \\b_1\n  wire \\b.1\nend\n"
    )
    assert clean_names(text) == (
        'module \\top_a\n  attribute \\x.y "\\top.a"\n'
        "  wire \\b_1_2\n  wire \\b_1\n  wire \\b_1_3\nend\n"
    )


def test_clean_names_are_left_alone(tmp_path):
    text = clean_names(write_rtlil(Hierarchy(), tmp_path).read_text())
    assert clean_names(text) == text


def test_broken_rtlil_is_an_error(tmp_path):
    (tmp_path / "top.il").write_text("module \\top\n  wire width\nend\n")
    with pytest.raises(ToolError, match=r"ERROR: .*line 2"):
        write_verilog(tmp_path / "top.il", tmp_path / "top.v")
    assert not (tmp_path / "top.v").exists()
