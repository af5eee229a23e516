"""The report as dataclasses; report.schema.json is its public contract."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

__all__ = [
    "SCHEMA_VERSION",
    "BlockResources",
    "BoardSection",
    "ModelSection",
    "PipelineSection",
    "ProofSection",
    "Report",
    "ResourceSection",
    "SiliconSection",
    "SparseSection",
    "StreamingSection",
    "TimingSection",
    "schema",
]

#: Raised when a field changes its meaning or goes away; new fields do not raise it.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ModelSection:
    """The trained network."""

    source: str
    sha256: str
    input: str
    input_format: str
    classes: list[str]
    layers: list[dict[str, Any]]
    score_to_logit: str | None
    accuracy: dict[str, Any] | None
    warnings: list[str]


@dataclass(frozen=True)
class PipelineSection:
    """Stages and ports of the hardware."""

    stages: int
    latency_cycles: int
    initiation_interval: int
    latency_by_block: dict[str, int]
    ports: dict[str, list[dict[str, Any]]]
    folding: str


@dataclass(frozen=True)
class BlockResources:
    """Cells of one block of the hierarchy."""

    lut: int
    ff: int
    carry: int
    dsp: int
    bram: int


@dataclass(frozen=True)
class ResourceSection(BlockResources):
    """Cells after technology mapping, as Yosys counts them."""

    depth: int | None
    by_block: dict[str, BlockResources]
    by_block_note: str
    cells: dict[str, int]


@dataclass(frozen=True)
class TimingSection:
    """Timing, and where it comes from."""

    source: str
    clock_mhz: float | None
    latency_ns: float | None
    samples_per_second: float | None
    note: str


@dataclass(frozen=True)
class BoardSection:
    """A design on a board.

    `choices` are the ways to fold that were tried, the last of them is the one that was built;
    `samples_per_second` of the link is what the serial line lets through.
    """

    name: str
    title: str
    clock_mhz: float
    crystal_mhz: float
    fmax_mhz: float | None
    closed: bool | None
    utilisation: dict[str, dict[str, int]]
    critical_path_ns: dict[str, float]
    critical_path: list[dict[str, Any]]
    seeds: list[dict[str, Any]]
    link: dict[str, Any]
    files: list[str]
    program: str
    choices: list[dict[str, Any]]


@dataclass(frozen=True)
class StreamingSection:
    """Positions of images that take turns, part by part, before anything is mapped.

    A part has `name`, `kind`, `elements` and `element_bits`, the clocks `first` and `last`, the
    gates `unrolled_gates`, `shared_gates` and `gates`, the registers `gate_registers` and
    `delay_registers`, and bits `zeroed`, `multiplexers` and `comparators`. `total` adds them up.
    """

    reuse: str
    parts: list[dict[str, Any]]
    total: dict[str, int]


@dataclass(frozen=True)
class SparseSection:
    """A sparse CNN, block by block.

    `form` is how an image comes, "whole" or in "rows". A block has `name`, `kind`, `layers`,
    `result`, `parallel` (rows, pixels, slots or numbers a clock, 0 if there is no choice),
    `latency` and `interval` in clocks. `pixels` counts the given `images`, those that are `empty`
    or `overflowing`, and the most active pixels of one, `most_active`; None without samples.
    """

    form: str
    slots: int
    threshold: float
    blocks: list[dict[str, Any]]
    pixels: dict[str, int] | None


@dataclass(frozen=True)
class SiliconSection:
    """A design as standard cells, before a layout.

    Areas are in µm², `kge` in thousands of two-input NANDs. `blocks` have `name`, `area_um2`,
    `cells`, and `power_w` if samples moved through the netlist. `layers` say what the trained gates
    take one to one, whatever the netlist is: `name`, `trained`, `unread` and `unread_um2` (gates no
    output depends on), `cells` and `area_um2`. `timing` has `period_ns`, `slack_ns`,
    `hold_slack_ns`, `fmax_mhz`, `path_ns` by block, `wire_ff`, and `overloads`, nets with more load
    than the library allows; None without OpenSTA. `power` has `clock_mhz`, `internal_w`,
    `switching_w`, `leakage_w`, `total_w`, `by_group`, `energy_per_inference_j`, `clocks` of the
    `samples` (where these are from), `glitch_factor`. `limits` are what these figures leave out.
    """

    library: str
    corner: str
    mapping: str
    area_um2: float
    kge: float | None
    cells: dict[str, int]
    blocks: list[dict[str, Any]]
    layers: list[dict[str, Any]]
    estimate_um2: float
    logic_ns: float | None
    timing: dict[str, Any] | None
    power: dict[str, Any]
    limits: list[str]
    handoff: dict[str, Any] | None


@dataclass(frozen=True)
class ProofSection:
    """What was shown to be equal, and how."""

    status: str
    checks: list[dict[str, Any]]
    not_proved: list[str]


@dataclass(frozen=True)
class Report:
    """Everything a build says of itself."""

    model: ModelSection
    options: dict[str, Any]
    passes: list[dict[str, Any]]
    pipeline: PipelineSection
    resources: ResourceSection | None
    timing: TimingSection
    proof: ProofSection
    tools: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    board: BoardSection | None = None
    streaming: StreamingSection | None = None
    sparse: SparseSection | None = None
    silicon: SiliconSection | None = None
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The document, indented."""
        return json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of report.json."""
    return json.loads(files("lgn_hdl.report").joinpath("report.schema.json").read_text())
