"""Fill the report of a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amaranth.lib import data

from ..hdl import feature_layout
from ..network.storage import network_digest
from ..report import (
    BlockResources,
    ModelSection,
    PipelineSection,
    Report,
    ResourceSection,
    TimingSection,
)
from .cores import PipelinedCore
from .design import Design
from .emit import Emitted
from .onboard import board_section, board_timing
from .proof import proof_section

if TYPE_CHECKING:
    from ..flow import SynthResult

__all__ = ["make_report"]


def make_report(
    design: Design,
    emitted: Emitted,
    checks: list[dict[str, Any]],
    accuracy: dict[str, Any] | None,
    tools: dict[str, str],
    seconds: dict[str, float],
    origin: str | None,
    tried: Sequence[dict[str, Any]] = (),
) -> Report:
    """The report of a design.

    `origin` is the file the model came from, `tried` are the ways to fold that did not fit.
    """
    mapped, proof, on_board = emitted.mapped, emitted.mapping_proof, emitted.on_board
    return Report(
        model=_model(design, accuracy, origin),
        options=design.options.as_dict(),
        passes=[asdict(result) for result in design.passes],
        pipeline=_pipeline(design),
        resources=None if mapped is None else _resources(mapped),
        timing=_timing(design) if on_board is None else board_timing(design, on_board),
        proof=proof_section(checks, emitted.claims, proof),
        tools=tools | emitted.tools,
        seconds=seconds,
        board=None if on_board is None else board_section(design, on_board, list(tried)),
    )


def _model(design: Design, accuracy: dict[str, Any] | None, origin: str | None) -> ModelSection:
    network = design.network
    ((_, tensor),) = network.inputs.items()
    layer = network.group_sum
    logit = None
    if layer is not None:
        total = "score" if layer.beta == 0 else f"(score + {layer.beta:g})"
        logit = total if layer.tau == 1 else f"{total} / {layer.tau:g}"
    layers = [
        {
            "name": node.name,
            "type": type(node.layer).__name__,
            "output": str(network.types[node.name]),
        }
        for node in network.nodes
    ]
    return ModelSection(
        source=" - ".join(filter(None, [origin, network.meta.get("source")])) or "a network",
        sha256=network_digest(network),
        input="x".join(map(str, tensor.shape)),
        input_format=str(design.program.format),
        classes=_classes(design),
        layers=layers,
        score_to_logit=logit,
        accuracy=accuracy,
        warnings=design.warnings,
    )


def _classes(design: Design) -> list[str]:
    return list(design.network.classes) or [str(c) for c in range(len(design.program.sums))]


def _pipeline(design: Design) -> PipelineSection:
    core = design.core
    stages, latency = 1, {"top": core.latency}
    if isinstance(core, PipelinedCore):
        stages, latency = core.pipeline.stages, _latency_by_block(core)
    return PipelineSection(
        stages=stages,
        latency_cycles=core.latency,
        initiation_interval=core.interval,
        latency_by_block=latency,
        ports=_ports(design),
        folding=core.about(),
    )


def _latency_by_block(core: PipelinedCore) -> dict[str, int]:
    p = core.pipeline
    latency = {"binarizer": 0, "gates": p.roots_stage}
    if p.sums:
        latency["groupsum"] = p.scores_stage - p.roots_stage
    if core.argmax:
        latency["argmax"] = p.last_stage - p.scores_stage
    if p.latency:
        latency["top"] = 1
    return latency


def _ports(design: Design) -> dict[str, list[dict[str, Any]]]:
    program = design.program
    number, width = program.format, program.format.width
    bits = not isinstance(feature_layout(number, program.features), data.ArrayLayout)
    what = "bit" if bits else str(number)
    inputs = {
        "name": f"x[0..{program.features - 1}]",
        "low": 0,
        "width": program.features * width,
        "format": f"{program.features} x {what}, feature 0 lowest",
    }
    outputs = []
    for name, field in design.core.layout:
        shape = field.shape
        if isinstance(shape, data.ArrayLayout):
            score = shape.elem_shape.width  # pyright: ignore[reportAttributeAccessIssue]
            text = f"{shape.length} x ufixed<{score},{score}>, class 0 lowest"
        else:
            text = (
                f"{field.width} bits" if name == "bits" else f"ufixed<{field.width},{field.width}>"
            )
        outputs.append(
            {"name": str(name), "low": field.offset, "width": field.width, "format": text}
        )
    return {"i__payload": [inputs], "o__payload": outputs}


def _resources(mapped: SynthResult) -> ResourceSection:
    r = mapped.resources
    blocks = {
        name: BlockResources(b.lut, b.ff, b.carry, b.dsp, b.bram) for name, b in r.by_block.items()
    }
    return ResourceSection(
        r.lut,
        r.ff,
        r.carry,
        r.dsp,
        r.bram,
        depth=mapped.depth,
        by_block=blocks,
        by_block_note=mapped.by_block_note,
        cells=dict(r.cells),
    )


def _timing(design: Design) -> TimingSection:
    options, core = design.options, design.core
    mhz = options.clock_mhz
    if options.combinational:
        note = "Combinational: no registers and no clock."
    elif options.levels_per_stage:
        note = (
            f"A stage is {options.levels_per_stage} level(s) of gates, counters or comparisons; "
            "no clock was asked for."
        )
    else:
        note = (
            f"Registers are placed for {mhz:g} MHz by the delay model of {options.target}, an "
            "estimate; place and route has the last word on timing."
        )
    return TimingSection(
        source="delay model",
        clock_mhz=mhz,
        latency_ns=None if mhz is None else round(1e3 * core.latency / mhz, 3),
        samples_per_second=None if mhz is None else round(1e6 * mhz / core.interval, 3),
        note=note,
    )
