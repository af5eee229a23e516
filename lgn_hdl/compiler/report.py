"""Fill the report of a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amaranth.lib import data

from ..hdl import feature_layout
from ..logic.stream import stream_figures
from ..network.storage import network_digest
from ..report import (
    BlockResources,
    ModelSection,
    PipelineSection,
    Report,
    ResourceSection,
    StreamingSection,
    TimingSection,
)
from .cores import PipelinedCore
from .design import Design
from .emit import Emitted
from .front import FrontedCore, front_latency, front_ports
from .onboard import board_section, board_timing
from .proof import proof_section
from .streamed import StreamedCore

if TYPE_CHECKING:
    from ..flow import SynthResult

__all__ = ["make_report"]

#: Figures of the parts of a stream that add up.
_ADDED = (
    "unrolled_gates",
    "shared_gates",
    "gates",
    "gate_registers",
    "delay_registers",
    "zeroed",
    "multiplexers",
    "comparators",
)


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
        proof=proof_section(
            checks, emitted.claims, proof, provable=isinstance(design.core, PipelinedCore)
        ),
        tools=tools | emitted.tools,
        seconds=seconds,
        board=None if on_board is None else board_section(design, on_board, list(tried)),
        streaming=_streaming(design),
    )


def _model(design: Design, accuracy: dict[str, Any] | None, origin: str | None) -> ModelSection:
    network = design.network
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
        input=_input(design),
        input_format=str(design.inputs.format),
        classes=_classes(design),
        layers=layers,
        score_to_logit=logit,
        accuracy=accuracy,
        warnings=design.warnings,
    )


def _input(design: Design) -> str:
    """Shape of the input; with a front end all inputs, and what it makes of them."""
    inputs, core = design.network.inputs, design.core
    if not isinstance(core, FrontedCore):
        (tensor,) = inputs.values()
        return "x".join(map(str, tensor.shape))
    said = ", ".join(f"{name} {tensor}" for name, tensor in inputs.items())
    return f"{said}, summed to {core.plan.features} features"


def _classes(design: Design) -> list[str]:
    return list(design.network.classes) or [str(c) for c in range(len(design.program.sums))]


def _pipeline(design: Design) -> PipelineSection:
    core, before = design.core, {}
    if isinstance(core, FrontedCore):
        before, core = front_latency(core), core.core
    stages, latency = 1, {"top": core.latency}
    if isinstance(core, (PipelinedCore, StreamedCore)):
        stages, latency = core.pipeline.stages, _latency_by_block(core)
    stages, latency, core = stages + sum(before.values()), before | latency, design.core
    return PipelineSection(
        stages=stages,
        latency_cycles=core.latency,
        initiation_interval=core.interval,
        latency_by_block=latency,
        ports=_ports(design),
        folding=core.about(),
    )


def _latency_by_block(core: PipelinedCore | StreamedCore) -> dict[str, int]:
    p = core.pipeline
    before = (
        {"images": core.plan.ticks.complete} if isinstance(core, StreamedCore) else {"binarizer": 0}
    )
    latency = before | {"gates": p.roots_stage}
    if p.sums:
        latency["groupsum"] = p.scores_stage - p.roots_stage
    if core.argmax:
        latency["argmax"] = p.last_stage - p.scores_stage
    if p.latency:
        latency["top"] = 1
    return latency


def _streaming(design: Design) -> StreamingSection | None:
    """What takes turns and what that needs, part by part; None if nothing does."""
    core = design.logic
    if not isinstance(core, StreamedCore):
        return None
    parts = [asdict(part) for part in stream_figures(core.plan)]
    total = {name: sum(part[name] for part in parts) for name in _ADDED}
    return StreamingSection(core.plan.reuse, parts, total)


def _ports(design: Design) -> dict[str, list[dict[str, Any]]]:
    program = design.inputs
    if isinstance(design.core, FrontedCore):
        return {"i__payload": front_ports(design.core), "o__payload": _results(design)}
    number, width = program.format, program.format.width
    bits = not isinstance(feature_layout(number, program.features), data.ArrayLayout)
    what = "bit" if bits else str(number)
    inputs = {
        "name": f"x[0..{program.features - 1}]",
        "low": 0,
        "width": program.features * width,
        "format": f"{program.features} x {what}, feature 0 lowest",
    }
    return {"i__payload": [inputs], "o__payload": _results(design)}


def _results(design: Design) -> list[dict[str, Any]]:
    """Fields of a result."""
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
    return outputs


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
