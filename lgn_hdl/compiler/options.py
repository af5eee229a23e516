"""The options of a build, their defaults, and what they mean for a target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from ..errors import BuildError
from ..logic.compressor import Style
from ..logic.stream import REUSES, Reuse
from ..logic.timing import DELAY_MODELS, DelayModel, StageClock, one_per_level

__all__ = [
    "FOLDS",
    "SILICON",
    "TARGETS",
    "BuildOptions",
    "Fold",
    "FrontForm",
    "HandOff",
    "Mapping",
    "folds_from",
]

Fold = Literal["none", "sums", "gates"]
#: How a sample comes to a front end: all at once, or slice by slice.
FrontForm = Literal["whole", "slices", "rows"]

#: How products with constants are made.
Constants = Literal["digits", "alkaid"]

#: How gates become standard cells: restructured for small area, or for few levels, or one cell for
#: each trained gate.
Mapping = Literal["optimised", "delay", "one-to-one"]
#: What LibreLane begins with, the netlist of cells or the Verilog before it; or a project instead.
HandOff = Literal["netlist", "rtl", "tinytapeout", "none"]

#: The target that is made of the cells of a PDK.
SILICON = "sky130"

#: Ways to fold, the lightest first, and by default how many terms (of sums) or gates are worked
#: on in a clock.
FOLDS: dict[Fold, int] = {"none": 0, "sums": 16, "gates": 1}

#: Default clock in MHz and default counters of the class sums, per target.
TARGETS: dict[str, tuple[float, Style]] = {
    "rtlil": (100, "full-adders"),
    "verilog": (100, "full-adders"),
    "lut4": (100, "full-adders"),
    "lut6": (100, "counters"),
    "xilinx": (100, "counters"),
    "xcup": (200, "counters"),
    "ecp5": (50, "full-adders"),
    "ice40": (24, "full-adders"),
    "gowin": (27, "full-adders"),
    SILICON: (50, "full-adders"),
}
#: Targets made of 4-input LUTs.
LUT4_TARGETS = ("lut4", "ecp5", "ice40", "gowin")


def folds_from(options: BuildOptions) -> list[BuildOptions]:
    """The same options with every way to fold, from the one that is given to the heaviest; with
    every way to take positions in turn, if one is given.
    """
    if options.reuse != "none" and options.reuse in REUSES:
        return [replace(options, reuse=name) for name in REUSES[REUSES.index(options.reuse) :]]
    names = list(FOLDS)
    first = names.index(options.fold) if options.fold in names else 0
    return [
        replace(options, fold=name, fold_width=options.fold_width if name == options.fold else None)
        for name in names[first:]
    ]


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
    vectors: int | None = None
    seed: int = 0
    prove: bool = False
    fold: Fold = "none"
    fold_width: int | None = None
    board: str | None = None
    baud: int | None = None
    seeds: int = 1
    allow_timing_fail: bool = False
    front: FrontForm = "whole"
    reuse: Reuse = "none"
    rows_per_clock: int | None = None
    pixels_per_clock: int | None = None
    slots_per_clock: str | None = None
    constants: Constants = "digits"
    mapping: Mapping = "optimised"
    pdk_root: str | None = None
    wire_ff: float = 0.0
    handoff: HandOff = "netlist"
    macro_name: str = "lgn_top"

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
        if self.fold not in FOLDS:
            raise BuildError(f"--fold is {self.fold!r}, expected one of {', '.join(FOLDS)}")
        if self.front not in ("whole", "slices", "rows"):
            raise BuildError(f"--front is {self.front!r}, expected whole, slices or rows")
        if self.constants not in ("digits", "alkaid"):
            raise BuildError(f"--constants is {self.constants!r}, expected digits or alkaid")
        if self.reuse not in REUSES:
            raise BuildError(f"--reuse is {self.reuse!r}, expected one of {', '.join(REUSES)}")
        chosen = {
            "--combinational": self.combinational,
            "--levels-per-stage": self.levels_per_stage is not None,
            "--clock-mhz": self.clock_mhz is not None,
        }
        given = [name for name, is_given in chosen.items() if is_given]
        if len(given) > 1:
            raise BuildError(f"{given[0]} and {given[1]} exclude each other")
        self._check_fold(given)
        self._check_reuse()
        self._check_board()
        self._check_silicon()
        if self.levels_per_stage is not None and not 1 <= self.levels_per_stage <= 1_000_000:
            raise BuildError(
                f"--levels-per-stage is {self.levels_per_stage}, expected 1 to 1,000,000"
            )
        if self.seed < 0:
            raise BuildError(f"--seed is {self.seed}, expected 0 or more")
        if self.vectors is not None and self.vectors < 1:
            raise BuildError(f"--vectors is {self.vectors}, expected at least 1")
        mhz, counters = TARGETS[self.target]
        return replace(
            self,
            clock_mhz=self.clock_mhz if given else mhz,
            counters=self.counters or counters,
            fold_width=None if self.fold == "none" else self.fold_width or FOLDS[self.fold],
        )

    def _check_fold(self, given: list[str]) -> None:
        if self.fold == "none":
            if self.fold_width is not None:
                raise BuildError("--fold-width is for --fold sums and --fold gates")
            return
        if self.fold_width is not None and not 1 <= self.fold_width <= 65_536:
            raise BuildError(f"--fold-width is {self.fold_width}, expected 1 to 65,536")
        for name in ("--combinational", "--levels-per-stage"):
            if name in given:
                raise BuildError(f"--fold and {name} exclude each other")
        if self.prove:
            raise BuildError(
                "--prove knows pipelines only, not --fold",
                hint="sim compares folded hardware with PyTorch",
            )

    def _check_reuse(self) -> None:
        if self.reuse == "none":
            return
        for name, given in (
            ("--fold", self.fold != "none"),
            ("--combinational", self.combinational),
        ):
            if given:
                raise BuildError(f"--reuse and {name} exclude each other")
        if self.prove:
            raise BuildError(
                "--prove knows pipelines only, not --reuse",
                hint="sim compares streaming hardware with PyTorch",
            )

    def _check_board(self) -> None:
        if self.board is None:
            for name, given in (
                ("--baud", self.baud is not None),
                ("--seeds", self.seeds != 1),
                ("--allow-timing-fail", self.allow_timing_fail),
            ):
                if given:
                    raise BuildError(f"{name} needs a --board")
        elif self.combinational:
            raise BuildError("--board and --combinational exclude each other")
        if not 1 <= self.seeds <= 1000:
            raise BuildError(f"--seeds is {self.seeds}, expected 1 to 1,000")

    def _check_silicon(self) -> None:
        if self.mapping not in get_args(Mapping):
            expected = ", ".join(get_args(Mapping))
            raise BuildError(f"--mapping is {self.mapping!r}, expected one of {expected}")
        if self.handoff not in get_args(HandOff):
            expected = ", ".join(get_args(HandOff))
            raise BuildError(f"--handoff is {self.handoff!r}, expected one of {expected}")
        if not 0 <= self.wire_ff <= 1000:
            raise BuildError(f"--wire-ff is {self.wire_ff:g}, expected 0 to 1,000")
        if self.target == SILICON:
            if self.fold != "none":
                raise BuildError(
                    f"--fold is not for the target {SILICON}: its memories would be registers",
                    hint="--reuse lets positions of images take turns",
                )
            if self.mapping == "one-to-one" and self.reuse != "none":
                raise BuildError("--mapping one-to-one and --reuse exclude each other")
            if self.mapping == "one-to-one" and self.handoff == "tinytapeout":
                raise BuildError(
                    "--handoff tinytapeout begins with RTL, --mapping one-to-one is about cells"
                )
            return
        default = BuildOptions()
        for name, given in (
            ("--mapping", self.mapping != default.mapping),
            ("--pdk-root", self.pdk_root is not None),
            ("--wire-ff", self.wire_ff != default.wire_ff),
            ("--handoff", self.handoff != default.handoff),
            ("--name", self.macro_name != default.macro_name),
        ):
            if given:
                raise BuildError(f"{name} is for --target {SILICON}")

    @property
    def cells_mhz(self) -> float:
        """Clock at which standard cells are timed and weighed; the default if none was given."""
        return self.clock_mhz or TARGETS[SILICON][0]

    @property
    def delays(self) -> DelayModel:
        """Delays that registers are placed by."""
        return one_per_level() if self.levels_per_stage else DELAY_MODELS[self.target]

    @property
    def fused_inputs(self) -> int | None:
        """Inputs of the LUTs that the last gates and their counting are fused into."""
        if self.fold != "none":
            return None
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
