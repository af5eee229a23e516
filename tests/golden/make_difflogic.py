"""Make the difflogic goldens, or compare with the real library live.

    python tests/golden/make_difflogic.py            write tests/golden/difflogic/cases.pt
    python tests/golden/make_difflogic.py --check    write nothing; other seeds, live comparison

Needs difflogic 0.1.0, which has no wheel, and whose setup.py asks for a CUDA compiler. Its Python
files, which these goldens are of, are installed without the extension by

    export PYTHONPATH=$PWD/tests/golden/no_cuda
    pip install --no-cache-dir --no-deps --no-build-isolation difflogic==0.1.0
    unset PYTHONPATH

(as `make peers` does; setuptools 70.1 or newer and torch must be there). `no_cuda` stands in for
torch while setup.py runs, and nowhere else. Every case is compared live: `convert(module)`, the
state_dict with `indices(module)`, and the files that hold these two must agree with the library's
module in eval mode in every bit, score and class.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from difflogic_cases import CASES, Case  # noqa: E402

from lgn_hdl.frontends import convert, load_network  # noqa: E402
from lgn_hdl.frontends.difflogic import from_state_dict, indices, save_indices  # noqa: E402
from lgn_hdl.frontends.modules import leaves  # noqa: E402
from lgn_hdl.network import Network  # noqa: E402
from lgn_hdl.reference import Reference  # noqa: E402

VERSION = "0.1.0"
#: Attributes of the layers that are neither in the state_dict nor `indices`.
ATTRIBUTES = {
    "LogicLayer": ("in_dim", "out_dim"),
    "Flatten": ("start_dim", "end_dim"),
    "GroupSum": ("k", "tau"),
}


def expected(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the library's module puts out, in its number format, from our integers."""
    out = Reference(network)(x).float()
    return out if network.group_sum is None else out / network.group_sum.tau


def networks(case: Case, folder: Path) -> dict[str, Network]:
    """Our network, by every way that leads to it."""
    found = {"live module": convert(case.module, case.shape)}
    if [kind for _, kind, _ in layers(case)][1:].count("Flatten") == 0:
        state, wiring = case.module.state_dict(), indices(case.module)
        found["state_dict"] = from_state_dict(state, wiring)
        weights = {key: value for key, value in state.items() if key.endswith("weights")}
        torch.save(weights, folder / "net.pth")
        save_indices(case.module, folder / "net.indices.npz")
        found["files"] = load_network(folder / "net.pth")
    return found


def layers(case: Case) -> list[tuple[str, str, torch.nn.Module]]:
    return list(leaves(case.module, ATTRIBUTES, lambda kind, path: SystemExit(f"{path}: {kind}")))


def compare(name: str, case: Case) -> torch.Tensor:
    """The library's output, after checking that ours is the same."""
    with TemporaryDirectory() as folder:
        ours = networks(case, Path(folder))
    with torch.no_grad(), redirect_stdout(StringIO()):  # its Python implementation prints
        out = case.module.eval()(case.x)
    for way, network in ours.items():
        x = case.x.reshape(len(case.x), *network.inputs["x"].shape)
        values = expected(network, x).reshape(out.shape)
        if out.dtype != torch.float32 or not torch.equal(values, out):
            raise SystemExit(f"{name}: {way}: {int((values != out).sum())} outputs differ")
        classes = [row.index(max(row)) for row in out.tolist()] if network.scores else []
        if network.scores and Reference(network).predict(x).tolist() != classes:
            raise SystemExit(f"{name}: {way}: predicted classes differ")
    return out


def recorded(case: Case, out: torch.Tensor) -> dict:
    """A case as plain tensors, numbers and texts, bits and indices in few bytes."""
    described = [
        {"kind": kind, "path": path, **{name: getattr(layer, name) for name in ATTRIBUTES[kind]}}
        for path, kind, layer in layers(case)
    ]
    has_sum = described[-1]["kind"] == "GroupSum"
    return {
        "layers": described,
        "state_dict": dict(case.module.state_dict()),
        "indices": [
            torch.stack(tuple(layer.indices)).to(torch.uint8)
            for _, kind, layer in layers(case)
            if kind == "LogicLayer"
        ],
        "x": case.x.to(torch.uint8),
        "out": out if has_sum else out.to(torch.uint8),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only, with other seeds")
    parser.add_argument("--seeds", type=int, default=5, help="seeds per case with --check")
    options = parser.parse_args()
    if version("difflogic") != VERSION:
        print(f"note: difflogic {version('difflogic')} is installed, goldens are of {VERSION}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    compared, goldens = 0, {}
    for number, (name, build) in enumerate(CASES.items()):
        for seed in range(1, 1 + options.seeds) if options.check else (0,):
            torch.manual_seed(1000 * seed + number)
            with redirect_stdout(StringIO()):
                case = build()
            out = compare(name, case)
            compared += 1
        goldens[name] = recorded(case, out)
    if not options.check:
        path = HERE / "difflogic" / "cases.pt"
        path.parent.mkdir(exist_ok=True)
        torch.save(goldens, path)
        print(f"{path.name}: {len(goldens)} cases, {path.stat().st_size} bytes")
    print(f"{compared} comparisons with difflogic {version('difflogic')}: all equal")


if __name__ == "__main__":
    main()
