"""The full-size convolutional network, unrolled: every position its own gates.

    python benchmarks/unrolled.py [--seed N] [--functions SET] [--own-thresholds]

Prints the gates before and after the passes, the seconds of every step, and the peak memory of the
process. No outside tool runs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from full_size import FUNCTIONS, full_size

from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.emit import emit_files
from lgn_hdl.compiler.options import BuildOptions


def main() -> None:
    parser = argparse.ArgumentParser(description="The full-size network, unrolled")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functions", choices=FUNCTIONS, default="all-16")
    parser.add_argument("--own-thresholds", action="store_true", help="of every feature")
    options = parser.parse_args()
    network = full_size(
        options.seed, functions=options.functions, shared_thresholds=not options.own_thresholds
    )
    start = time.perf_counter()
    design = plan(network, BuildOptions(target="rtlil").resolved(), print)
    planned = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        emit_files(design, Path(folder), lambda step: None)
        emitted = time.perf_counter()
        size = (Path(folder) / "top.il").stat().st_size
    print(f"gates: {design.passes[0].gates:,} -> {design.passes[-1].gates:,}")
    for result in design.passes:
        print(f"  {result.name}: {result.gates:,} gates, {result.seconds:.1f} s")
    print(f"planned (with the reference's check): {planned - start:.1f} s")
    print(f"RTLIL: {emitted - planned:.1f} s, {size / 1e6:.0f} MB; latency {design.core.latency}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"whole: {emitted - start:.1f} s, peak {peak * 1024 / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
