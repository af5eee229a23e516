"""LUTs of networks trained by others: gates and class sums, no argmax, no registers.

    python benchmarks/luts.py [NAME ...]

Needs the folder of shared models (LGN_HDL_SHARED, default ../shared). Every mapping is checked
against the logic it was made from; the last column says whether that was proved.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import lgn_hdl
from lgn_hdl.flow import find_yosys

MODELS = {
    "tt10 3x2550": "models/tt10/binarized_*.npz",
    "tt10 3x2000": "models/tt10/baralizm_*.npz",
    "tt10 8x1300": "models/tt10/barabasi_*.npz",
    "tt10 6x4000": "models/tt10/final_*.pth",
    "carleton 2x4000": "models/carleton/*.csv",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="LUTs of the networks in the shared folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("LGN_HDL_SHARED", root.parent / "shared"))
    if not shared.is_dir():
        sys.exit(f"{shared} is absent: set LGN_HDL_SHARED to the folder of shared models")
    print("network          target  trained  left    LUT  depth  seconds  mapping")
    for name, pattern in MODELS.items():
        if options.names and not any(part in name for part in options.names):
            continue
        (path,) = shared.glob(pattern)
        model = lgn_hdl.load(path, groups=10)
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
