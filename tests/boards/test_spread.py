"""Designs that are spread over an ECP5."""

import dataclasses
import json
import re
from collections import Counter

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from devices import Chain, Echo, mapped

from lgn_hdl.errors import BuildError
from lgn_hdl.flow import FitError, best_of_seeds, fit, pack, place_and_route
from lgn_hdl.flow.nextpnr_job import make_job
from lgn_hdl.flow.spread import spread_netlist, tiles_of, worthwhile


class Mixed(wiring.Component):
    """LUTs with flip-flops, and a carry chain of several tiles."""

    rx: In(1)
    tx: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.chain = chain = Chain(length=200)
        m.submodules.echo = echo = Echo()
        m.d.comb += [chain.rx.eq(self.rx), echo.rx.eq(self.rx), self.tx.eq(chain.tx ^ echo.tx)]
        return m


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A design that would go into a corner of the device."""
    return mapped(Mixed(), "ulx3s", tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def spread(mixed, tmp_path_factory):
    """The same, placed and routed after it was spread, and the folder of the job."""
    board, files, netlist = mixed
    folder = tmp_path_factory.mktemp("spread")
    result = place_and_route(netlist, board, files, folder, spread=True)
    return result, folder / "pnr"


def device_of(*options):
    """The tiles of a device that is known."""
    tiles = tiles_of(options)
    assert tiles is not None
    return tiles


def top_of(path):
    """The top module of a file of Yosys or nextpnr."""
    (top,) = (
        module
        for module in json.loads(path.read_text())["modules"].values()
        if "top" in module["attributes"]
    )
    return top


def places(path):
    """Cell → column, row and the rest of its place."""
    found = {}
    for name, cell in top_of(path)["cells"].items():
        attributes = cell["attributes"]
        x, y, bel = attributes.get("NEXTPNR_BEL", attributes.get("BEL")).split("/")
        found[name] = int(x[1:]), int(y[1:]), bel
    return found


def luts_of_tiles(found):
    """How many LUTs are used of each tile, apart from those taken."""
    return Counter(
        (x, y)
        for name, (x, y, bel) in found.items()
        if ".K" in bel and not name.startswith("$taken$")
    )


def strips(path):
    """The tiles that were left as they are, for carry chains."""
    bels = [cell["attributes"].get("BEL", "") for cell in top_of(path)["cells"].values()]
    taken = Counter(bel.rpartition("/")[0] for bel in bels if "/SLICE" in bel)
    assert set(taken.values()) == {6}
    tiles = device_of("--85k")
    return {(x, y) for x in tiles.columns for y in tiles.rows if not taken[f"X{x}/Y{y}"]}


def test_no_tile_gets_more_luts_than_were_left(mixed, spread, tmp_path):
    board, files, netlist = mixed
    result, folder = spread
    assert result.per_tile == 2
    whole = strips(folder / "spread.json")
    used = luts_of_tiles(places(folder / "placed.json"))
    assert sum(used.values()) == result.utilisation["TRELLIS_COMB"].used
    assert max(count for tile, count in used.items() if tile not in whole) == 2
    # The carry chain needs whole tiles: there is more than one, and not much more.
    assert sum(count > 2 for count in used.values()) >= 2
    assert len(whole) < 50
    # Left alone, the same design fills tiles.
    plain = make_job(netlist, board, files, tmp_path)
    plain.prepare()
    arguments = [*plain.only_placing, "--write", "placed.json"]
    assert plain.program.attempt(arguments, tmp_path, log="place.log") is None
    assert max(luts_of_tiles(places(tmp_path / "placed.json")).values()) == 8


def test_what_is_routed_is_the_design_alone_where_it_was_placed(mixed, spread, tmp_path):
    board, files, netlist = mixed
    result, folder = spread
    assert result.utilisation == fit(netlist, board, files, tmp_path)
    placed = places(folder / "placed.json")
    assert any(name.startswith("$taken$") for name in placed)
    kept = {name: at for name, at in placed.items() if not name.startswith("$taken$")}
    assert places(folder / "released.json") == kept
    tiles = re.findall(
        r"^\.tile R(\d+)C(\d+):PLC2\n((?:.+\n)*)", result.files["layout"].read_text(), re.M
    )
    routed = {
        (int(x), int(y), bel)
        for y, x, body in tiles
        for bel in re.findall(r"^word: (SLICE..K.)\.INIT", body, re.M)
    }
    assert routed == {at for at in kept.values() if ".K" in at[2]}
    assert result.critical_path
    assert pack(result, board).path.stat().st_size > 100_000


def test_inputs_of_carry_cells_stay_on_their_side(spread):
    """Those of other LUTs may be swapped at will; a carry is a table of A and B alone."""
    result, folder = spread
    layout = result.files["layout"].read_text()
    tiles = dict(re.findall(r"^\.tile (R\d+C\d+):PLC2\n((?:.+\n)*)", layout, re.M))
    cells = top_of(folder / "released.json")["cells"].values()
    carries = [cell for cell in cells if cell["parameters"].get("MODE") == "CCU2"]
    assert len(carries) > 40
    for cell in carries:
        x, y, bel = cell["attributes"]["BEL"].split("/")
        number = 2 * "ABCD".index(bel[5]) + int(bel[-1])
        wired = [pin in "AB" for pin in "ABCD" if cell["connections"][pin]]
        arcs = re.findall(rf"^arc: ([ABCD]){number} ", tiles[f"R{y[1:]}C{x[1:]}"], re.M)
        assert Counter(pin in "AB" for pin in arcs) == Counter(wired)


def test_the_same_seed_gives_the_same_layout(mixed, spread, tmp_path):
    board, files, netlist = mixed
    found = best_of_seeds(netlist, board, files, tmp_path, seeds=[1], spread=True)
    result, _ = spread
    assert found.best.files["layout"].read_bytes() == result.files["layout"].read_bytes()
    assert found.best.achieved_mhz == result.achieved_mhz


@pytest.mark.parametrize("size", ["12", "25", "45", "85"])
def test_tiles_are_those_of_the_device(mixed, tmp_path, size):
    board, files, netlist = mixed
    tiles = device_of("--verbose", f"--um-{size}k" if size == "25" else f"--{size}k")
    options = (f"--{size}k", "--package", "CABGA381")
    other = type("Other", (type(board),), {"nextpnr": options})()
    assert 8 * tiles.count == fit(netlist, other, files, tmp_path)["TRELLIS_COMB"].available
    # nextpnr refuses a cell at a place that there is not.
    job = make_job(netlist, other, files, tmp_path / "pnr", spread=True)
    job.prepare()
    assert job.program.attempt(job.only_placing, job.cwd, log="place.log") is None


def test_a_place_that_there_is_not_is_an_error(mixed, tmp_path):
    board, files, netlist = mixed
    job = make_job(netlist, board, files, tmp_path)
    job.prepare()
    tiles = dataclasses.replace(device_of("--85k"), rows=(10,))  # memories, no LUTs
    bad = spread_netlist(netlist.files["json"], tiles, tmp_path / "spread.json")
    job = dataclasses.replace(job, spread=bad)
    with pytest.raises(FitError, match=r"does not place.*No Bel named 'X\d+/Y10/SLICE"):
        raise job.reason(job.attempt(None), None)


def test_only_large_designs_are_spread_unasked(mixed, tmp_path):
    board, files, netlist = mixed
    tiles = device_of(*board.nextpnr)
    assert [worthwhile(luts, tiles) for luts in (2000, 13192, 30000, 60000)] == [0, 1, 1, 0]
    assert make_job(netlist, board, files, tmp_path, spread=None).spread is None
    resources = dataclasses.replace(netlist.resources, lut=13192)
    large = dataclasses.replace(netlist, resources=resources)
    assert make_job(large, board, files, tmp_path, spread=None).spread is not None
    assert make_job(large, board, files, tmp_path, spread=False).spread is None


def test_half_a_lut_more_is_left_on_the_average(tmp_path):
    lut = {"type": "LUT4", "attributes": {}, "connections": {}}
    top = {"attributes": {"top": "1"}, "cells": {f"lut{n}": lut for n in range(17000)}}
    large = tmp_path / "large.json"
    large.write_text(json.dumps({"modules": {"top": top}}))
    tiles = device_of("--85k")
    found = spread_netlist(large, tiles, tmp_path / "spread.json")
    assert found.per_tile == pytest.approx(17000 / 0.65 / tiles.count)
    assert found.taken == 8 * tiles.count - int(17000 / 0.65)


def test_it_is_for_ecp5_only(tmp_path):
    board, files, netlist = mapped(Echo(), "icebreaker", tmp_path)
    with pytest.raises(BuildError, match="icebreaker: spreading is known for the sizes of ECP5"):
        place_and_route(netlist, board, files, tmp_path, spread=True)
