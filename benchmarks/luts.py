"""LUTs of networks trained by others: gates and class sums, no argmax, no registers.

    python benchmarks/luts.py [NAME ...]

Needs the folder of shared models (LGN_HDL_SHARED, default ../shared). Every mapping is checked
against the logic it was made from; the last column says whether that was proved.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from shared import MODELS, load

import lgn_hdl
from lgn_hdl.flow import find_yosys


def main() -> None:
    parser = argparse.ArgumentParser(description="LUTs of the networks in the shared folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    options = parser.parse_args()
    print("network          target  trained  left    LUT  depth  seconds  mapping")
    for name in MODELS:
        if options.names and not any(part in name for part in options.names):
            continue
        model = load(name)
        for target in ("lut6", "lut4"):
            with tempfile.TemporaryDirectory() as folder:
                report = lgn_hdl.build(
                    model, Path(folder) / "out", target=target, combinational=True, argmax=False
                ).report
            found, passes = report.resources, report.passes
            assert found is not None, "lut4 and lut6 are mapped targets"
            print(
                f"{name:16} {target:6} {passes[0]['gates']:8} {passes[-1]['gates']:5} "
                f"{found.lut:6} {found.depth:6} {report.seconds['synthesis']:8.1f}  "
                f"{report.proof.checks[-1]['result']}",
                flush=True,
            )
    print(f"with {find_yosys()}")


if __name__ == "__main__":
    main()
