"""Activity of netlists: against a slow simulator, Icarus, and what is known by thought."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cell_netlists import (
    PREFIX,
    SlowSimulation,
    liberty_of,
    module_of,
    netlist_of,
    random_netlist,
)
from flow_designs import Popcount, write_rtlil

from lgn_hdl.errors import BuildError, ToolError
from lgn_hdl.flow import run_script
from lgn_hdl.flow.activity.netlist import GateNetlist, gate_netlist
from lgn_hdl.flow.activity.simulate import simulate_activity
from lgn_hdl.flow.activity.stream import Stream
from lgn_hdl.flow.netlist import read_netlist
from lgn_hdl.flow.tools import relative


@pytest.fixture(scope="module")
def liberty(shared: Path) -> Path:
    return liberty_of(shared)


def stimulus_of(netlist: GateNetlist, clocks: int, seed: int) -> dict[str, np.ndarray]:
    """Ports that change at different rates; one never does."""
    rng = np.random.default_rng(seed)
    names = [name for name in netlist.inputs if name != "clk"]
    found = {
        name: np.cumsum(rng.random(clocks) < rate) % 2 == 1
        for name, rate in zip(names, np.linspace(0.1, 1, len(names)), strict=True)
    }
    return found | {names[2]: np.ones(clocks, bool)}


def shown(slow: SlowSimulation, netlist: GateNetlist, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Toggles and ones of all nets but gated clocks, from a clock on."""
    settled = slow.settled[start:]
    toggles = (settled[1:] != settled[:-1]).mean(axis=0)
    return toggles, settled.mean(axis=0)


@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_any_netlist_does_what_a_slow_simulation_does(
    liberty: Path, seed: int, feedback: bool
) -> None:
    netlist = random_netlist(liberty, seed, feedback=feedback)
    stimulus = stimulus_of(netlist, 150, seed)
    start = 20
    slow = SlowSimulation(netlist, stimulus)
    found = simulate_activity(netlist, stimulus, warmup=start, glitch_clocks=1000)
    toggles, ones = shown(slow, netlist, start)
    for net, enabled in slow.enabled.items():
        part = float(np.mean(enabled[start:]))
        toggles[net], ones[net] = 2 * part, part / 2
    clock = netlist.inputs["clk"][0]
    toggles[clock], ones[clock] = 2, 0.5
    np.testing.assert_allclose(found.toggles, toggles)
    np.testing.assert_allclose(found.ones, ones)
    for name, nets in netlist.outputs.items():
        np.testing.assert_array_equal(found.outputs[name][start:], slow.settled[start:, list(nets)])
    changes = slow.changes[start + 1 :].mean(axis=0)
    plain = [net for net in range(len(netlist.nets)) if net not in found.clock_nets]
    assert found.glitching is not None
    np.testing.assert_allclose(found.glitching[plain], changes[plain])
    assert found.glitch_clocks == found.clocks == 150 - start - 1
    assert (found.glitching >= found.toggles - 1e-9).all()


def test_delays_of_several_steps(liberty: Path) -> None:
    netlist = random_netlist(liberty, 11, feedback=False)
    stimulus = stimulus_of(netlist, 90, 3)
    delays = {PREFIX + "xor2_1": 3, PREFIX + "maj3_1": 2, PREFIX + "fa_1": 4}
    slow = SlowSimulation(netlist, stimulus, delays)
    found = simulate_activity(netlist, stimulus, warmup=9, glitch_clocks=40, delays=delays)
    plain = [net for net in range(len(netlist.nets)) if net not in found.clock_nets]
    assert found.glitching is not None
    assert found.glitch_clocks == 40
    moved = slow.settled[10:50] != slow.settled[9:49]
    glitches = (slow.changes[10:50] - moved).mean(axis=0)
    assert glitches[plain].max() > 0.2
    np.testing.assert_allclose((found.glitching - found.toggles)[plain], glitches[plain])


