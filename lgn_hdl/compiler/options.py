"""The options of a build, their defaults, and what they mean for a target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import BuildError
from ..logic.compressor import Style
from ..logic.timing import DELAY_MODELS, DelayModel, StageClock, one_per_level

__all__ = ["TARGETS", "BuildOptions"]

#: Default clock in MHz and default counters of the class sums, per target.
TARGETS: dict[str, tuple[float, Style]] = {
    "rtlil": (100, "full-adders"),
    "verilog": (100, "full-adders"),
    "lut4": (100, "full-adders"),
    "lut6": (100, "counters"),
    "xilinx": (100, "counters"),
    "ecp5": (50, "full-adders"),
    "ice40": (24, "full-adders"),
    "gowin": (27, "full-adders"),
}
#: Targets made of 4-input LUTs.
LUT4_TARGETS = ("lut4", "ecp5", "ice40", "gowin")


@dataclass(frozen=True)
class BuildOptions:
    """What to build; see `lgn_hdl.build` for the meaning of the fields."""

    target: str = "verilog"
    input_format: str | None = None
    clock_mhz: float | None = None
    levels_per_stage: int | None = None
    combinational: bool = False
    argmax: bool = True
    counters: Style | None = None
    vectors: int = 512
    seed: int = 0
    prove: bool = False

    def resolved(self) -> BuildOptions:
        """The same options with the target's defaults filled in.

        Raises
        ------
        BuildError
            If they contradict each other.
        """
        if self.target not in TARGETS:
            raise BuildError(
                f"target {self.target!r} is unknown, expected one of {', '.join(TARGETS)}"
            )
        chosen = {
            "--combinational": self.combinational,
            "--levels-per-stage": self.levels_per_stage is not None,
            "--clock-mhz": self.clock_mhz is not None,
        }
        given = [name for name, is_given in chosen.items() if is_given]
        if len(given) > 1:
            raise BuildError(f"{given[0]} and {given[1]} exclude each other")
        if self.levels_per_stage is not None and not 1 <= self.levels_per_stage <= 1_000_000:
            raise BuildError(
                f"--levels-per-stage is {self.levels_per_stage}, expected 1 to 1,000,000"
            )
        if self.seed < 0:
            raise BuildError(f"--seed is {self.seed}, expected 0 or more")
        if self.vectors < 1:
            raise BuildError(f"--vectors is {self.vectors}, expected at least 1")
        mhz, counters = TARGETS[self.target]
        return replace(
            self,
            clock_mhz=self.clock_mhz if given else mhz,
            counters=self.counters or counters,
        )

    @property
    def delays(self) -> DelayModel:
        """Delays that registers are placed by."""
        return one_per_level() if self.levels_per_stage else DELAY_MODELS[self.target]

    @property
    def fused_inputs(self) -> int | None:
        """Inputs of the LUTs that the last gates and their counting are fused into."""
        if self.counters == "counters":
            return 6
        return 4 if self.target in LUT4_TARGETS else None

    @property
    def stage_clock(self) -> StageClock:
        """Where registers fall."""
        if self.combinational:
            return StageClock(None)
        if self.levels_per_stage:
            return StageClock(self.levels_per_stage)
        assert self.clock_mhz is not None
        return StageClock.at_mhz(self.clock_mhz, self.delays)

    def as_dict(self) -> dict[str, Any]:
        """Every option by its name."""
        return asdict(self)
