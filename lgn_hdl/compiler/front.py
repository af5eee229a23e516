"""Builds with a front end: inputs of the detector in, its sums inside, the classifier behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.lib import data

from ..errors import BuildError
from ..hdl.front import FIRST, Fronted, FrontPlan, plan_front
from ..logic.program import LogicProgram
from ..network import FixedPoint, Network
from ..network.partition import Front
from .cores import Core, PipelinedCore
from .options import BuildOptions

__all__ = [
    "FrontedCore",
    "check_front_options",
    "front_latency",
    "front_ports",
    "random_inputs",
    "stored_integers",
    "with_front_end",
]


@dataclass(frozen=True, eq=False)
class FrontedCore:
    """A front end before any other core; the latencies add up.

    Parameters
    ----------
    front : Front
    plan : FrontPlan
        Of the front end.
    core : Core
        Takes the features.
    """

    front: Front
    plan: FrontPlan
    core: Any

    @property
    def program(self) -> LogicProgram:
        """The simplified program of the logic, over the features."""
        return self.core.program

    @property
    def pipelined(self) -> bool:
        """Whether the classifier takes a sample in every clock; then there is one enable."""
        return isinstance(self.core, PipelinedCore)

    @property
    def latency(self) -> int:
        """Clocks from what comes last of a sample to its result; 0 without registers."""
        return self.plan.latency + self.core.latency

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return max(self.plan.slices, self.core.interval)

    @property
    def layout(self) -> data.StructLayout:
        """Fields of a result."""
        return self.core.layout

    def component(self) -> Fronted:
        """The hardware."""
        return Fronted(plan=self.plan, classifier=self.core.component(), pipelined=self.pipelined)

    def about(self) -> str:
        """One sentence for the report."""
        said, slices = f"The front end makes {self.plan.features} features", self.plan.slices
        if self.plan.sliced is None:
            return f"{said}. {self.core.about()}"
        behind = "" if self.pipelined else f" {self.core.about()}"
        return f"{said} from {slices} slices along the first axis, one a clock.{behind}"


def check_front_options(front: Front | None, options: BuildOptions) -> None:
    """Refuse options that have no meaning with a front end, or without one.

    Raises
    ------
    BuildError
    """
    if front is None:
        if options.front == "slices":
            raise BuildError(
                "the network has no front end: no sum stands before its thermometers",
                where="--front",
            )
        return
    if options.board is not None:
        raise BuildError(
            "the link to a board sends one array of features, and this network has a front end",
            where="--board",
            hint="build without a board, or the network behind the front end",
        )
    if options.prove:
        raise BuildError(
            "--prove knows no front end yet",
            hint="sim compares the features with PyTorch; the network behind can be proved alone",
        )
    if options.input_format not in (None, str(front.number)):
        raise BuildError(
            f"the features are {front.number}: the formats of a front end are those of its inputs",
            where="--input-format",
        )


def with_front_end(front: Front, core: Core, options: BuildOptions) -> FrontedCore:
    """A core behind its front end.

    Raises
    ------
    BuildError
        If the front end cannot be built so.
    """
    assert options.counters is not None, "options are resolved"
    plan = plan_front(
        front,
        slices=options.front == "slices",
        style=options.counters,
        model=options.delays,
        clock=options.stage_clock,
    )
    return FrontedCore(front, plan, core)


def stored_integers(network: Network, x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stored integers (n, *shape) of real samples, input by input."""
    return {name: _number(network, name).quantize(values) for name, values in x.items()}


def random_inputs(network: Network, samples: int, seed: int) -> dict[str, np.ndarray]:
    """Random stored integers (n, *shape) of every input.

    Sums of evenly distributed numbers are all alike, so the brightness of a sample, and of each
    part of it along the first axis, is random too. The first two samples are all-smallest and
    all-largest.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for name, tensor in network.inputs.items():
        number, shape = _number(network, name), (samples, *tensor.shape)
        values = rng.integers(number.min_int, number.max_int, shape, endpoint=True)
        dim = rng.random((samples, *(1,) * len(tensor.shape)))
        if tensor.size > 1:
            dim = dim * rng.random((*shape[:2], *(1,) * (len(shape) - 2)))
            values = np.trunc(values * dim).astype(np.int64)
        values[:1], values[1:2] = number.min_int, number.max_int
        found[name] = values
    return found


def front_latency(core: FrontedCore) -> dict[str, int]:
    """Clocks of each block of the front end."""
    found = {"front": core.plan.pipeline.latency}
    if core.plan.collector_latency:
        found["collector"] = core.plan.collector_latency
    return found


def front_ports(core: FrontedCore) -> list[dict[str, Any]]:
    """Fields of the incoming payload, as the report lists them."""
    ports = []
    for name, field in core.plan.layout:
        if name == FIRST and core.plan.sliced is not None:
            text = "1 in the first slice of a sample"
        else:
            tensor = core.plan.inputs[str(name)]
            shape = "x".join(map(str, tensor.shape)) or "1"
            text = f"{shape} x {tensor.element}, row-major, element 0 lowest"
            if core.plan.sliced is not None:
                whole = core.front.network.inputs[str(name)].shape
                text += ", a slice" if whole != tensor.shape else ", with the first slice"
        ports.append({"name": str(name), "low": field.offset, "width": field.width, "format": text})
    return ports


def _number(network: Network, name: str) -> FixedPoint:
    number = network.inputs[name].element
    assert isinstance(number, FixedPoint), "checked by front_of"
    return number
