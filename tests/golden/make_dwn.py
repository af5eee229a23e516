"""Make the torch-dwn goldens, or compare with the real library live.

    python tests/golden/make_dwn.py            write tests/golden/dwn/cases.pt
    python tests/golden/make_dwn.py --check    write nothing; other seeds, live comparison

Needs torch_dwn with its operator: release 1.1.1 on a machine with a CUDA device. Without one, the
operator for the CPU that stands in the author's repository (alanbacellar/DWN, commit f72bef6,
`custom_operators/cpp/efd_cpu.cpp`, and the `lut_layer.py` of that commit, which calls it); g++
builds it in a minute. Every case is compared live in both ways: the library's module in eval mode,
`convert(module)`, and the checkpoint must agree in every bit, score and class.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch_dwn as dwn
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from lgn_hdl.frontends.torch_dwn import convert, from_checkpoint  # noqa: E402
from lgn_hdl.network import Network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SAMPLES, FEATURES, BITS, CLASSES = 64, 5, 4, 3


@dataclass
class Case:
    """A module of the library, its samples, and the thermometer in front of it."""

    module: nn.Sequential
    x: Tensor
    thermometer: Any = None
    in_checkpoint: bool = True  # whether a state_dict tells all

    def bits(self) -> Tensor:
        if self.thermometer is None:
            return self.x.float()
        return self.thermometer.binarize(self.x).flatten(start_dim=1)


def numbers() -> Tensor:
    """Samples on a coarse grid, so that thresholds that are data values are met exactly."""
    return (torch.randn(SAMPLES, FEATURES) * 4).round() / 4


def layers(n: int, mapping: Any, width: int = FEATURES * BITS) -> Case:
    """Two LUT layers of n inputs and a group sum behind a distributive thermometer."""
    x = numbers()
    if mapping == "tensor":
        mapping = torch.randint(width, (12, n), dtype=torch.int32)
    second = "learnable" if mapping == "learnable2" else "random"
    module = nn.Sequential(
        dwn.LUTLayer(width, 12, n, mapping="learnable" if second == "learnable" else mapping),
        dwn.LUTLayer(12, 6, n, mapping=second),
        dwn.GroupSum(CLASSES, tau=1 / 0.3),
    )
    return Case(module, x, dwn.DistributiveThermometer(BITS).fit(x))


def thermometer(kind: Callable[..., Any], feature_wise: bool, x: Tensor) -> Case:
    """One LUT layer behind another thermometer."""
    fitted = kind(3, feature_wise).fit(x)
    width = x[0].numel() * 3
    module = nn.Sequential(dwn.LUTLayer(width, 9, 4, mapping="learnable"), dwn.GroupSum(CLASSES))
    return Case(module, x, fitted)


def bits_only() -> Case:
    module = nn.Sequential(dwn.LUTLayer(10, 8, 3), dwn.LUTLayer(8, 5, 2, mapping="arange"))
    return Case(module, torch.randint(0, 2, (SAMPLES, 10)))


def with_zeros() -> Case:
    """Entries of exactly 0 and -0 count as 0, and equal weights as the first of them."""
    case = layers(4, "learnable")
    with torch.no_grad():
        case.module[0].luts.mul_(2).round_()
        case.module[0].mapping.weights.mul_(4).round_()
    return case


def tail(*modules: nn.Module, outputs: int = 6, ste: bool = True, told: bool = False) -> Case:
    """Random bits, one LUT layer, and something else behind it."""
    first = dwn.LUTLayer(10, outputs, 4, ste=ste)
    case = Case(nn.Sequential(first, *modules), torch.randint(0, 2, (SAMPLES, 10)))
    case.in_checkpoint = told
    return case


def cases() -> dict[str, Callable[[], Case]]:
    found: dict[str, Callable[[], Case]] = {}
    for n in range(1, 7):
        for mapping in ("random", "arange", "learnable", "learnable2", "tensor"):
            found[f"n{n}_{mapping}"] = lambda n=n, mapping=mapping: layers(n, mapping)
    kinds = {
        "uniform": dwn.Thermometer,
        "gaussian": dwn.GaussianThermometer,
        "distributive": dwn.DistributiveThermometer,
    }
    for name, kind in kinds.items():
        for wise in (True, False):
            suffix = "features" if wise else "shared"
            found[f"{name}_{suffix}"] = lambda k=kind, w=wise: thermometer(k, w, numbers())
        found[f"{name}_image"] = lambda k=kind: thermometer(k, True, torch.rand(SAMPLES, 2, 3, 2))
    found["distributive_integers"] = lambda: thermometer(
        dwn.DistributiveThermometer, True, torch.randint(0, 9, (SAMPLES, FEATURES))
    )
    found["bits_only"] = bits_only
    found["with_zeros"] = with_zeros
    found["padded"] = lambda: tail(dwn.GroupSum(CLASSES, tau=2), outputs=7, told=True)
    found["randperm"] = lambda: tail(dwn.GroupSum(CLASSES, randperm=6))
    found["part_of_randperm"] = lambda: tail(dwn.GroupSum(CLASSES, randperm=9), outputs=12)
    found["no_ste_inside"] = lambda: tail(dwn.LUTLayer(6, 9, 3), dwn.GroupSum(CLASSES), ste=False)
    found["ste_behind"] = lambda: tail(dwn.STE(), dwn.GroupSum(CLASSES), ste=False)
    found["mapping_alone"] = lambda: Case(
        nn.Sequential(
            nn.Flatten(),
            dwn.LearnableMapping(10, 24),
            nn.Dropout(0.5),
            dwn.LUTLayer(24, 6, 4, mapping="arange"),
            dwn.GroupSum(CLASSES),
        ),
        torch.randint(0, 2, (SAMPLES, 10)),
    )
    return found


def checkpoint(case: Case) -> dict[str, Any]:
    """What a training script would save."""
    saved: dict[str, Any] = {
        "state_dict": {k: v.cpu() for k, v in case.module.state_dict().items()}
    }
    last = case.module[-1]
    if isinstance(last, dwn.GroupSum):
        saved["config"] = {"num_classes": last.k, "tau": last.tau}
    if case.thermometer is not None:
        saved["thermometer"] = {"thresholds": case.thermometer.thresholds}
    return saved


def described(module: nn.Sequential) -> list[dict[str, Any]]:
    """Kind and attributes of every layer, to make a likeness of the module from."""
    names = ("input_size", "ste", "k", "tau", "randperm", "start_dim", "end_dim")
    return [
        {"kind": type(m).__name__, **{n: getattr(m, n) for n in names if hasattr(m, n)}}
        for m in module
    ]


def ours(network: Network, x: Tensor) -> Tensor:
    """What the library's module puts out, from our integers."""
    out = Reference(network)(x).float()
    return out if network.group_sum is None else out / network.group_sum.tau


