"""When a bit is ready: delay models of the targets, and the rule that places registers.

An arrival is an integer in picoseconds counted through all stages: stage s owns the interval
(s · period, (s + 1) · period], and nothing starts in one stage and ends in the next. Everything
that is placed anywhere in the pipeline goes through `StageClock.after`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import BuildError

__all__ = ["DELAY_MODELS", "DelayModel", "StageClock", "one_per_level"]


@dataclass(frozen=True)
class DelayModel:
    """Rough delays in ps before place and route, routing included.

    Parameters
    ----------
    gate : int
        A 2-input gate in a chain; technology mapping packs several into one LUT.
    full_adder, counter63 : int
        One compressor.
    lut : int
        One LUT with its routing: the start of a carry chain, a multiplexer.
    carry : int
        One bit of a carry chain, or of the logic in its place.
    overhead : int
        Clock to output, set-up and clock skew of a register.
    """

    name: str
    gate: int
    full_adder: int
    counter63: int
    lut: int
    carry: int
    overhead: int

    def lookup(self, inputs: int) -> int:
        """A gate of `inputs` inputs."""
        return self.gate if inputs <= 2 else max(self.gate, self.lut * -(-inputs // 6))

    def comparison(self, width: int) -> int:
        """A comparison of `width` bits."""
        return self.lut + self.carry * width

    def selection(self, width: int) -> int:
        """A round of the argmax: a comparison that then drives a multiplexer."""
        return self.comparison(width) + self.lut


#: Estimates to place registers by; the timing that counts is what place and route reports. iCE40
#: stands for its slower UltraPlus.
DELAY_MODELS = {
    model.name: model
    for model in (
        DelayModel("rtlil", 450, 900, 1100, 900, 60, 800),
        DelayModel("verilog", 450, 900, 1100, 900, 60, 800),
        DelayModel("lut4", 600, 900, 1500, 900, 80, 800),
        DelayModel("lut6", 400, 850, 950, 850, 60, 700),
        DelayModel("xilinx", 300, 600, 700, 600, 20, 500),
        DelayModel("xcup", 200, 400, 470, 400, 15, 350),
        DelayModel("ecp5", 600, 900, 1500, 900, 50, 700),
        DelayModel("ice40", 1500, 2500, 4500, 2500, 280, 2000),
        DelayModel("gowin", 800, 1200, 2000, 1200, 60, 900),
        DelayModel("sky130", 250, 450, 900, 450, 300, 600),
    )
}


def one_per_level() -> DelayModel:
    """Count levels instead of picoseconds: one for a gate, a counter, a threshold; two for a round
    of the argmax, which compares and then selects.
    """
    return DelayModel("levels", 1, 1, 1, 1, 0, 0)


#: A thousand seconds in ps: beyond it a stage holds everything anyway.
_LONGEST = 10**15


@dataclass(frozen=True)
class StageClock:
    """Places operations into stages of equal length.

    Parameters
    ----------
    period : int or None
        Time of a stage that logic may use, in ps; None for combinational logic.
    """

    period: int | None

    @classmethod
    def at_mhz(cls, mhz: float, model: DelayModel) -> StageClock:
        """The clock of a frequency, less the overhead of a register.

        Raises
        ------
        BuildError
            If the frequency is not positive, or nothing fits in one period.
        """
        if not mhz > 0:
            raise BuildError(f"{mhz:g} MHz, expected a positive number", where="--clock-mhz")
        period = int(min(1e6 / mhz, _LONGEST)) - model.overhead
        if period < model.gate:
            raise BuildError(
                f"{mhz:g} MHz leaves {period} ps for logic on {model.name}, "
                f"a single gate takes {model.gate} ps",
                where="--clock-mhz",
            )
        return cls(period)

    def stage(self, arrival: np.ndarray | int) -> np.ndarray:
        """Stage in which something ready at `arrival` was computed; 0 for the inputs."""
        if self.period is None:
            return np.zeros_like(np.asarray(arrival))
        return np.maximum(np.asarray(arrival) - 1, 0) // self.period

    def after(self, ready: np.ndarray | int, delay: np.ndarray | int) -> np.ndarray:
        """Arrival of an operation whose inputs are ready at `ready`.

        An operation longer than a stage gets a stage of its own and is taken to fill it.
        """
        ready = np.asarray(ready, dtype=np.int64)
        if self.period is None:
            return ready + delay
        delay = np.minimum(delay, self.period)
        end = ready + delay
        start_of_stage = (end - 1) // self.period * self.period
        return np.where(ready < start_of_stage, start_of_stage + delay, end)

    def hold(self, arrival: np.ndarray, stage: int) -> np.ndarray:
        """Arrival after waiting in registers for the start of `stage`."""
        return arrival if self.period is None else np.maximum(arrival, stage * self.period)
