"""In which block a net of the flat netlist is driven."""

import json
from collections import Counter

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from flow_designs import write_rtlil

from lgn_hdl.flow import synthesize
from lgn_hdl.flow.hierarchy import driver_blocks, usage_by_driver


class Register(wiring.Component):
    i: In(4)
    o: Out(4)

    def elaborate(self, platform):
        m = Module()
        kept = Signal(4)
        m.d.sync += kept.eq(self.i + kept)
        m.d.comb += self.o.eq(kept)
        return m


class Two(wiring.Component):
    """A register here, one deeper, and one deeper still."""

    i: In(4)
    o: Out(4)

    def __init__(self, depth=2):
        self.depth = depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Two(self.depth - 1) if self.depth else Register()
        own = Signal(4)
        m.d.sync += own.eq(self.i ^ inner.o)
        m.d.comb += [inner.i.eq(own), self.o.eq(inner.o)]
        return m


@pytest.fixture(scope="module", params=["ice40", "ecp5", "gowin"])
def design(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("design")
    path = write_rtlil(Two(), folder)
    netlist = synthesize(path, request.param, folder, by_block=False).files["json"]
    return driver_blocks(path.read_text(), netlist), json.loads(netlist.read_text())


@pytest.mark.parametrize("target", ["ice40", "ecp5", "gowin", "xilinx"])
def test_usage_of_the_blocks_adds_up(target, tmp_path):
    path = write_rtlil(Two(), tmp_path)
    result = synthesize(path, target, tmp_path, by_block=False)
    blocks = usage_by_driver(path.read_text(), result.files["json"], result.target)
    assert set(blocks) == {"", "inner", "inner.inner", "inner.inner.inner"}
    assert [blocks[name].ff for name in blocks] == [4, 4, 4, 4]
    total = result.resources
    for what in ("lut", "ff", "carry"):
        assert sum(getattr(used, what) for used in blocks.values()) == getattr(total, what)
    # A sum in the innermost block, four exclusive ors in each of the others; but what reads a sum
    # may be mapped together with it.
    assert blocks["inner.inner.inner"].lut >= 1
    assert all(used.lut <= 12 for used in blocks.values())
    assert sum((Counter(used.cells) for used in blocks.values()), Counter()) == total.cells


def test_registers_count_to_the_block_that_drives_them(design):
    blocks, _ = design
    assert blocks["own[0]"] == ""
    assert blocks["inner.own[3]"] == "inner"
    assert blocks["inner.inner.own[1]"] == "inner.inner"
    assert blocks["inner.inner.inner.kept[2]"] == "inner.inner.inner"


def test_other_names_of_a_net_make_no_difference(design):
    blocks, netlist = design
    every = netlist["modules"]["top"]["netnames"]
    names = {name: net for name, net in every.items() if not net["hide_name"]}
    # `own` of a block is the input `i` of the next, and the last register the output of all.
    seen = set()
    for name, net in names.items():
        for other in names:
            if names[other]["bits"] == net["bits"] and len(net["bits"]) == 4:
                assert blocks[f"{name}[0]"] == blocks[f"{other}[0]"]
                seen.add((name, other))
    assert ("inner.own", "inner.inner.i") in seen
    assert ("o", "inner.inner.inner.kept") in seen


def test_every_net_that_a_cell_drives_is_in_a_block(design):
    blocks, netlist = design
    module = netlist["modules"]["top"]
    driven = {
        bit
        for cell in module["cells"].values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "output"
        for bit in bits
    }
    for name, net in module["netnames"].items():
        for index, bit in enumerate(net["bits"]):
            if bit in driven:
                full = name if len(net["bits"]) == 1 else f"{name}[{index}]"
                assert blocks[full] in {"", "inner", "inner.inner", "inner.inner.inner"}
    # The sum lies in the innermost block, whatever synthesis calls its wires.
    made = [blocks[name] for name in blocks if name.startswith("$")]
    assert set(made) <= {"", "inner", "inner.inner", "inner.inner.inner"}
