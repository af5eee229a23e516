"""The full-size convolutional network, positions in turn: gates, buffers, clocks, seconds.

    python benchmarks/streaming.py [--reuse column row position] [--functions SET]
                                   [--own-thresholds] [--unrolled] [--samples N] [--out FILE.json]

Seconds run from the network in memory to RTLIL, passes and their verification included. Then what
was planned is evaluated on some samples and compared with PyTorch; that is not timed. `--unrolled`
does the same for gates at every position first. `tables` are the network's truth tables that become
gates, `gates` what the passes leave of these; comparisons and sums come on top. `parts` are layers
that compute an element in so many, and `choices` are those of the `multiplexers` that choose what
a part reads. No outside tool runs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from full_size import FUNCTIONS, full_size

from lgn_hdl.compiler.cores import make_core
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.streamed import make_streamed_core
from lgn_hdl.compiler.vectors import checked_answers
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.logic import lower, optimize
from lgn_hdl.logic.stream import REUSES, Reuse, stream_figures
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import Network

#: What is counted apart from gates.
APART = ("gate_registers", "delay_registers", "zeroed", "multiplexers", "comparators")


def measured(network: Network, reuse: Reuse, samples: int) -> dict[str, Any]:
    """Compile the network to RTLIL, and compare what it computes with PyTorch."""
    options = BuildOptions(target="rtlil", reuse=reuse).resolved()
    start = time.perf_counter()
    if reuse == "none":
        program, passes = optimize(lower(network))
        core = make_core(program, options)
        apart: dict[str, Any] = {"comparators": program.num_inputs}
    else:
        core, passes = make_streamed_core(network, options, argmax=True)
        parts = stream_figures(core.plan)
        apart = {name: sum(getattr(part, name) for part in parts) for name in APART}
        layers = core.plan.layers
        apart["choices"] = sum(layer.block.multiplexers for layer in layers)
        apart["parts"] = {one.node.name: one.block.parts for one in layers if one.block.parts > 1}
        for part in parts:
            print(f"  {part}")
    text = to_rtlil(core.component())
    seconds = time.perf_counter() - start
    checked_answers(network, core.evaluate, probe_vectors(core.inputs, samples, 1))
    return {
        "reuse": reuse,
        "seconds": round(seconds, 1),
        "rtlil_mb": round(len(text) / 1e6, 1),
        "latency": core.latency,
        "interval": core.interval,
        "tables": passes[0].gates,
        "gates": passes[-1].gates,
        **apart,
    }


def main() -> None:
    """Print the figures of every way; write them."""
    parser = argparse.ArgumentParser(description="The full-size network, positions in turn")
    parser.add_argument("--reuse", nargs="+", choices=REUSES[1:], default=list(REUSES[1:]))
    parser.add_argument("--functions", choices=FUNCTIONS, default="all-16")
    parser.add_argument("--own-thresholds", action="store_true", help="of every feature")
    parser.add_argument("--unrolled", action="store_true", help="and gates at every position")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    network = full_size(functions=options.functions, shared_thresholds=not options.own_thresholds)
    rows = []
    for reuse in (["none"] if options.unrolled else []) + options.reuse:
        row = measured(network, reuse, options.samples)
        rows.append(row)
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
