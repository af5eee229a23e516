"""Fill the report of a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from amaranth.lib import data

from ..hdl import feature_layout
from ..logic.stream import stream_figures
from ..network import FixedPoint
from ..network.storage import network_digest
from ..report import (
    BlockResources,
    ModelSection,
    PipelineSection,
    Report,
    ResourceSection,
    SparseSection,
    StreamingSection,
    TimingSection,
)
from .cores import PipelinedCore
from .design import Design
from .emit import Emitted
from .front import FrontedCore, front_latency, front_ports
from .onboard import board_section, board_timing
from .onsilicon import silicon_section, silicon_timing
from .proof import Kind, proof_section
from .sparse import SparseCore
from .sparseimages import overflow_counts
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
    features: np.ndarray | None = None,
) -> Report:
    """The report of a design.

    `origin` is the file the model came from, `tried` are the ways to fold that did not fit,
    `features` are real samples (n, F), if there are any.
    """
    mapped, proof, on_board = emitted.mapped, emitted.mapping_proof, emitted.on_board
    return Report(
        model=_model(design, accuracy, origin),
        options=design.options.as_dict(),
        passes=[asdict(result) for result in design.passes],
        pipeline=_pipeline(design),
        resources=None if mapped is None else _resources(mapped),
        timing=_timing_of(design, emitted),
        proof=proof_section(checks, emitted.claims, proof, _kind(design), emitted.on_silicon),
        tools=tools | emitted.tools,
        seconds=seconds,
        board=None if on_board is None else board_section(design, on_board, list(tried)),
        streaming=_streaming(design),
        sparse=_sparse(design, features),
        silicon=None if emitted.on_silicon is None else silicon_section(design, emitted.on_silicon),
    )


def _timing_of(design: Design, emitted: Emitted) -> TimingSection:
    if emitted.on_board is not None:
        return board_timing(design, emitted.on_board)
    made = emitted.on_silicon
    return (made and silicon_timing(design, made)) or _timing(design)


def _kind(design: Design) -> Kind:
    if design.sparse:
        return "sparse"
    return "pipeline" if isinstance(design.core, PipelinedCore) else "turns"


def _model(design: Design, accuracy: dict[str, Any] | None, origin: str | None) -> ModelSection:
    network = design.network
    layer = network.group_sum
    logit = None
    if design.sparse and network.scores is not None:
        number = network.types[network.scores].element
        logit = f"score * {number.step}" if isinstance(number, FixedPoint) else None
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
        classes=list(design.network.class_names),
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


def _pipeline(design: Design) -> PipelineSection:
    core, before = design.core, {}
    if isinstance(core, FrontedCore):
        before, core = front_latency(core), core.core
    stages, latency = 1, {"top": core.latency}
    if isinstance(core, SparseCore):
        latency = {block.name: block.latency for block in core.plan.blocks}
        stages = core.latency
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


def _sparse(design: Design, features: np.ndarray | None) -> SparseSection | None:
    """The blocks of a sparse CNN, and what becomes of the samples' pixels; None for any other."""
    core = design.core
    if not isinstance(core, SparseCore):
        return None
    blocks = [
        {
            "name": block.name,
            "kind": block.kind,
            "layers": list(block.layers),
            "result": str(block.result),
            "parallel": block.parallel,
            "latency": block.latency,
            "interval": block.interval,
        }
        for block in core.plan.blocks
    ]
    counts = None if features is None else overflow_counts(core, features)
    form = "rows" if core.plan.by_rows else "whole"
    return SparseSection(form, core.reduce.slots, core.reduce.threshold, blocks, counts)


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
    if isinstance(design.core, SparseCore):
        inputs = _image_port(design.core)
        return {"i__payload": [inputs], "o__payload": _results(design)}
    bits = not isinstance(feature_layout(number, program.features), data.ArrayLayout)
    what = "bit" if bits else str(number)
    inputs = {
        "name": f"x[0..{program.features - 1}]",
        "low": 0,
        "width": program.features * width,
        "format": f"{program.features} x {what}, feature 0 lowest",
    }
    return {"i__payload": [inputs], "o__payload": _results(design)}


def _image_port(core: SparseCore) -> dict[str, Any]:
    channels, height, width = core.plan.source.shape
    (rows, columns), what = core.plan.piece, str(core.number)
    shape, order = f"{channels}x{rows}x{columns} x {what}", "row-major, element 0 lowest"
    if core.plan.by_rows:
        shape, order = f"{channels}x{columns} x {what}", f"{order}; {height} rows from the top"
    if columns < width:
        order += f", each in {width // columns} parts from the left"
    size = channels * rows * columns * core.number.width
    return {"name": "image", "low": 0, "width": size, "format": f"{shape}, {order}"}


def _results(design: Design) -> list[dict[str, Any]]:
    """Fields of a result."""
    outputs = []
    for name, field in design.core.layout:
        shape = field.shape
        if isinstance(shape, data.ArrayLayout):
            score = shape.elem_shape.width  # pyright: ignore[reportAttributeAccessIssue]
            number = f"ufixed<{score},{score}>"
            if isinstance(design.core, SparseCore):
                number = str(design.core.plan.scores.element)
            text = f"{shape.length} x {number}, class 0 lowest"
        else:
            text = (
                f"{field.width} bit{'s' if field.width > 1 else ''}"
                if name == "bits"
                else f"ufixed<{field.width},{field.width}>"
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
    if design.sparse:
        note = (
            "Registers of a sparse CNN are where its blocks have them, whatever the clock; the "
            "depth of the mapped netlist is that of the longest stage."
        )
    elif options.combinational:
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
        source="the clock asked for" if design.sparse else "delay model",
        clock_mhz=mhz,
        latency_ns=None if mhz is None else round(1e3 * core.latency / mhz, 3),
        samples_per_second=None if mhz is None else round(1e6 * mhz / core.interval, 3),
        note=note,
    )
