"""What the report says of a design as standard cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from ..flow import Timing
from ..report import SiliconSection, TimingSection
from .cores import PipelinedCore
from .design import Design
from .silicon import OnSilicon

__all__ = ["silicon_section", "silicon_timing"]

#: What "gate equivalent" means: a two-input NAND of the smallest size.
_NAND2 = 0b0111
#: Overloaded nets that the report lists.
_LISTED = 10


def silicon_section(design: Design, made: OnSilicon) -> SiliconSection:
    """The section of a design that was mapped to the cells of a PDK."""
    netlist, timing, by_block = made.netlist, made.timing, made.power.by_block
    assert netlist.liberty is not None
    nand = netlist.liberty.smallest(_NAND2)
    return SiliconSection(
        library=made.pdk.library,
        corner=made.pdk.corner,
        mapping=design.options.mapping,
        area_um2=netlist.area_um2,
        kge=round(netlist.area_um2 / nand[0].area / 1e3, 4) if nand else None,
        cells=dict(Counter(netlist.cells).most_common()),
        blocks=[
            {
                "name": name,
                "area_um2": block.area_um2,
                "cells": block.count,
                "power_w": by_block[name].total if name in by_block else None,
            }
            for name, block in netlist.by_block.items()
        ],
        layers=[asdict(layer) for layer in made.layers],
        estimate_um2=round(made.estimate_um2, 4),
        logic_ns=None if isinstance(timing, Timing) else timing.delay_ns,
        timing=_timing(timing) if isinstance(timing, Timing) else None,
        power=_power(design, made),
        limits=list(timing.limits),
        handoff=None if made.handoff is None else asdict(made.handoff),
    )


def silicon_timing(design: Design, made: OnSilicon) -> TimingSection | None:
    """Timing of the report; None without OpenSTA."""
    options, core, timing = design.options, design.core, made.timing
    if not isinstance(timing, Timing) or options.clock_mhz is None:
        return None
    kept = "keeps" if timing.setup_slack_ns >= 0 else "MISSES"
    return TimingSection(
        source="OpenSTA, before layout",
        clock_mhz=options.clock_mhz,
        latency_ns=round(1e3 * core.latency / options.clock_mhz, 3),
        samples_per_second=round(1e6 * options.clock_mhz / core.interval, 3),
        note=(
            f"The netlist {kept} the clock of {options.clock_mhz:g} MHz by OpenSTA, with "
            f"{timing.setup_slack_ns:.2f} ns to spare: {timing.fmax_mhz:.1f} MHz at most."
        ),
    )


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "period_ns": timing.period_ns,
        "slack_ns": timing.setup_slack_ns,
        "hold_slack_ns": timing.hold_slack_ns,
        "fmax_mhz": round(timing.fmax_mhz, 3),
        "path_ns": {name: round(ns, 4) for name, ns in timing.delay_by_block_ns.items()},
        "wire_ff": timing.wire_ff,
        "overloads": [asdict(overload) for overload in timing.overloads[:_LISTED]],
    }


def _power(design: Design, made: OnSilicon) -> dict[str, Any]:
    power = made.power
    interval = 1 if isinstance(design.core, PipelinedCore) else design.core.interval
    return {
        "clock_mhz": power.frequency_hz / 1e6,
        "internal_w": power.parts.internal,
        "switching_w": power.parts.switching,
        "leakage_w": power.parts.leakage,
        "total_w": power.parts.total,
        "by_group": {name: parts.total for name, parts in power.by_group.items()},
        "energy_per_inference_j": power.energy_j(interval),
        "clocks": made.activity.clocks,
        "samples": made.samples,
        "glitch_factor": made.activity.glitch_factor,
    }
