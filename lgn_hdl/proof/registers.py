"""Every path from the input to the output crosses the same number of registers, all in step."""

from __future__ import annotations

from collections.abc import Mapping

from .netlist import BUFFER, Net, Netlist

__all__ = ["register_faults", "reset_faults"]

#: Smallest and largest number of registers on the paths from the input to a net.
Depth = tuple[int, int]


def register_faults(
    netlist: Netlist, latency: int, literal: Mapping[Net, int], advance: int
) -> list[str]:
    """What is wrong with the registers of a pipeline; empty if they keep its samples apart.

    Parameters
    ----------
    netlist : Netlist
    latency : int
        Registers expected on every path from `i__payload` and `i__valid` to the result.
    literal : mapping
        Literals of the nets, as `literals` gives them.
    advance : int
        Literal of "the pipeline moves"; it must be the enable of every register.

    Returns
    -------
    list of str
        One sentence for each fault, with a path or a register that shows it.
    """
    depth = _depths(netlist, latency)
    faults = []
    for port in ("o__valid", "o__payload", "i__ready"):
        for place, net in enumerate(netlist.ports[port]):
            found = depth.get(net)
            if found is None or found == (latency, latency):
                continue  # a constant, which no sample moves through
            wrong = found[0] if found[0] != latency else found[1]
            name = f"{port}[{place}]" if len(netlist.ports[port]) > 1 else port
            path = _path(netlist, depth, net, wrong)
            expected = 0 if path[0] == "o__ready" else latency
            faults.append(
                f"{name} is reached through {_registers(len(path) - 1)}, expected {expected}: "
                + " -> ".join(path)
            )
            break
    for register in netlist.registers:
        name = netlist.names.get(register.output, "a register")
        if register.enable is None:
            faults.append(f"{name} does not stand still with the pipeline")
            break
        enable = literal[register.enable] ^ int(register.inverted)
        if enable != advance or depth.get(register.enable) != (latency, latency):
            faults.append(f"{name} is enabled by another signal than the pipeline")
            break
    return faults


def reset_faults(netlist: Netlist) -> list[str]:
    """What keeps `rst` from emptying the pipeline; empty if nothing does.

    `o__valid` must be a chain of registers from `i__valid` with nothing in between, each of them
    cleared by `rst`.
    """
    cleared = {register.output for register in netlist.registers if register.cleared}
    (net,), (start,) = netlist.ports["o__valid"], netlist.ports["i__valid"]
    while net != start:
        name = netlist.names.get(net, net)
        if net not in netlist.driver or len(netlist.driver[net][1]) > 1:
            return [f"{name}, which o__valid is made of, is not i__valid in a register"]
        if net in netlist.register_outputs and net not in cleared:
            return [f"{name} is not cleared by rst"]
        table, (net,) = netlist.driver[net]
        if table != BUFFER:
            return [f"{name}, which o__valid is made of, is a complement"]
    return []


def _depths(netlist: Netlist, latency: int) -> dict[Net, Depth | None]:
    depth: dict[Net, Depth | None] = {}
    # Whether a result is taken is known when the result is there: in step with the last registers.
    for port, start in (("i__valid", 0), ("i__payload", 0), ("o__ready", latency)):
        depth.update(dict.fromkeys(netlist.ports.get(port, ()), (start, start)))
    for net in netlist.order():
        if net in depth:
            continue
        _, operands = netlist.driver[net]
        own = int(net in netlist.register_outputs)
        known = [d for operand in operands if (d := depth.get(operand)) is not None]
        if known:
            depth[net] = min(d[0] for d in known) + own, max(d[1] for d in known) + own
        else:
            depth[net] = None
    return depth


def _path(netlist: Netlist, depth: Mapping[Net, Depth | None], net: Net, count: int) -> list[str]:
    """An input, and the registers on a path from it whose end has the depth `count`."""
    crossed = []
    end = 0 if (found := depth[net]) is not None and found[0] == count else 1
    while net in netlist.driver:
        if net in netlist.register_outputs:
            crossed.append(netlist.names.get(net, "?"))
            count -= 1
        net = next(
            operand
            for operand in netlist.driver[net][1]
            if (found := depth.get(operand)) is not None and found[end] == count
        )
    return [netlist.names.get(net, "the input"), *reversed(crossed)]


def _registers(count: int) -> str:
    return f"{count} register" + "s" * (count != 1)