def test_many_blocks_are_one_stream(liberty: Path) -> None:
    netlist = random_netlist(liberty, 5)
    stimulus = stimulus_of(netlist, 64 * 16 * 2 + 77, 1)
    whole = simulate_activity(netlist, stimulus)
    parts = simulate_activity(netlist, stimulus, glitch_clocks=1)  # shorter blocks
    np.testing.assert_array_equal(whole.toggles, parts.toggles)
    np.testing.assert_array_equal(whole.ones, parts.ones)
    assert all((whole.outputs[name] == bits).all() for name, bits in parts.outputs.items())


_GATE = f"""
module {PREFIX}dlclkp_1(input CLK, input GATE, output GCLK);
  reg open;
  always @(CLK or GATE) if (!CLK) open = GATE;
  assign GCLK = CLK & open;
endmodule
"""


def test_icarus_sees_the_same(liberty: Path, tmp_path: Path) -> None:
    netlist = random_netlist(liberty, 7, logic=40)
    clocks, ports = 60, [name for name in netlist.inputs if name != "clk"]
    stimulus = stimulus_of(netlist, clocks, 4)
    # Yosys makes the models; the clock gate is the only cell that it does not know.
    models = [
        f"read_liberty -ignore_miss_func {relative(liberty, tmp_path)}",
        "select " + " ".join(sorted(netlist.cells)),
        "write_verilog -noattr -selected models.v",
    ]
    run_script("\n".join(models) + "\n", tmp_path)
    nets = ["1'b0", "1'b1", *(f"n{number}" for number in range(2, len(netlist.nets)))]
    lines = ["`timescale 1ns/1ps", _GATE, "module bench;"]
    lines += [f"wire {net};" for number, net in enumerate(nets[2:], 2)]
    lines += [f"reg [{clocks - 1}:0] s_{name};" for name in ports]
    lines += ["reg clk = 0; integer t;", f"assign {nets[netlist.inputs['clk'][0]]} = clk;"]
    lines += ["reg [31:0] now = 0;"]
    lines += [f"assign {nets[netlist.inputs[name][0]]} = s_{name}[now];" for name in ports]
    for number, instance in enumerate(netlist.instances):
        pins = ", ".join(f".{pin}({nets[net]})" for pin, net in instance.pins.items())
        lines.append(f"{instance.type} c{number} ({pins});")
    states = [
        f"c{number}.IQ = 0;"
        for number, instance in enumerate(netlist.instances)
        if (cell := netlist.cells.get(instance.type)) and cell.register
    ]
    lines.append("initial begin")
    for name in ports:
        value = sum(int(bit) << clock for clock, bit in enumerate(stimulus[name]))
        lines.append(f"s_{name} = {clocks}'h{value:x};")
    lines += states
    every = ", ".join(nets[:1:-1])
    lines += [f"for (t = 0; t < {clocks}; t = t + 1) begin"]
    lines += [f'#5 $display("%b", {{{every}}});', "#1 clk = 1; #1 now = t + 1; #1 clk = 0; end"]
    lines += ["$finish; end", "endmodule"]
    (tmp_path / "bench.v").write_text("\n".join(lines) + "\n")
    assert shutil.which("iverilog"), "apt install iverilog"
    subprocess.run(
        ["iverilog", "-g2012", "-o", "bench", "bench.v", "models.v"], cwd=tmp_path, check=True
    )
    text = subprocess.run(
        ["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    rows = [line for line in text.split("\n") if set(line) and set(line) <= set("01xz")]
    seen = np.array([[char == "1" for char in row[::-1]] for row in rows])
    assert seen.shape == (clocks, len(netlist.nets) - 2)
    found = simulate_activity(netlist, stimulus, warmup=6)
    plain = np.array([n for n in range(2, len(netlist.nets)) if n not in found.clock_nets])
    moved = (seen[7:] != seen[6:-1]).mean(axis=0)
    np.testing.assert_allclose(found.toggles[plain], moved[plain - 2])
    np.testing.assert_allclose(found.ones[plain], seen[6:].mean(axis=0)[plain - 2])


def popcount(liberty: Path, folder: Path) -> GateNetlist:
    """Yosys' own mapping of a counter with an enable."""
    script = [
        f"read_rtlil {relative(write_rtlil(Popcount(), folder), folder)}",
        "synth -flatten -top top",
        "setattr -unset init w:*",
        f"dfflibmap -liberty {relative(liberty, folder)} -dont_use *__lpflow_*",
        f"abc -liberty {relative(liberty, folder)} -dont_use *__lpflow_* -dont_use *__probe*",
        "opt_clean",
        "write_json mapped.json",
    ]
    run_script("\n".join(script) + "\n", folder)
    return gate_netlist(read_netlist(folder / "mapped.json"), "top", liberty)


def test_a_mapped_design_computes_what_it_should(liberty: Path, tmp_path: Path) -> None:
    netlist = popcount(liberty, tmp_path)
    rng = np.random.default_rng(0)
    bits, enable = rng.random((500, 8)) < 0.5, rng.random(500) < 0.6
    count, expected = 0, []
    for clock in range(500):
        expected.append(count)
        count = int(bits[clock].sum()) if enable[clock] else count
    weights = 1 << np.arange(4)
    free = {"rst": 0} if "rst" in netlist.inputs else {}
    found = simulate_activity(netlist, {"i": bits, "enable": enable, **free})
    assert (found.outputs["o"] @ weights).tolist() == expected
    # With the enable held there is no loop through the registers, and none is simulated as one.
    held = Stream(netlist, {"i": bits, "enable": 1, **free})
    assert not [step for step in held._steps if type(step).__name__ == "Loop"]
    assert held.depth == 1
    always = simulate_activity(netlist, {"i": bits, "enable": 1, **free})
    assert (always.outputs["o"][1:] @ weights == bits[:-1].sum(axis=1)).all()
    stopped = simulate_activity(netlist, {"i": bits, "enable": 0, **free})
    assert not stopped.outputs["o"].any()


def test_rates_that_are_known(liberty: Path) -> None:
    cells = {
        "a": ("nand2_1", {"A": "x", "B": "y", "Y": "n"}),
        "r": ("dfxtp_1", {"CLK": "clk", "D": "n", "Q": "q"}),
    }
    ports = {"clk": "input", "x": "input", "y": "input", "q": "output"}
    netlist = netlist_of(liberty, ports, cells)
    bits = np.random.default_rng(3).random((40000, 2)) < [[0.5, 0.25]]
    found = simulate_activity(netlist, {"x": bits[:, 0], "y": bits[:, 1]})
    ones = dict(zip(netlist.nets, found.ones, strict=True))
    toggles = dict(zip(netlist.nets, found.toggles, strict=True))
    assert ones["n"] == pytest.approx(1 - 0.125, abs=0.01)
    assert toggles["n"] == pytest.approx(2 * 0.125 * 0.875, abs=0.01)
    assert toggles["q"] == pytest.approx(toggles["n"], abs=1e-3)
    assert (toggles["clk"], ones["clk"]) == (2, 0.5)
    assert found.glitch_factor is None


def test_a_hazard_is_a_glitch(liberty: Path) -> None:
    """x AND NOT x is always 0, and rises for the time of an inverter."""
    cells = {
        "i": ("inv_1", {"A": "x", "Y": "n"}),
        "a": ("and2_1", {"A": "x", "B": "n", "X": "o"}),
    }
    netlist = netlist_of(liberty, {"x": "input", "o": "output"}, cells)
    bits = np.arange(200) % 2 == 1
    found = simulate_activity(netlist, {"x": bits}, glitch_clocks=100)
    net = netlist.nets.index("o")
    assert found.toggles[net] == 0
    assert found.glitching is not None
    assert found.glitching[net] == 1  # up and down whenever x rises: every other clock
    assert found.glitch_factor == pytest.approx(1.0)  # it drives nothing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": None}, "nothing is given for port y"),
        ({"clk": 1}, "port clk is a clock"),
        ({"z": 1}, "port z is no input"),
        ({"x": np.zeros((9, 2), bool)}, r"port x: has shape \(9, 2\), expected \(clocks, 1\)"),
        ({"x": np.zeros(9, bool)}, "another port"),
        ({"x": np.arange(2) == 1, "y": 1}, "has 2 clocks, expected 3 or more: 1 fill"),
        ({"x": 0, "y": 1}, "has no clock"),
    ],
)
def test_a_stimulus_that_does_not_fit(liberty: Path, change: dict, message: str) -> None:
    cells = {
        "a": ("nand2_1", {"A": "x", "B": "y", "Y": "n"}),
        "r": ("dfxtp_1", {"CLK": "clk", "D": "n", "Q": "q"}),
    }
    ports = {"clk": "input", "x": "input", "y": "input", "q": "output"}
    netlist = netlist_of(liberty, ports, cells)
    bits = np.random.default_rng(0).random((2, 20)) < 0.5
    stimulus = {"x": bits[0], "y": bits[1]} | change
    stimulus = {name: value for name, value in stimulus.items() if value is not None}
    with pytest.raises(BuildError, match=message):
        simulate_activity(netlist, stimulus)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"l": ("dlxtp_1", {"GATE": "x", "D": "y", "Q": "n"})}, "l is of type .*dlxtp_1"),
        ({"i": ("nand2_1", {"A": "x", "Y": "n"})}, "i/B is not connected"),
        (
            {
                "i": ("inv_1", {"A": "clk", "Y": "n"}),
                "r": ("dfxtp_1", {"CLK": "n", "D": "x", "Q": "q"}),
            },
            "clock goes through i",
        ),
        (
            {
                "a": ("nand2_1", {"A": "x", "B": "m", "Y": "n"}),
                "b": ("nand2_1", {"A": "y", "B": "n", "Y": "m"}),
            },
            "top, net [mn]: is part of a loop without a register",
        ),
    ],
)
def test_a_netlist_that_cannot_be_simulated(liberty: Path, cells: dict, message: str) -> None:
    netlist = netlist_of(liberty, {"clk": "input", "x": "input", "y": "input"}, cells)
    stimulus = {name: np.arange(30) % 3 == 1 for name in ("x", "y", "clk")}
    with pytest.raises(BuildError, match=message):
        simulate_activity(netlist, stimulus)


