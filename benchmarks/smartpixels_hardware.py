"""The trained SmartPixels networks as hardware: what they take, how fast they are, and cocotb.

    python benchmarks/smartpixels_hardware.py [--clusters 256] [--clock-mhz 200] [--out DIR]
                                              [NAME ...]

Each row is a build for LUT6 of one of the examples, NAME a part of the row's name: the dense
network behind its front end, from ADC counts and y0 to the decision, and the convolutional network
with all positions at once, with lines, and with single positions in turn. Synthetic clusters go
through the Verilog in cocotb with random back-pressure; every answer is compared with PyTorch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lgn_hdl
from lgn_hdl.compiler import BuildResult, Samples
from lgn_hdl.model import Model
from lgn_hdl.network.partition import with_front
from lgn_hdl.smartpixels import class_index, feature_vectors, generate
from lgn_hdl.smartpixels.front import front_inputs, front_network

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
#: Of the clusters; none of the example networks was trained on them.
SEED = 77


@dataclass(frozen=True)
class Row:
    """An example, whether it stands behind its front end, and the options of the build."""

    example: str
    features: int
    front: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in the table."""
        extra = [f"{key}={value}" for key, value in self.options.items()]
        return " ".join([self.example, *(["with front end"] if self.front else []), *extra])


ROWS = (
    Row("dense", 9, front=True),
    Row("conv", 105),
    Row("conv", 105, options={"reuse": "column"}),
    Row("conv", 105, options={"reuse": "row"}),
    Row("conv", 105, options={"reuse": "position"}),
    Row("conv", 105, front=True, options={"reuse": "position", "front": "slices"}),
)


def measure(row: Row, out: Path, clusters: int, clock_mhz: float) -> dict[str, Any]:
    """Build and simulate; what the table says."""
    events = generate(clusters, SEED)
    model = Model.read(EXAMPLES / f"smartpixels_{row.example}.lgn")
    if row.front:
        model = Model(with_front(front_network(row.features), model.network), row.example)
        inputs: Any = front_inputs(events, row.features)
    else:
        inputs = feature_vectors(events, row.features)
    samples = Samples(inputs, class_index(events.pt), f"{clusters} synthetic clusters")
    start = time.perf_counter()
    result = lgn_hdl.build(
        model,
        out,
        target="lut6",
        clock_mhz=clock_mhz,
        samples=samples,
        vectors=clusters,
        **row.options,
    )
    built = time.perf_counter()
    simulated = lgn_hdl.simulate(out)
    return described(row, result) | {
        "simulated": simulated.samples,
        "cycles": simulated.cycles,
        "build_s": round(built - start),
        "simulation_s": round(time.perf_counter() - built),
    }


def described(row: Row, result: BuildResult) -> dict[str, Any]:
    """Figures of a build's report."""
    report = result.report
    resources, streaming = report.resources, getattr(report, "streaming", None)
    assert resources is not None
    return {
        "name": row.name,
        "gates": report.passes[-1]["gates"],
        "lut6": resources.lut,
        "ff": resources.ff,
        "by_block": {name: (part.lut, part.ff) for name, part in resources.by_block.items()},
        "latency": report.pipeline.latency_cycles,
        "interval": report.pipeline.initiation_interval,
        "latency_ns": report.timing.latency_ns,
        "samples_per_second": report.timing.samples_per_second,
        "streaming": None if streaming is None else streaming.total,
        "accuracy": None if report.model.accuracy is None else report.model.accuracy["accuracy"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The trained SmartPixels networks as hardware")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the row's name")
    parser.add_argument("--clusters", type=int, default=256)
    parser.add_argument("--clock-mhz", type=float, default=200)
    parser.add_argument("--out", type=Path, help="keep the builds in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for row in ROWS:
            if not options.names or any(name in row.name for name in options.names):
                folder = (options.out or Path(temporary)) / row.name.replace(" ", "_")
                folder.parent.mkdir(parents=True, exist_ok=True)
                found = measure(row, folder, options.clusters, options.clock_mhz)
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
