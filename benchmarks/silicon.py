"""Networks as standard cells of SkyWater 130: area, timing, power, one to one and optimised.

    python benchmarks/silicon.py [--clock-mhz 41.8] [--images 2000] [--simulate 50] [NAME ...]

NAME is a part of a network's name. Every netlist is proved equal to its RTL; the activity of its
nets is that of real images, glitches estimated; `--simulate` runs the netlist of cells in cocotb
on some of them, and compares with PyTorch. The middle row of each network has the gates of the
first one restructured, and the same class sums and decision, so that gates can be compared with
gates. All figures are before a layout; PDK_ROOT says where the cells are, by default
LGN_HDL_SHARED has them.

For comparison, arXiv 2604.19334 states for its MNIST network of 97 %, laid out in sky130 by a
commercial flow: 41.8 million inferences/s, 83.88 mW, so 2.0 nJ per inference.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mnist import BITS
from rich.console import Console
from rich.table import Table
from shared import load, shared_folder

import lgn_hdl
from lgn_hdl.compiler import Samples, build, simulate
from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.flow import clean_names, find_pdk, map_to_cells, read_liberty
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.proof import prove_cells

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))
#: Power in mW and samples per second of arXiv 2604.19334, after layout.
PAPER = {"mw": 83.88, "per_second": 41.8e6}


@dataclass(frozen=True)
class Row:
    """A network and its real samples."""

    name: str
    load: Callable[[], lgn_hdl.Model]
    samples: Callable[[int], Samples]


def _mnist(part: slice) -> tuple[np.ndarray, np.ndarray]:
    with np.load(shared_folder() / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = (data[name] for name in data.files)
    return images[part], labels[part]


def _tt10_images(count: int) -> Samples:
    images, labels = _mnist(slice(count))
    return Samples(BITS["tt10 6x4000"](images), labels, "MNIST training images")


def _mnist_images(count: int) -> Samples:
    """Images that training never saw."""
    from train_mnist import bits  # pyright: ignore[reportMissingImports]

    images, labels = _mnist(slice(50_000, 50_000 + count))
    pixels = bits(torch.from_numpy(images).float() / 255).numpy()
    return Samples(pixels, labels, "MNIST images from 50,000 on")


def _smartpixels(count: int) -> Samples:
    with np.load(EXAMPLES / "smartpixels_dense.npz", allow_pickle=False) as file:
        return Samples(file["x"][:count], file["y"][:count], "synthetic clusters")


ROWS = (
    Row("tt10 6x4000", lambda: load("tt10 6x4000"), _tt10_images),
    Row("mnist", lambda: lgn_hdl.load(EXAMPLES / "mnist.lgn"), _mnist_images),
    Row(
        "smartpixels_dense",
        lambda: lgn_hdl.load(EXAMPLES / "smartpixels_dense.lgn"),
        _smartpixels,
    ),
)


def measured(row: Row, mapping: str, options: argparse.Namespace) -> dict[str, Any]:
    """A build, its netlist simulated."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lgn_hdl_silicon_") as folder:
        out = Path(folder) / "build"
        samples = row.samples(options.images)
        result = build(
            row.load(),
            out,
            target="sky130",
            clock_mhz=options.clock_mhz,
            samples=samples,
            vectors=max(options.simulate, 1),
            mapping=mapping,  # pyright: ignore[reportArgumentType]
            prove=options.prove,
        )
        seconds = time.monotonic() - start
        simulated = simulate(out, gates=True).samples if options.simulate else 0
    report = json.loads(result.report.to_json())
    silicon = report["silicon"]
    blocks = {block["name"]: block for block in silicon["blocks"]}
    layers = silicon["layers"]
    return {
        "network": row.name,
        "netlist": mapping,
        "gates_um2": blocks["gates"]["area_um2"],
        "area_um2": silicon["area_um2"],
        "kge": silicon["kge"],
        "cells": sum(silicon["cells"].values()),
        "clock_mhz": options.clock_mhz,
        "latency": report["pipeline"]["latency_cycles"],
        "fmax_mhz": silicon["timing"] and silicon["timing"]["fmax_mhz"],
        "power": silicon["power"],
        "blocks": silicon["blocks"],
        "unread_um2": sum(layer["unread_um2"] for layer in layers),
        "one_to_one_um2": sum(layer["area_um2"] for layer in layers),
        "estimate_um2": silicon["estimate_um2"],
        "accuracy": report["model"]["accuracy"],
        "proof": [
            check["result"] for check in report["proof"]["checks"] if "proved" in check["result"]
        ],
        "simulated": simulated,
        "seconds": round(seconds, 1),
        "steps": report["seconds"],
    }