def test_what_is_no_flat_netlist_of_cells(liberty: Path) -> None:
    module = module_of({"x": "input"}, {"i": ("inv_1", {"A": "x", "Y": "n"})})
    with pytest.raises(ToolError, match="has no module other"):
        gate_netlist({"top": module}, "other", liberty)
    with pytest.raises(ToolError, match=r"holds the module sky130_fd_sc_hd__inv_1.*flatten"):
        gate_netlist({"top": module, PREFIX + "inv_1": {}}, "top", liberty)
    strange = module_of({"x": "input"}, {"i": ("inv_9", {"A": "x", "Y": "n"})})
    with pytest.raises(BuildError, match="has no cell sky130_fd_sc_hd__inv_9"):
        gate_netlist({"top": strange}, "top", liberty)
    wrong = module_of({"x": "input"}, {"i": ("inv_1", {"B": "x", "Y": "n"})})
    with pytest.raises(BuildError, match="inv_1: has no pin B"):
        gate_netlist({"top": wrong}, "top", liberty)
    with pytest.raises(BuildError, match="port x is inout"):
        gate_netlist({"top": module_of({"x": "inout"}, {})}, "top", liberty)
    module["cells"]["i"]["connections"]["A"] = ["x"]
    with pytest.raises(BuildError, match="i/A: is connected to the constant 'x'"):
        gate_netlist({"top": module}, "top", liberty)
