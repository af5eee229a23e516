"""Timing and power with OpenSTA, which has to be there (apt install opensta)."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cell_netlists import PREFIX, liberty_of, netlist_of, random_netlist

from lgn_hdl.errors import BuildError, FormatError, ToolError
from lgn_hdl.flow.activity.netlist import GateNetlist, block_of_name
from lgn_hdl.flow.activity.simulate import Activity, simulate_activity
from lgn_hdl.flow.electric import electric_cells
from lgn_hdl.flow.library import trimmed
from lgn_hdl.flow.sta.abc import abc_delay
from lgn_hdl.flow.sta.power import netlist_power
from lgn_hdl.flow.sta.timing import find_sta, time_netlist
from lgn_hdl.flow.sta.tool import Sta
from lgn_hdl.flow.tools import find_yosys

PERIOD = 10.0


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Path:
    assert find_sta() is not None, "OpenSTA is missing: apt install opensta"
    return liberty_of(shared)


def chain(liberty: Path) -> GateNetlist:
    """Inverters of two blocks before and behind a register."""
    cells = {
        "front.u1": ("inv_1", {"A": "a", "Y": "n1"}),
        "front.u2": ("inv_2", {"A": "n1", "Y": "n2"}),
        "r1": ("dfxtp_1", {"CLK": "clk", "D": "n2", "Q": "q"}),
        "back.u3": ("inv_4", {"A": "q", "Y": "n3"}),
        "back.u4": ("buf_1", {"A": "n3", "X": "n4"}),
        "back.u5": ("inv_1", {"A": "n4", "Y": "n5"}),
        "r2": ("dfxtp_1", {"CLK": "clk", "D": "n5", "Q": "y"}),
    }
    return netlist_of(liberty, {"a": "input", "clk": "input", "y": "output"}, cells)


def toggling(clocks: int = 3000, rate: float = 0.3) -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).random(clocks) < rate) % 2 == 1


def test_the_worst_path_and_its_slack(liberty: Path, tmp_path: Path) -> None:
    netlist = chain(liberty)
    found = time_netlist(netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path)
    names = [(point.instance, point.pin, point.block) for point in found.path]
    assert names == [
        ("r1", "CLK", "top"),
        ("r1", "Q", "top"),
        ("back.u3", "Y", "back"),
        ("back.u4", "X", "back"),
        ("back.u5", "Y", "back"),
        ("r2", "D", "top"),
    ]
    assert found.path[1].cell == PREFIX + "dfxtp_1"
    assert found.path[2].rises is not found.path[1].rises
    arrivals = np.cumsum([point.delay_ns for point in found.path])
    assert [point.arrival_ns for point in found.path] == pytest.approx(arrivals, abs=2e-5)
    assert found.delay_by_block_ns["back"] == pytest.approx(
        sum(point.delay_ns for point in found.path[2:5])
    )
    # The setup time of dfxtp_1 is between 0.04 and 0.11 ns for fast edges.
    setup = PERIOD - found.setup_slack_ns - found.path[-1].arrival_ns
    assert 0.03 < setup < 0.12
    assert found.hold_slack_ns is not None
    assert found.hold_slack_ns > 0.3
    # Frequency does not depend on the period that was asked for.
    fast = time_netlist(netlist, clock_port="clk", period_ns=0.4, workdir=tmp_path)
    assert fast.setup_slack_ns == pytest.approx(found.setup_slack_ns - 9.6, abs=1e-5)
    assert fast.setup_slack_ns < 0
    assert fast.fmax_mhz == pytest.approx(found.fmax_mhz, rel=1e-4)
    assert found.power is None
    assert any("ideal" in limit for limit in found.limits)


def test_logic_without_a_clock(liberty: Path, tmp_path: Path) -> None:
    cells = {f"u{i}": ("inv_1", {"A": f"n{i}", "Y": f"n{i + 1}"}) for i in range(20)}
    netlist = netlist_of(liberty, {"n0": "input", "n20": "output"}, cells)
    found = time_netlist(netlist, clock_port=None, period_ns=PERIOD, workdir=tmp_path)
    assert found.path[0].pin == "n0"
    assert (found.path[-1].instance, found.path[-1].pin) == ("", "n20")
    assert len(found.path) == 22
    assert found.hold_slack_ns is None
    assert 1e3 / found.fmax_mhz == pytest.approx(found.path[-1].arrival_ns, abs=1e-5)
    # ABC, which has its own delay calculation, agrees.
    other = abc_delay(netlist, tmp_path)
    assert other.delay_ns == pytest.approx(found.path[-1].arrival_ns, rel=0.1)
    if find_yosys().kind != "yowasp":
        assert [name for name, _ in other.path] == [PREFIX + "inv_1"] * 20
        assert other.path[-1][1] == pytest.approx(other.delay_ns, abs=1e-3)


def test_abc_times_what_is_between_registers(liberty: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        netlist = random_netlist(liberty, seed, feedback=False, registers=20)
        found = abc_delay(netlist, tmp_path)
        timed = time_netlist(netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path)
        logic = [point.delay_ns for point in timed.path if "df" not in point.cell]
        assert found.delay_ns == pytest.approx(sum(logic), rel=0.25)
    registers = {"r": ("dfxtp_1", {"CLK": "clk", "D": "a", "Q": "q"})}
    netlist = netlist_of(liberty, {"clk": "input", "a": "input", "q": "output"}, registers)
    with pytest.raises(BuildError, match="has no logic"):
        abc_delay(netlist, tmp_path)


def test_a_held_port_has_no_path(liberty: Path, tmp_path: Path) -> None:
    cells = {f"u{i}": ("buf_1", {"A": f"n{i}", "X": f"n{i + 1}"}) for i in range(9)}
    cells |= {"last": ("and2_1", {"A": "n9", "B": "b", "X": "y"})}
    ports = {"n0": "input", "b": "input", "y": "output"}
    netlist = netlist_of(liberty, ports, cells)
    common = {"clock_port": None, "period_ns": PERIOD, "workdir": tmp_path}
    whole = time_netlist(netlist, **common)
    held = time_netlist(netlist, **common, constants={"n0": 1})
    assert len(whole.path) > 10
    assert [point.pin for point in held.path] == ["b", "X", "y"]
    with pytest.raises(BuildError, match="no path is to be timed"):
        time_netlist(netlist, **common, constants={"n0": 1, "b": 0})


def test_wires_slow_down_and_cost(liberty: Path, tmp_path: Path) -> None:
    netlist = chain(liberty)
    activity = simulate_activity(netlist, {"a": toggling()})
    common = {"clock_port": "clk", "period_ns": PERIOD, "workdir": tmp_path, "activity": activity}
    ideal, wired = (time_netlist(netlist, **common, wire_ff=each) for each in (0.0, 5.0))
    assert wired.setup_slack_ns < ideal.setup_slack_ns - 0.02
    assert ideal.power is not None
    assert wired.power is not None
    # Six data nets with one pin each, and the clock with two.
    rates = dict(zip(netlist.nets, activity.toggles, strict=True))
    transitions = sum(rates[f"n{i}"] for i in range(1, 6)) + rates["q"] + 2 * 2
    extra = 0.5 * 5e-15 * 1.8**2 * transitions * 1e8
    difference = wired.power.parts.switching - ideal.power.parts.switching
    assert difference == pytest.approx(extra, rel=1e-6)
    assert any("5 fF" in limit for limit in wired.limits)


def test_power_by_hand(liberty: Path, tmp_path: Path) -> None:
    """One inverter that drives another, and a register that never changes."""
    cells = {
        "u1": ("inv_1", {"A": "a", "Y": "n"}),
        "u2": ("inv_1", {"A": "n", "Y": "y"}),
        "r": ("dfxtp_1", {"CLK": "clk", "D": "0", "Q": "q"}),
    }
    netlist = netlist_of(liberty, {"a": "input", "clk": "input", "y": "output"}, cells)
    activity = simulate_activity(netlist, {"a": np.arange(1001) % 2 == 1})
    found = time_netlist(
        netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path, activity=activity
    )
    power = found.power
    assert power is not None
    # From the file: inv_1/A has 0.002387 and 0.002217 pF, dfxtp_1/CLK 0.001877 and 0.001712 pF.
    text = trimmed(liberty, [PREFIX + "inv_1"], 0.0)
    load = [
        float(re.search(rf"{edge}_capacitance : ([\d.]+)", text)[1]) for edge in ("rise", "fall")
    ]  # pyright: ignore
    each = 0.5 * np.mean(load) * 1e-12 * 1.8**2 * 1e8
    assert power.by_group["logic"].switching == pytest.approx(each, rel=1e-6)
    assert power.input_w == pytest.approx(each, rel=1e-6)
    clock = 0.5 * (0.001877 + 0.001712) / 2 * 1e-12 * 1.8**2 * 2e8
    assert power.by_group["clock"].switching == pytest.approx(clock, rel=1e-6)
    # Energy of the clock pin at a transition of 0.05 ns: about 0.0174 and 0.0223 pJ.
    pin = (0.0174427 + 0.0223639) * 1e-12 * 1e8
    assert power.by_group["clock"].internal == pytest.approx(pin, rel=2e-3)
    assert power.by_group["registers"].internal == 0
    leakage = (2 * 0.005326682 + 0.008438635) * 1e-9
    assert power.parts.leakage == pytest.approx(leakage, rel=1e-6)
    assert power.energy_j() == pytest.approx(power.parts.total * 1e-8)
    assert power.energy_j(clocks=4) == pytest.approx(power.parts.total * 4e-8)
    assert not power.with_glitches


def test_opensta_has_the_same_power(liberty: Path, tmp_path: Path) -> None:
    """Through inverters and registers OpenSTA carries the activity of a port exactly.

    The Debian version counts internal energy for rising and for falling edges at every transition,
    twice as often as they come.
    """
    netlist = chain(liberty)
    activity = simulate_activity(netlist, {"a": toggling()})
    found = time_netlist(
        netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path, activity=activity
    )
    tool = find_sta()
    assert tool is not None
    assert found.power is not None
    port = netlist.inputs["a"][0]
    script = (tmp_path / "sta/sta.tcl").read_text().split("set in [open activity")[0]
    script = script.removesuffix("exit\n") + (
        f"set_power_activity -input_ports [get_ports n{port}] "
        f"-activity {activity.toggles[port]} -duty {activity.ones[port]}\n"
        "report_power -digits 8 > own.txt\nexit\n"
    )
    (tmp_path / "sta/own.tcl").write_text(script)
    subprocess.run(
        [tool.program, "-no_splash", "-exit", "own.tcl"], cwd=tmp_path / "sta", check=True
    )
    row = re.search(r"^Total\s+(\S+)\s+(\S+)\s+(\S+)", (tmp_path / "sta/own.txt").read_text(), re.M)
    assert row is not None
    internal, switching, leakage = (float(value) for value in row.groups())
    parts, clock = found.power.parts, found.power.by_group["clock"]
    # The clock's net has no driver inside, so OpenSTA does not count its load; of the capacitances
    # of a pin for rising and falling edges it takes the larger one.
    assert switching == pytest.approx(parts.switching - clock.switching, rel=0.04)
    assert leakage == pytest.approx(parts.leakage, rel=1e-3)
    assert internal == pytest.approx((1 if tool.takes_activity else 2) * parts.internal, rel=0.03)


def at(table: np.ndarray, slews: np.ndarray, loads: np.ndarray, slew: float, load: float) -> float:
    """Between four points of a table."""
    along = [np.interp(load, loads, row) for row in table]
    return float(np.interp(slew, slews, along))


@pytest.mark.parametrize("pin", ["A", "B"])
def test_the_input_that_changes_pays(liberty: Path, tmp_path: Path, pin: str) -> None:
    """The other one is mostly 1; energies of the two inputs of a NAND differ twofold."""
    cells = {
        "u": ("nand2_1", {"A": "a", "B": "b", "Y": "n"}),
        "v": ("inv_1", {"A": "n", "Y": "y"}),
    }
    netlist = netlist_of(liberty, {"a": "input", "b": "input", "y": "output"}, cells)
    fast, slow = np.arange(4001) % 2 == 1, np.arange(4001) % 100 > 0
    stimulus = {"a": fast, "b": slow} if pin == "A" else {"a": slow, "b": fast}
    activity = simulate_activity(netlist, stimulus)
    power = netlist_power(activity, PERIOD, blocks=["u", "v"])
    rates = dict(zip(netlist.nets, activity.toggles, strict=True))
    load = netlist.loads()[netlist.nets.index("n")]
    pins = electric_cells(liberty, [PREFIX + "nand2_1"])[PREFIX + "nand2_1"].pins
    energy, weight = 0.0, {"A": rates["a"] * activity.ones[netlist.nets.index("b")]}
    weight["B"] = rates["b"] * activity.ones[netlist.nets.index("a")]
    for table in pins["Y"].energies:
        part = weight[table.related] / sum(weight.values())
        both = [
            at(grid, table.slews, table.loads, 5e-11, load) for grid in (table.rise, table.fall)
        ]
        energy += part * float(np.mean(both)) * rates["n"]
    for name in "AB":
        (table,) = pins[name].energies
        both = [at(grid, table.slews, table.loads, 5e-11, 0) for grid in (table.rise, table.fall)]
        energy += float(np.mean(both)) * rates[name.lower()]
    assert weight[pin] > 0.95 * sum(weight.values())
    assert power.by_block["u"].internal == pytest.approx(energy * 1e8, rel=1e-6)


def test_power_without_opensta(liberty: Path, tmp_path: Path) -> None:
    """Transition times are assumed then, and matter little."""
    netlist = random_netlist(liberty, 4, feedback=False)
    names = [name for name in netlist.inputs if name != "clk"]
    bits = np.random.default_rng(0).random((1000, len(names))) < 0.5
    stimulus = {name: bits[:, place] for place, name in enumerate(names)}
    activity = simulate_activity(netlist, stimulus)
    found = time_netlist(
        netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path, activity=activity
    )
    assumed = netlist_power(activity, PERIOD)
    assert found.power is not None
    assert found.power != assumed
    assert assumed.parts.switching == pytest.approx(found.power.parts.switching)
    assert assumed.parts.total == pytest.approx(found.power.parts.total, rel=0.1)
    faster = netlist_power(activity, PERIOD / 2)
    assert faster.parts.switching == pytest.approx(2 * assumed.parts.switching)
    assert faster.parts.leakage == assumed.parts.leakage


def test_groups_and_blocks_add_up(liberty: Path, tmp_path: Path) -> None:
    netlist = random_netlist(liberty, 2, feedback=False)
    names = [name for name in netlist.inputs if name != "clk"]
    bits = np.random.default_rng(0).random((2000, len(names))) < 0.5
    stimulus = {name: bits[:, place] for place, name in enumerate(names)}
    common = {"clock_port": "clk", "period_ns": PERIOD, "workdir": tmp_path}
    plain, glitching = (
        time_netlist(
            netlist,
            **common,
            activity=simulate_activity(netlist, stimulus, glitch_clocks=clocks),
        ).power
        for clocks in (0, 2000)
    )
    assert plain is not None
    assert glitching is not None
    for sums in (plain.by_group, plain.by_block):
        for part in ("internal", "switching", "leakage"):
            total = sum(getattr(parts, part) for parts in sums.values())
            assert total == pytest.approx(getattr(plain.parts, part))
    assert set(plain.by_block) == {"stage0", "stage1", "stage2", "top"}
    assert glitching.with_glitches
    logic = [power.by_group["logic"].total for power in (plain, glitching)]
    assert logic[1] > 1.02 * logic[0]
    clocks = [power.by_group["clock"] for power in (plain, glitching)]
    assert clocks[1].switching == clocks[0].switching
    assert clocks[1].internal > clocks[0].internal  # at the enables of clock gates


def test_a_gated_clock_saves_its_part(liberty: Path, tmp_path: Path) -> None:
    def power(enable: np.ndarray) -> tuple[Activity, float]:
        cells = {"g": ("dlclkp_1", {"CLK": "clk", "GATE": "e", "GCLK": "gclk"})}
        cells |= {f"r{i}": ("dfxtp_1", {"CLK": "gclk", "D": "d", "Q": f"q{i}"}) for i in range(8)}
        ports = {"clk": "input", "e": "input", "d": "input", "q0": "output"}
        netlist = netlist_of(liberty, ports, cells)
        activity = simulate_activity(netlist, {"e": enable, "d": toggling(1000)})
        found = time_netlist(
            netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path, activity=activity
        )
        assert found.power is not None
        net = netlist.nets.index("gclk")
        pins = electric_cells(liberty, [PREFIX + "dfxtp_1"])[PREFIX + "dfxtp_1"].pins
        gated = 0.5 * 8 * pins["CLK"].capacitance * 1.8**2 * activity.toggles[net] * 1e8
        root = 0.5 * netlist.loads()[netlist.inputs["clk"][0]] * 1.8**2 * 2e8
        assert found.power.by_group["clock"].switching == pytest.approx(gated + root)
        return activity, found.power.by_group["clock"].total

    rng = np.random.default_rng(2)
    always, always_w = power(np.ones(1000, bool))
    quarter, quarter_w = power(rng.random(1000) < 0.25)
    net = always.netlist.nets.index("gclk")
    assert (always.toggles[net], always.ones[net]) == (2, 0.5)
    assert quarter.toggles[net] == pytest.approx(0.5, abs=0.1)
    assert always.clock_nets == {net, always.netlist.inputs["clk"][0]}
    assert 0.25 < quarter_w / always_w < 0.45


def test_a_weak_driver_is_named(liberty: Path, tmp_path: Path) -> None:
    cells = {"weak": ("inv_1", {"A": "a", "Y": "n"})}
    cells |= {f"u{i}": ("inv_1", {"A": "n", "Y": f"y{i}"}) for i in range(100)}
    # What a clock gate drives is for a clock tree.
    cells |= {"g": ("dlclkp_1", {"CLK": "clk", "GATE": "a", "GCLK": "gclk"})}
    cells |= {f"r{i}": ("dfxtp_1", {"CLK": "gclk", "D": "a", "Q": f"q{i}"}) for i in range(100)}
    netlist = netlist_of(liberty, {"a": "input", "clk": "input", "y0": "output"}, cells)
    found = time_netlist(netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path)
    (overload,) = found.overloads
    assert (overload.net, overload.cell) == ("n", PREFIX + "inv_1")
    assert overload.load_pf == pytest.approx(0.2302)
    assert overload.limit_pf == pytest.approx(0.181284)


_NEWER = """\
#!/bin/sh
if [ "$1" = "-version" ]; then echo "2.6.0 1a2b3c"; exit; fi
cp {script} {kept}
for f in setup hold; do
cat > $f.txt <<'END'
   0.100000    0.100000 ^ c0/Y (sky130_fd_sc_hd__inv_1)
               0.100000   data arrival time
                9.900000   slack (MET)
