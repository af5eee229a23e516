"""DWN networks on jet substructure: PyTorch = evaluator = RTL = the original, and LUTs.

    python benchmarks/dwn.py [NAME ...]

Three networks of 6-input LUTs that others trained with torch-dwn (folder data/dwn_jsc of
LGN_HDL_SHARED, default ../shared), and 1,000 events with the decisions of the original. Exit
status 1 if anything differs.

The input number format. The features are real, the thermometer is exact for numbers of a format,
and whoever feeds the hardware has to bring the features to that format. The thresholds of a
distributive thermometer are values of the data, so many events lie exactly on one: rounding to
the nearest number lifts half of them above it, in a format of any width, while dropping the low
bits (truncation) keeps x > t false where x = t. Inputs are therefore truncated; the column
"rounded" shows what rounding would do. The range is the smallest that holds all thresholds in use,
and the format measured in full is the narrowest one in which all 1,000 decisions are the
original's. "Without the encoder" is the same network with the thermometer's bits as its input:
there the passes cannot know which codes are impossible. "Packed" counts two LUTs as one where they
have at most five inputs together, as one Xilinx LUT6 can hold both; other tools report that number.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from shared import shared_folder

import lgn_hdl
from lgn_hdl import FixedPoint, Model
from lgn_hdl.network import LutLayer, Network, Thermometer
from lgn_hdl.report import Report

#: Name, file, and a format that others used for the same file.
NETWORKS = (
    ("1x50", "dwn_jsc_t200_distributive_50_l_b100", "fixed<16,4>"),
    ("300-100 t4", "dwn_jsc_t4_distributive_300-100_lr", None),
    ("300-100 t8", "dwn_jsc_t8_distributive_300-100_lr", None),
)
#: Widths that are measured beside the narrowest that changes no decision.
WIDTHS = (8, 12, 16)
HEADER = """\
                      decisions changed   bits              LUTs of blocks mapped alone
  input        target truncated rounded   read   LUT packed encoder    gates    sums  argmax \
  FF  depth  latency  mapping"""
PUBLISHED = """\
Published for the network 1x50 (200 thermometer bits, argmax included, Vivado after packing):
  no encoder    110 LUT  trained by the authors: Bacellar et al., arXiv 2410.11112 v5, table 2
  no encoder    108 LUT  this checkpoint: Kanishk234/dwn-fpga-study, docs/jsc/phase1-report.md
  fixed<16,4>  1619 LUT  this checkpoint, latency 4; the encoder alone 1519
  8 bits        311 LUT  trained and fine-tuned for 8 bits: Mecik and Kumm, arXiv 2512.15251"""


def truncated(x: np.ndarray, number: FixedPoint) -> np.ndarray:
    """Features without the bits that the format lacks: numbers of the format, or beyond it."""
    return number.to_real(np.floor(np.ldexp(x.astype(np.float64), number.fraction)))


def decisions(model: Model, number: FixedPoint, x: np.ndarray) -> np.ndarray:
    """Classes of the network with that format on its input."""
    ((name, tensor),) = model.network.inputs.items()
    return Model(model.network.with_input(**{name: replace(tensor, element=number)})).predict(x)


def thresholds_in_use(network: Network) -> np.ndarray:
    """The thresholds that the first layer of LUTs reads."""
    thermometer, luts = network.nodes[0].layer, network.nodes[1].layer
    assert isinstance(thermometer, Thermometer)
    assert isinstance(luts, LutLayer)
    return thermometer.thresholds.ravel()[np.unique(luts.connections)]


def behind_the_encoder(network: Network) -> Network:
    """The same network with the bits of its thermometer as the input."""
    first, *rest = network.nodes
    return replace(network, inputs={first.name: network.types[first.name]}, nodes=tuple(rest))


def narrowest(model: Model, x: np.ndarray, wanted: np.ndarray) -> FixedPoint:
    """The format of least width in which truncated features change no decision."""
    used = thresholds_in_use(model.network)
    for width in range(4, 33):
        number = FixedPoint.around(used, width)
        if np.array_equal(decisions(model, number, truncated(x, number)), wanted):
            return number
    raise SystemExit("no format of up to 32 bits keeps every decision")


def pairs(netlist: Path) -> int:
    """Pairs of LUTs of a BLIF netlist that have at most five inputs together, chosen greedily."""
    lines = netlist.read_text().replace("\\\n", " ").splitlines()
    tables = [line.split()[1:-1] for line in lines if line.startswith(".names ")]
    small = [frozenset(inputs) for inputs in tables if 2 <= len(inputs) <= 5]
    partners = {
        i: {j for j, b in enumerate(small) if j != i and len(a | b) <= 5}
        for i, a in enumerate(small)
    }
    found = 0
    while any(partners.values()):
        first = min((i for i in partners if partners[i]), key=lambda i: len(partners[i]))
        second = min(partners[first], key=lambda i: len(partners[i]))
        for taken in (first, second):
            for other in partners.pop(taken):
                partners.get(other, set()).discard(taken)
        found += 1
    return found


def row(what: str, changed: str, report: Report, folder: Path) -> None:
    """Print a line of the table."""
    found, pipeline = report.resources, report.pipeline
    assert found is not None
    blocks = " ".join(
        f"{found.by_block[name].lut if name in found.by_block else '-':>7}"
        for name in ("binarizer", "gates", "groupsum", "argmax")
    )
    netlist = folder / "netlist.blif"
    packed = found.lut - pairs(netlist) if netlist.is_file() else "-"
    print(
        f"  {what:12} {report.options['target']:6} {changed:>17} {report.passes[-1]['inputs']:6} "
        f"{found.lut:5} {packed:>6} {blocks} {found.ff:4} {found.depth:6} "
        f"{pipeline.latency_cycles:8}  "
        f"{report.proof.checks[-1]['result']}",
        flush=True,
    )


@dataclass(frozen=True, eq=False)
class Events:
    """What the original made of the events: bits of its thermometer, decisions; and the labels."""

    x: np.ndarray
    bits: np.ndarray
    decisions: np.ndarray
    labels: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Events:
        with np.load(path, allow_pickle=False) as data:
            return cls(data["x_raw"], data["x_binarized"], data["pred"], data["y"])


def agree(model: Model, inner: Model, events: Events) -> None:
    """Print how often we decide as the original; leave with status 1 unless always."""
    reference, wanted = model.reference(), events.decisions
    bits = reference.tensor(events.x, "binarization").numpy()
    equal = {
        "thermometer bits": (bits == events.bits).all(axis=1),
        "PyTorch reference": reference.predict(events.x).numpy() == wanted,
        "evaluator": model.predict(events.x) == wanted,
        "evaluator on the bits": inner.predict(events.bits) == wanted,
    }
    counts = ", ".join(f"{what} {same.sum()}" for what, same in equal.items())
    accuracy = 100 * np.mean(model.predict(events.x) == events.labels)
    print(f"  as the original, of {len(wanted)}: {counts}; accuracy {accuracy:.2f} %")
    if not all(same.all() for same in equal.values()):
        raise SystemExit("the decisions of the original differ")


def builds(model: Model, inner: Model, events: Events, extra: str | None, folder: Path) -> None:
    """Print a line for every format and target; simulate the narrowest exact format."""
    wanted, used = events.decisions, thresholds_in_use(model.network)
    best = narrowest(model, events.x, wanted)
    formats = {best, *(FixedPoint.around(used, width) for width in WIDTHS)}
    formats |= {FixedPoint.parse(extra)} if extra else set()
    print(HEADER)
    for number in sorted(formats, key=lambda n: (n.width, n.fraction)):
        given = truncated(events.x, number), events.x
        changed = [int(np.sum(decisions(model, number, x) != wanted)) for x in given]
        for target in ("lut6", "xilinx") if number == best else ("lut6",):
            out = folder / f"{target}_{number.width}_{number.fraction}"
            report = lgn_hdl.build(model, out, target=target, input_format=number).report
            row(str(number), "{:9} {:7}".format(*changed), report, out)
    for target, argmax in (("lut6", True), ("lut6", False), ("xilinx", True)):
        out = folder / f"bits_{target}_{argmax}"
        report = lgn_hdl.build(inner, out, target=target, argmax=argmax).report
        row("no encoder", "", report, out)
    out = folder / f"lut6_{best.width}_{best.fraction}"
    done = lgn_hdl.simulate(out, truncated(events.x, best))
    print(f"  RTL in cocotb, {best}: {done.samples} of {len(wanted)} equal, {done.cycles} clocks\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="DWN networks on jet substructure")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    options = parser.parse_args()
    folder = shared_folder() / "data" / "dwn_jsc"
    for name, file, extra in NETWORKS:
        if options.names and not any(part in name for part in options.names):
            continue
        print(f"{name} ({file})")
        model = lgn_hdl.load(folder / f"{file}_checkpoint.pt")
        events = Events.read(folder / f"{file}_testvectors.npz")
        inner = Model(behind_the_encoder(model.network))
        agree(model, inner, events)
        with tempfile.TemporaryDirectory() as scratch:
            builds(model, inner, events, extra, Path(scratch))
    print(PUBLISHED)


if __name__ == "__main__":
    main()
