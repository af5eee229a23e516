"""What docs/boards.md says."""

import re
import sys
from pathlib import Path

import pytest
from devices import Echo, mapped

from boards import BOARDS
from lgn_hdl.flow import find_board, pack, place_and_route
from lgn_hdl.flow.programs import variable_of

TEXT = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()


@pytest.mark.parametrize("name", BOARDS)
def test_table_of_boards_is_that_of_the_code(name):
    board = find_board(name)
    (row,) = re.findall(rf"^\| `{name}`.*\d,\d.*\|$", TEXT, re.MULTILINE)
    budget = board.budget
    k = 6 if board.target == "xilinx" else 4
    assert f"| {board.clock_hz / 1e6:g} MHz |" in row
    assert f"| {board.usb_serial}, {board.baud:,} |" in row
    kilobits = budget.bram_bits // 1024
    assert f"| {budget.lut:,} LUT{k}, {budget.ff:,}, {budget.bram} x {kilobits} kbit |" in row
    assert ("power-on only" in row) == (board.reset is None)
    files = {"ice40": f"{name}.bin", "gowin": f"{name}.fs", "xilinx": "vivado/top.bit"}
    file = files.get(board.target, f"{name}.bit")
    assert f"`{board.program.format(file=file)}`" in TEXT


def test_variables_are_those_of_the_code():
    for program in re.findall(r"`(nextpnr-[\w-]+|icepack|ecppack|gowin_pack)`", TEXT):
        assert f"`{variable_of(program)}`" in TEXT


def test_the_board_of_ones_own_works(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n# icestick.py\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "icestick.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    try:
        board, files, netlist = mapped(Echo(), "icestick:ICEstick", tmp_path, mhz=36)
    finally:
        sys.modules.pop("icestick", None)
    result = place_and_route(netlist, board, files, tmp_path)
    assert result.utilisation["ICESTORM_LC"].available == board.budget.lut
    assert result.utilisation["ICESTORM_RAM"].available == board.budget.bram
    assert pack(result, board).path.exists()