END
done
while read name; do echo "0.04 0.05"; done < drivers.txt > slews.txt
cat > power.txt <<'END'
Group                    Internal    Switching      Leakage        Total
Total                1.50000000e-06 2.50000000e-06 3.00000000e-11 4.00003000e-06 100.0%
END
"""


def test_a_newer_version_is_given_every_pin(
    liberty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, kept = tmp_path / "newer_sta", tmp_path / "kept.tcl"
    program.write_text(_NEWER.format(script="sta.tcl", kept=kept))
    program.chmod(0o755)
    monkeypatch.setenv("LGN_HDL_STA", str(program))
    netlist = chain(liberty)
    activity = simulate_activity(netlist, {"a": toggling()})
    found = time_netlist(
        netlist, clock_port="clk", period_ns=PERIOD, workdir=tmp_path, activity=activity
    )
    assert found.tool == "OpenSTA 2.6.0"
    assert found.opensta_power is not None
    assert found.opensta_power.internal == 1.5e-6
    assert found.opensta_power.total == pytest.approx(4.00003e-6)
    assert "set_power_activity -pins [get_pins $name]" in kept.read_text()
    lines = (tmp_path / "sta/activity.txt").read_text().splitlines()
    net = netlist.inputs["a"][0]
    toggles, ones = activity.toggles[net], activity.ones[net]
    assert lines[0] == f"port n{net} {toggles:.9g} {ones:.9g}"
    assert [line.split()[1] for line in lines[1:]] == [
        f"c{number}/{pin}" for number, pin in enumerate(["Y", "Y", "Q", "Y", "X", "Y", "Q"])
    ]


def test_which_opensta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Sta("sta", "2.0.17").takes_activity
    assert Sta("sta", "2.6.0").takes_activity
    other = tmp_path / "sta"
    other.write_text("#!/bin/sh\necho something else\n")
    other.chmod(0o755)
    monkeypatch.setenv("LGN_HDL_STA", str(other))
    with pytest.raises(ToolError, match="does not say a version of OpenSTA"):
        find_sta()
    monkeypatch.setenv("LGN_HDL_STA", "no_such_sta")
    with pytest.raises(ToolError, match="no such program"):
        find_sta()
    monkeypatch.delenv("LGN_HDL_STA")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_sta() is None


def test_without_opensta(liberty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netlist = chain(liberty)
    common = {"period_ns": PERIOD, "workdir": tmp_path}
    with pytest.raises(BuildError, match="has no input port clock"):
        time_netlist(netlist, clock_port="clock", **common)
    with pytest.raises(BuildError, match="period 0 ns"):
        time_netlist(netlist, clock_port="clk", period_ns=0, workdir=tmp_path)
    activity = simulate_activity(netlist, {"a": toggling()})
    other = replace(activity, netlist=chain(liberty))
    with pytest.raises(BuildError, match="of another netlist"):
        time_netlist(netlist, clock_port="clk", **common, activity=other)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"OpenSTA was not found.*apt install opensta"):
        time_netlist(netlist, clock_port="clk", **common)


def test_a_script_that_fails(liberty: Path, tmp_path: Path) -> None:
    tool = find_sta()
    assert tool is not None
    (tmp_path / "wrong.tcl").write_text("read_liberty none.lib\nexit\n")
    with pytest.raises(ToolError, match=r"Error.*none\.lib"):
        tool.run("wrong.tcl", tmp_path)


def test_blocks_of_names() -> None:
    assert block_of_name("gates.l1.g3") == "gates"
    assert block_of_name("\\groupsum._12_ ") == "groupsum"
    assert block_of_name("argmax/u1") == "argmax"
    assert [block_of_name(name) for name in ("_12_", "$abc$3.y", "valid[1]")] == ["", "", ""]


def test_blocks_of_a_netlist_that_lost_its_names(liberty: Path) -> None:
    """Only nets of registers kept theirs."""
    cells = {
        "_1_": ("inv_1", {"A": "a", "Y": "_n1_"}),
        "_2_": ("inv_1", {"A": "_n1_", "Y": "_n2_"}),
        "_3_": ("dfxtp_1", {"CLK": "clk", "D": "_n2_", "Q": "gates.o[0]"}),
        "_4_": ("inv_1", {"A": "gates.o[0]", "Y": "_n4_"}),
        "_5_": ("dfxtp_1", {"CLK": "clk", "D": "_n4_", "Q": "groupsum.o[0]"}),
        "_6_": ("inv_1", {"A": "groupsum.o[0]", "Y": "y"}),
    }
    netlist = netlist_of(liberty, {"a": "input", "clk": "input", "y": "output"}, cells)
    assert netlist.blocks() == ("gates", "gates", "gates", "groupsum", "groupsum", "top")


def test_liberty_files_that_lack_something(tmp_path: Path, liberty: Path) -> None:
    with pytest.raises(BuildError, match=r"none\.lib: there is no such Liberty file"):
        electric_cells(tmp_path / "none.lib", ["a"])
    with pytest.raises(BuildError, match="has no cell sky130_fd_sc_hd__nothing"):
        electric_cells(liberty, [PREFIX + "nothing"])
    (tmp_path / "empty.lib").write_text("library (x) { }\n")
    with pytest.raises(FormatError, match="no cell was found"):
        electric_cells(tmp_path / "empty.lib", ["a"])
    text = trimmed(liberty, [PREFIX + "inv_1"], 2e-15)
    assert text.count("cell (") == 1
    assert re.findall(r"wire_load\s*\(", text) == ["wire_load("]
    assert "slope : 0.002" in text
    (tmp_path / "one.lib").write_text(text)
    whole, alone = (
        electric_cells(path, [PREFIX + "inv_1"])[PREFIX + "inv_1"]
        for path in (liberty, tmp_path / "one.lib")
    )
    assert whole.leakage == alone.leakage
    assert whole.pins["A"].capacitance == alone.pins["A"].capacitance
    table = alone.pins["Y"].energies[0]
    assert (table.related, table.rise.shape) == ("A", (7, 7))
    np.testing.assert_array_equal(table.rise, whole.pins["Y"].energies[0].rise)
