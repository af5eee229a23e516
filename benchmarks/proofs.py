"""Proofs of whole builds: how long each claim takes.

    python benchmarks/proofs.py [--target lut6] [NAME ...]

The example, and networks of the folder of shared models (LGN_HDL_SHARED, default ../shared).
Exit status 1 if a claim has no answer; a claim that is refuted ends the program.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from shared import MODELS, ROOT, load

import lgn_hdl
from lgn_hdl.flow import find_yosys


def main() -> None:
    parser = argparse.ArgumentParser(description="proofs of whole builds")
    parser.add_argument("--target", default="lut6", help="default: lut6")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of the network's name")
    options = parser.parse_args()
    complete = True
    for name in ("digits", *MODELS):
        if options.names and not any(part in name for part in options.names):
            continue
        model = lgn_hdl.load(ROOT / "examples/digits.lgn") if name == "digits" else load(name)
        with tempfile.TemporaryDirectory() as folder:
            report = lgn_hdl.build(
                model, Path(folder) / "out", target=options.target, prove=True
            ).report
        seconds = {step: s for step, s in report.seconds.items() if step.startswith("proof: ")}
        print(f"{name}, {options.target}, {report.passes[0]['gates']:,} gates as trained")
        for check in report.proof.checks:
            print(f"  {check['what']:58} {check['result']}")
        print(f"  {report.proof.status}; {sum(seconds.values()):.0f} s in all", flush=True)
        complete &= report.proof.status.startswith("proved: ")
    print(f"with {find_yosys()}")
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