def same_sums(row: Row, options: argparse.Namespace) -> dict[str, Any]:
    """The gates of the one-to-one netlist restructured; its class sums and decision."""
    start = time.monotonic()
    resolved = BuildOptions(
        target="sky130", clock_mhz=options.clock_mhz, mapping="one-to-one"
    ).resolved()
    design = plan(row.load().network, resolved)
    liberty = read_liberty(find_pdk().liberty)
    with tempfile.TemporaryDirectory(prefix="lgn_hdl_silicon_") as name:
        folder = Path(name)
        rtl, source = folder / "top.il", folder / "cells.il"
        rtl.write_text(clean_names(to_rtlil(design.core.component())))
        source.write_text(clean_names(to_rtlil(design.core.component(), adder_cells=True)))
        netlist = map_to_cells(source, liberty, folder)
        claim = prove_cells(rtl, netlist.files["flat_json"], liberty, folder / "proof")
        if not claim.proved:
            raise SystemExit(f"{row.name}: no answer in {claim.seconds:.0f} s")
    return {
        "network": row.name,
        "netlist": "optimised, same sums",
        "gates_um2": netlist.by_block["gates"].area_um2,
        "area_um2": netlist.area_um2,
        "cells": netlist.count,
        "blocks": [{"name": n, "area_um2": b.area_um2} for n, b in netlist.by_block.items()],
        "proof": [f"proved for all inputs in {claim.seconds:.1f} s"],
        "seconds": round(time.monotonic() - start, 1),
    }


def show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """The table, and the paper's figure."""
    table = Table(title=f"sky130_fd_sc_hd, tt 25 °C 1.8 V, before layout, {options.clock_mhz} MHz")
    for name in (
        *("network", "netlist", "gates µm²", "all µm²", "cells", "clocks", "fmax MHz"),
        *("mW", "pJ", "mW at 41.8", "pJ at 41.8", "seconds"),
    ):
        table.add_column(name, justify="left" if name in ("network", "netlist") else "right")
    for row in rows:
        power, cells = row.get("power"), [""] * 4
        if power:
            leakage = power["leakage_w"]
            slow = (power["total_w"] - leakage) * 41.8 / power["clock_mhz"] + leakage
            fast = (power["total_w"] - leakage) * row["fmax_mhz"] / power["clock_mhz"] + leakage
            cells = [
                f"{1e3 * fast:.2f}",
                f"{1e6 * fast / row['fmax_mhz']:.1f}",
                f"{1e3 * slow:.2f}",
                f"{1e6 * slow / 41.8:.1f}",
            ]
        table.add_row(
            row["network"],
            row["netlist"],
            f"{row['gates_um2']:,.0f}",
            f"{row['area_um2']:,.0f}",
            f"{row['cells']:,}",
            str(row.get("latency", "")),
            f"{row['fmax_mhz']:.1f}" if row.get("fmax_mhz") else "",
            *cells,
            f"{row['seconds']:.0f}",
        )
    console = Console(width=140)
    console.print(table)
    console.print(
        "mW and pJ: at the highest clock, then at 41.8 MHz. arXiv 2604.19334, after layout: "
        f"{PAPER['mw']} mW at {PAPER['per_second'] / 1e6} M/s, "
        f"{1e9 * PAPER['mw'] / PAPER['per_second']:.0f} pJ."
    )
    for row in rows:
        if row["netlist"] != "one-to-one":
            continue
        other = next(
            (r for r in rows if r["network"] == row["network"] and "same" in r["netlist"]), None
        )
        if other is None:
            continue
        unread = row["gates_um2"] + row["unread_um2"]
        console.print(
            f"{row['network']}: gate layers {other['gates_um2'] / row['gates_um2']:.3f} of one to "
            f"one ({other['gates_um2'] / unread:.3f} with the trained gates that no output "
            f"depends on), the whole {other['area_um2'] / row['area_um2']:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Networks as standard cells")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--clock-mhz", type=float, default=41.8)
    parser.add_argument("--images", type=int, default=2000, help="for the activity (default: 2000)")
    parser.add_argument("--simulate", type=int, default=50, help="images in cocotb (default: 50)")
    parser.add_argument("--prove", action="store_true", help="also the RTL against the network")
    parser.add_argument("--json", type=Path, help="append the rows to this file, a line each")
    options = parser.parse_args()
    os.environ.setdefault("PDK_ROOT", str(shared_folder() / "pdk/sky130hd"))
    rows = []
    for row in ROWS:
        if options.names and not any(name in row.name for name in options.names):
            continue
        for found in (
            lambda row=row: measured(row, "one-to-one", options),
            lambda row=row: same_sums(row, options),
            lambda row=row: measured(row, "optimised", options),
            lambda row=row: measured(row, "delay", options),
        ):
            rows.append(found())
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            if options.json:
                with options.json.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    show(rows, options)


if __name__ == "__main__":
    main()
