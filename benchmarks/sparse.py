"""Sparse CNNs of SparsePixels: clocks and cells beside those published for their HLS.

    python benchmarks/sparse.py --task neutrino --form small fast

The published models (LGN_HDL_SHARED) are built with 8-bit pixels, as the published figures are, and
mapped by Yosys' own `synth_xilinx -family xcup -flatten -abc9` (whose `&verify` is left out: it
does not end on such designs; what is simulated is the RTL). `--slots 12` and `--random` take random
weights in the formats of the model: none are published for it. `--block` maps one block alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from amaranth.hdl import Const, Module, Value
from amaranth.lib import wiring
from rich.console import Console
from rich.table import Table
from shared import shared_folder

from lgn_hdl.flow import TARGETS, find_yosys, synthesize
from lgn_hdl.flow.netlist import count_cells, logic_depth, read_netlist, sum_cells
from lgn_hdl.frontends.sparsepixels import from_keras, read_keras, read_weights
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.hdl.sparse import SparseClassifier, SparsePlan, plan_sparse
from lgn_hdl.network import Dense, Network, SparseConv2d

THRESHOLDS = {"neutrino": 0.0, "jet": 0.0, "sparsemnist": 0.4}
VARIANTS = {8: "t", 16: "m", 20: "l"}
#: Published for 20 slots and 8 bits (Vivado): LUT, DSP, BRAM18, clocks, interval.
PUBLISHED = {
    "neutrino": (362_637, 60, 78, 133, 84),
    "jet": (421_014, None, None, 140, None),
    "sparsemnist": (325_058, None, None, 146, None),
}
PIXELS = "ufixed<8,1>"
#: Clocks of the fast form, at most.
FAST = 45
_SCRIPT = """\
read_rtlil {rtlil}
scratchpad -set abc9.verify 0
synth_xilinx -family xcup -flatten -abc9 -noiopad -noclkbuf -top top
write_json mapped.json
"""


def network_of(task: str, slots: int, bits: int, *, random: bool = False) -> Network:
    """A published model, or its like with random weights."""
    folder = shared_folder() / "data/sparsepixels/models"
    model = read_keras(folder / f"{task}_sparse_t-{bits}b.keras")
    if slots in VARIANTS and not random:
        path = folder / f"{task}_sparse_{VARIANTS[slots]}-{bits}b.weights.h5"
        model = replace(model, weights=read_weights(path))
    found = from_keras(model, slots=slots, threshold=THRESHOLDS[task], input_format=PIXELS)
    return found if slots in VARIANTS and not random else with_random_weights(found)


def with_random_weights(network: Network) -> Network:
    """The same layers and formats, every constant evenly distributed in its format."""
    rng = np.random.default_rng(0)

    def drawn(values: np.ndarray, number: Any) -> np.ndarray:
        return rng.integers(number.min_int, number.max_int, values.shape, endpoint=True)

    nodes = []
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, SparseConv2d):
            layer = replace(
                layer,
                kernel=drawn(layer.kernel, layer.kernel_format),
                bias=drawn(layer.bias, layer.bias_format),
            )
        elif isinstance(layer, Dense):
            layer = replace(
                layer,
                weight=drawn(layer.weight, layer.weight_format),
                bias=drawn(layer.bias, layer.bias_format),
            )
        nodes.append(replace(node, layer=layer))
    return replace(network, nodes=tuple(nodes)).validate()


def planned(network: Network, form: str, options: argparse.Namespace) -> SparsePlan:
    """The small form: rows, two slots a clock. The fast one: the whole image, half of the slots.

    The last dense layer takes its vector whole. The fast form searches as few rows a clock as keep
    it within `FAST` clocks.
    """
    share = options.constants == "alkaid"
    last = [n.name for n in network.nodes if isinstance(n.layer, Dense)][-1]
    size = network.types[next(n for n in network.nodes if n.name == last).inputs[0]].size
    slots = network.types["reduce"].shape[0]
    if form == "small":
        per_clock = options.per_clock or 2
        return plan_sparse(network, by_rows=True, slots=per_clock, chosen={last: size}, share=share)
    per_clock = options.per_clock or -(-slots // 2)
    height = network.inputs["x"].shape[1]
    for rows in [options.rows] if options.rows else range(1, height + 1):
        plan = plan_sparse(
            network, by_rows=False, rows=rows, slots=per_clock, chosen={last: size}, share=share
        )
        if options.rows or plan.latency <= FAST:
            return plan
    raise SystemExit(f"no number of rows a clock leads to {FAST} clocks")


def mapped(text: str, target: str, folder: Path) -> dict[str, Any]:
    """Cells and depth after Yosys' own script, or after the flow of `lgn_hdl build`."""
    (folder / "top.il").write_text(text)
    start = time.monotonic()
    if target == "yosys":
        script = _SCRIPT.format(rtlil="top.il")
        find_yosys().run(script, folder, name="synth", expect=("mapped.json",))
        modules, kind = read_netlist(folder / "mapped.json"), TARGETS["xcup"]
        used = sum_cells(count_cells(modules, "top"), kind)
        depth = logic_depth(modules["top"], kind)
    else:
        result = synthesize(folder / "top.il", target, folder, by_block=False)
        used, depth = result.resources, result.depth
    return {
        "lut": used.lut,
        "ff": used.ff,
        "dsp": used.dsp,
        "bram": used.bram,
        "depth": depth,
        "cells": dict(used.cells),
        "seconds": round(time.monotonic() - start, 1),
    }


