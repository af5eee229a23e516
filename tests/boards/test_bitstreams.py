"""A bitstream for every board that has an open place and route."""

import json

import pytest
from devices import Echo, Rom, mapped

from lgn_hdl.flow import pack, place_and_route

OPEN = ["icebreaker", "hx8k", "ulx3s", "tangnano9k"]
SUFFIX = {"icebreaker": ".bin", "hx8k": ".bin", "ulx3s": ".bit", "tangnano9k": ".fs"}
#: Cell type of the device's LUTs, flip-flops and memories.
CELLS = {
    "icebreaker": ("ICESTORM_LC", "ICESTORM_LC", "ICESTORM_RAM"),
    "hx8k": ("ICESTORM_LC", "ICESTORM_LC", "ICESTORM_RAM"),
    "ulx3s": ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD"),
    "tangnano9k": ("LUT4", "DFF", "BSRAM"),
}


@pytest.mark.parametrize("name", OPEN)
def test_bitstream(name, tmp_path):
    board, files, netlist = mapped(Echo(), name, tmp_path)
    result = place_and_route(netlist, board, files, tmp_path)
    assert result.closed
    assert result.clock_mhz == board.clock_hz / 1e6
    assert list(result.constrained_mhz.values()) == [pytest.approx(result.clock_mhz, rel=1e-4)]
    # A 16-bit sum and the counter at power-on: some tens of MHz on the slowest device.
    assert 40 < result.achieved_mhz < 500
    assert result.achieved_mhz == min(result.fmax_mhz.values())
    assert result.board == name
    assert (result.seed, result.tool.split()[0][:7]) == (1, "nextpnr")
    bitstream = pack(result, board)
    assert bitstream.path.name == f"top{SUFFIX[name]}"
    assert bitstream.path.stat().st_size > 30_000
    assert bitstream.program.endswith(bitstream.path.name)


@pytest.mark.parametrize("name", OPEN)
def test_memory_with_contents_is_a_block_memory(name, tmp_path):
    board, files, netlist = mapped(Rom(), name, tmp_path)
    assert netlist.resources.bram >= 1
    assert netlist.resources.lut < 100
    result = place_and_route(netlist, board, files, tmp_path)
    lut, ff, bram = (result.utilisation[cell] for cell in CELLS[name])
    assert bram.used == netlist.resources.bram
    # The budget is what nextpnr says of the device.
    budget = board.budget
    assert (lut.available, ff.available, bram.available) == (budget.lut, budget.ff, budget.bram)
    assert pack(result, board).path.exists()


@pytest.mark.parametrize("name", OPEN)
def test_bitstream_with_a_pll(name, tmp_path):
    mhz = 48.0
    board, files, netlist = mapped(Echo(), name, tmp_path, mhz=mhz)
    assert files.clock.mhz == mhz
    # What `clock_mhz` asks for is only the aim where nothing better is known: nextpnr works out
    # the frequency of the PLL from its settings.
    result = place_and_route(netlist, board, files, tmp_path, clock_mhz=11.0)
    derived = list(result.constrained_mhz.values())
    expected = 11.0 if board.target == "gowin" else mhz  # it derives none for Gowin
    assert derived == [pytest.approx(expected, rel=1e-4)]
    plls = {cell: row.used for cell, row in result.utilisation.items() if "PLL" in cell}
    assert sum(plls.values()) == 1, plls
    assert pack(result, board).path.exists()


def test_pads_and_pll_are_in_the_netlist(tmp_path):
    _, _, netlist = mapped(Echo(), "icebreaker", tmp_path, mhz=24)
    module = json.loads(netlist.files["json"].read_text())["modules"]["top"]
    types = [cell["type"] for cell in module["cells"].values()]
    # rx, tx and the button; the clock goes from its pad into the PLL.
    assert types.count("SB_IO") == 3
    assert types.count("SB_PLL40_PAD") == 1
    assert types.count("SB_GB_IO") == 0
    assert netlist.resources.cells["SB_PLL40_PAD"] == 1


def test_the_same_seed_gives_the_same_bitstream(tmp_path):
    board, files, netlist = mapped(Echo(), "icebreaker", tmp_path)
    made = []
    for run, seed in (("a", 1), ("b", 1), ("c", 2)):
        result = place_and_route(netlist, board, files, tmp_path / run, seed=seed)
        made.append(pack(result, board).path.read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]
