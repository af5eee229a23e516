"""Make the torchlogix goldens, or compare with the real library live.

    python tests/golden/make_torchlogix.py            write tests/golden/torchlogix/*
    python tests/golden/make_torchlogix.py conv pool  write those of these families only
    python tests/golden/make_torchlogix.py --check    write nothing; other seeds, live comparison

Needs torchlogix 0.2.2 and so Python 3.12 or newer. Every case is compared live in both ways: the
library's module in eval mode, `convert(module)`, and the checkpoint by way of JSON must agree in
every bit, score and class.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from torchlogix_cases import Case, families  # noqa: E402
from torchlogix_conv_cases import conv_families  # noqa: E402
from torchlogix_graph_cases import graph_families  # noqa: E402

from lgn_hdl.frontends.torchlogix import architecture, convert, from_state_dict  # noqa: E402
from lgn_hdl.network import Network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402

VERSION = "0.2.2"


def expected(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the library's module puts out, in its number format, from our integers."""
    out = Reference(network)(x).float()
    layer = network.group_sum
    if layer is not None:
        out = out + layer.beta if layer.beta != 0 else out
        out = out / layer.tau if layer.tau != 1 else out
    return out


def compare(name: str, case: Case) -> tuple[dict, torch.Tensor]:
    """The description and the library's output, after checking that ours is the same."""
    module = case.module.eval()
    with torch.no_grad():
        out = module(case.x)
    described = json.loads(json.dumps(architecture(module, case.shape)))
    live = convert(module, case.shape)
    stored = from_state_dict(module.state_dict(), described)
    for way, network in (("live module", live), ("checkpoint", stored)):
        ours = expected(network, case.x)
        if not torch.equal(ours.reshape(out.shape), out.float()):
            raise SystemExit(f"{name}: {way}: {int((ours != out).sum())} outputs differ")
        if network.scores and not torch.equal(
            Reference(network).predict(case.x), lowest_argmax(out)
        ):
            raise SystemExit(f"{name}: {way}: predicted classes differ")
    if "thresholds" in case.extra:
        ours = torch.from_numpy(live.nodes[0].layer.thresholds).flatten()
        if not torch.equal(ours, case.extra["thresholds"].double().flatten()):
            raise SystemExit(f"{name}: thresholds differ")
    return described, out


def small(values: torch.Tensor) -> torch.Tensor:
    """Bits in bytes, and integers in two."""
    narrow = values.to(torch.uint8)
    if not torch.equal(narrow.to(values.dtype), values) and not values.is_floating_point():
        narrow = values.to(torch.int16)
    return narrow if torch.equal(narrow.to(values.dtype), values) else values


def stored(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state_dict whose places in images, most of a small one, take less room."""
    return {key: small(value) if "._indices_L" in key else value for key, value in state.items()}


def lowest_argmax(out: torch.Tensor) -> torch.Tensor:
    return torch.tensor([row.index(max(row)) for row in out.tolist()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("families", nargs="*", help="all without them")
    parser.add_argument("--check", action="store_true", help="compare only, with other seeds")
    parser.add_argument("--seeds", type=int, default=5, help="seeds per case with --check")
    options = parser.parse_args()
    if version("torchlogix") != VERSION:
        print(f"note: torchlogix {version('torchlogix')} is installed, goldens are of {VERSION}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    compared = 0
    dense = families()
    everything = {**dense, **conv_families(), **graph_families()}
    for family in options.families or everything:
        cases = everything[family]
        goldens = {}
        for number, (name, build) in enumerate(cases.items()):
            for seed in range(1, 1 + options.seeds) if options.check else (0,):
                torch.manual_seed(1000 * seed + number)
                case = build()
                described, out = compare(f"{family}/{name}", case)
                compared += 1
            goldens[name] = {
                "architecture": described,
                "state_dict": stored(case.module.state_dict()),
                "x": small(case.x),
                "out": small(out),
                **case.extra,
            }
        if not options.check:
            path = HERE / "torchlogix" / f"{family}.pt"
            path.parent.mkdir(exist_ok=True)
            if family in dense:
                torch.save(goldens, path)
            else:  # many small tensors, of which a checkpoint is mostly padding
                path = path.with_suffix(".pt.gz")
                with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
                    torch.save(goldens, packed)
            print(f"{path.name}: {len(goldens)} cases, {path.stat().st_size} bytes")
    print(f"{compared} comparisons with torchlogix {version('torchlogix')}: all equal")


if __name__ == "__main__":
    main()