class Alone(wiring.Component):
    """A block as the only one of a top: Yosys 0.70 fails an assertion if it is the top itself."""

    i: Any
    o: Any

    def __init__(self, block: Any):
        self._block, self._place, self.latency = block, None, block.latency
        super().__init__(dict(block.signature.members))

    def with_blocks(self, place: Any) -> Alone:
        """This top, its block put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m, block, i, o = Module(), self._block, self.i, self.o
        assert self._place is not None, "converted by to_rtlil"
        self._place(m, "block", block, Const(1))
        m.d.comb += [
            Value.cast(block.i.payload).eq(Value.cast(i.payload)),
            block.i.valid.eq(i.valid),
            i.ready.eq(block.i.ready),
            Value.cast(o.payload).eq(Value.cast(block.o.payload)),
            o.valid.eq(block.o.valid),
            block.o.ready.eq(o.ready),
        ]
        return m


def measured(
    task: str, slots: int, bits: int, form: str, options: argparse.Namespace
) -> dict[str, Any]:
    """One row of the table."""
    network = network_of(task, slots, bits, random=options.random)
    plan = planned(network, form, options)
    row: dict[str, Any] = {
        "task": task,
        "slots": slots,
        "bits": bits,
        "form": form,
        "latency": plan.latency,
        "interval": plan.interval,
        "blocks": {b.name: [b.parallel, b.latency, b.interval] for b in plan.blocks},
    }
    component: Any = SparseClassifier(plan=plan)
    if options.block:
        component._MustUse__used = True
        block = next(b for b in plan.blocks if b.name == options.block)
        component = Alone(block.make())
        row |= {"block": block.name, "latency": block.latency, "interval": block.interval}
    start = time.monotonic()
    text = to_rtlil(component)
    row["rtlil_seconds"] = round(time.monotonic() - start, 1)
    if not options.no_synthesis:
        with TemporaryDirectory(prefix="lgn_hdl_sparse_") as folder:
            row |= mapped(text, options.target, Path(folder))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description="Sparse CNNs: clocks and cells")
    parser.add_argument("--task", nargs="+", choices=list(THRESHOLDS), default=["neutrino"])
    parser.add_argument("--slots", nargs="+", type=int, default=[20])
    parser.add_argument("--bits", nargs="+", type=int, choices=[8, 16], default=[8])
    parser.add_argument("--form", nargs="+", choices=["small", "fast"], default=["small"])
    parser.add_argument("--target", default="yosys", help="yosys, or a target of lgn_hdl build")
    parser.add_argument("--constants", choices=["digits", "alkaid"], default="digits")
    parser.add_argument(
        "--rows", type=int, help="rows a clock of the fast form (default: see above)"
    )
    parser.add_argument("--per-clock", type=int, help="slots a clock, instead of the form's")
    parser.add_argument("--block", help="map this block alone, such as reduce")
    parser.add_argument("--random", action="store_true", help="random weights")
    parser.add_argument("--no-synthesis", action="store_true", help="clocks and RTLIL only")
    parser.add_argument("--json", type=Path, help="append the rows to this file, a line each")
    options = parser.parse_args()
    rows = []
    for task in options.task:
        for bits in options.bits:
            for slots in options.slots:
                for form in options.form:
                    row = measured(task, slots, bits, form, options)
                    rows.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
                    if options.json:
                        with options.json.open("a") as file:
                            file.write(json.dumps(row) + "\n")
    show(rows, options)


def show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """The rows as a table, those of the publication among them."""
    table = Table(title=f"{PIXELS} pixels, {options.target}, constants by {options.constants}")
    for name in ("task", "slots", "bits", "form", "clocks", "interval", "LUT", "FF", "DSP", "BRAM"):
        table.add_column(name, justify="left" if name in ("task", "form") else "right")
    table.add_column("LUTs deep", justify="right")
    for row in rows:
        name = row["form"] + (f", {row['block']} alone" if "block" in row else "")
        cells = [row.get(key, "") for key in ("lut", "ff", "dsp", "bram", "depth")]
        found = [row["task"], row["slots"], row["bits"], name, row["latency"], row["interval"]]
        table.add_row(*map(_shown, [*found, *cells]))
    for task in dict.fromkeys(row["task"] for row in rows):
        lut, dsp, bram, clocks, interval = PUBLISHED[task]
        found = [task, 20, 8, "published (Vivado)", clocks, interval, lut, None, dsp, bram, None]
        table.add_row(*map(_shown, found))
    Console(width=120).print(table)


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)


if __name__ == "__main__":
    main()