def compare(name: str, case: Case) -> Tensor:
    """The library's output, after checking that ours is the same."""
    with torch.no_grad():
        out = case.module.eval().to(DEVICE)(case.bits().contiguous().to(DEVICE)).cpu()
    case.module.cpu()
    ways = {"live module": convert(case.module, thresholds=case.thermometer)}
    if case.in_checkpoint:
        saved = checkpoint(case)
        ways["checkpoint"] = from_checkpoint(saved["state_dict"], saved)
    for way, network in ways.items():
        found = ours(network, case.x)
        if not torch.equal(found, out):
            raise SystemExit(f"{name}: {way}: {int((found != out).sum())} outputs differ")
        if network.scores and not torch.equal(Reference(network).predict(case.x), out.argmax(1)):
            raise SystemExit(f"{name}: {way}: predicted classes differ")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only, with other seeds")
    parser.add_argument("--seeds", type=int, default=5, help="seeds per case with --check")
    options = parser.parse_args()
    goldens, compared = {}, 0
    for number, (name, build) in enumerate(cases().items()):
        for seed in range(1, 1 + options.seeds) if options.check else (0,):
            torch.manual_seed(1000 * seed + number)
            case = build()
            out = compare(name, case)
            compared += 1
        goldens[name] = {
            "checkpoint": checkpoint(case),
            "in_checkpoint": case.in_checkpoint,
            "module": described(case.module),
            "x": case.x,
            "out": out,
        }
    if not options.check:
        path = HERE / "dwn" / "cases.pt"
        path.parent.mkdir(exist_ok=True)
        torch.save(goldens, path)
        print(f"{path.name}: {len(goldens)} cases, {path.stat().st_size} bytes")
    print(f"{compared} comparisons with torch_dwn on {DEVICE}: all equal")


if __name__ == "__main__":
    main()
