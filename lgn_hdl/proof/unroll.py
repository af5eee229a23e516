"""A netlist clock by clock, for hardware that takes several clocks for a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .aig import Aig
from .netlist import Net, Netlist, literals

__all__ = ["Clock", "Unrolled"]

_STATE = "registers"


@dataclass(frozen=True)
class Clock:
    """One clock cycle.

    Parameters
    ----------
    values : mapping of net to int
        Literals of all nets.
    following : list of int
        Literals of the registers in the next clock, in the order of `Netlist.registers`.
    """

    values: Mapping[Net, int]
    following: list[int]


class Unrolled:
    """The registers of a netlist as a state that is read and made anew in every clock.

    Parameters
    ----------
    aig : Aig
    netlist : Netlist
        With plain registers; loops through them are allowed.

    Raises
    ------
    VerifyError
        If there is a loop without a register in it.
    """

    def __init__(self, aig: Aig, netlist: Netlist):
        self.aig, self.netlist = aig, netlist
        state = [register.output for register in netlist.registers]
        # With its registers cut out and their outputs as a port, the netlist has no registers.
        self._between = replace(
            netlist,
            ports={**netlist.ports, _STATE: state},
            is_input={**netlist.is_input, _STATE: True},
            driver={n: d for n, d in netlist.driver.items() if n not in netlist.register_outputs},
        )

    def clock(self, state: Sequence[int], inputs: Mapping[str, Sequence[int]]) -> Clock:
        """What happens in a clock.

        Parameters
        ----------
        state : sequence of int
            Literals of the registers, in the order of `Netlist.registers`.
        inputs : mapping of str to sequence of int
            Literals of the input ports.

        Raises
        ------
        ToolError
            If a net that is read, or leaves, has no value.
        """
        values = literals(self.aig, self._between, {**inputs, _STATE: state})
        following = []
        for register, old in zip(self.netlist.registers, state, strict=True):
            table, operands = self.netlist.driver[register.output]
            new = self.aig.lookup(table, [values[net] for net in operands])
            if register.enable is not None:
                new = self.aig.choice(values[register.enable] ^ int(register.inverted), new, old)
            following.append(new)
        return Clock(values, following)

    def port(self, clock: Clock, name: str) -> list[int]:
        """Literals of a port, least significant first; none if there is no such port."""
        return [clock.values[net] for net in self.netlist.ports.get(name, ())]
