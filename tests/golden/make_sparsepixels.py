"""Make the sparsepixels goldens, or compare with the real library live.

    python tests/golden/make_sparsepixels.py            write tests/golden/sparsepixels/*
    python tests/golden/make_sparsepixels.py --check    write nothing; other seeds, live comparison

Needs sparsepixels 0.3 with HGQ2 0.2 on Keras 3 with torch: `make oracle-sparsepixels`. Every output
of every layer is compared, what quantisers make of it too, as exact integers: by way of the live
model, and of its description as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests" / "frontends")]

from sparsepixels_cases import Case, cases  # noqa: E402
from sparsepixels_goldens import Recorded, differences  # noqa: E402

from lgn_hdl.frontends.sparsepixels import (  # noqa: E402
    describe,
    from_description,
    from_sparsepixels,
    read_keras,
)
from lgn_hdl.frontends.sparsepixels.hgq_file import describe_file  # noqa: E402

VERSION = "0.3.2"
#: Cases of which the file is kept that Keras saves.
FILES = ("two_stages", "constants_trn_wrap", "trained_max_learned")


def whole(values: np.ndarray, known: Recorded | None = None, area: int = 1) -> Recorded:
    """Integers of what the library computed in float32, and the value of their unit.

    An average is a sum divided by an area, in float32; `known` is then what was averaged.
    """
    real = values.astype(np.float64)
    if known is None:
        fraction = next(f for f in range(-30, 60) if is_whole(np.ldexp(real, f)))
        return Recorded(np.ldexp(real, fraction).astype(np.int64), fraction, 1)
    found = np.rint(np.ldexp(real, known.fraction) * area).astype(np.int64)
    again = np.ldexp(found.astype(np.float32), -known.fraction) / np.float32(area)
    if not np.array_equal(again, values):
        raise SystemExit("an average is not the sum divided by the area")
    return Recorded(found, known.fraction, area)


def is_whole(values: np.ndarray) -> bool:
    return bool((values == np.rint(values)).all())


def outputs(case: Case) -> dict[str, Recorded]:
    """What every layer and every quantiser of the library makes of the images."""
    found: dict[str, Recorded] = {}
    x, mask = torch.from_numpy(case.x), None
    last = whole(case.x)
    with torch.no_grad():
        for layer in case.model.layers[1:]:
            kind = type(layer).__name__
            if kind == "Activation":
                break
            inner = getattr(layer, "conv", layer)
            if kind in ("QConv2DSparse", "QDense") and inner.enable_iq:
                last = whole(numpy(inner.iq(x)))
                found[f"{layer.name} input"] = last
            out = (
                layer([x, mask])
                if mask is not None and x.ndim == 4 and is_masked(kind)
                else layer(x)
            )
            x, mask = out if isinstance(out, (list, tuple)) else (out, mask)
            values = numpy(x)
            if kind == "AveragePooling2DSparse":
                area = last.area * int(np.prod(layer.avg_pool.pool_size))
                last = whole(values, last, area)
            elif last.area > 1 and kind in ("Flatten", "ReLU", "MaxPooling2DSparse"):
                last = whole(values, last, last.area)
            else:
                last = whole(values)
            found[layer.name] = last
            if isinstance(out, (list, tuple)):
                kept = numpy(mask)
                if not np.isin(kept, (0, 1)).all():
                    raise SystemExit(f"{layer.name}: a mask is not 0 or 1")
                found[f"{layer.name} mask"] = Recorded(kept.astype(np.int64), 0, 1)
    return found


def is_masked(kind: str) -> bool:
    return kind in ("QConv2DSparse", "AveragePooling2DSparse", "MaxPooling2DSparse")


def numpy(values: Any) -> np.ndarray:
    return values.detach().cpu().numpy()


def compare(name: str, case: Case) -> tuple[dict[str, Any], dict[str, Recorded], int]:
    """The description and the library's outputs, after checking that ours are the same."""
    found = outputs(case)
    described = json.loads(json.dumps(describe(case.model)))
    file = saved(case.model, name)
    if file != described:
        raise SystemExit(f"{name}: the file describes another model: {other(file, described)}")
    ways = {
        "live model": from_sparsepixels(case.model, input_format=case.input_format),
        "description": from_description(described, input_format=case.input_format),
    }
    for way, network in ways.items():
        for message in differences(network, described, case.x, found):
            raise SystemExit(f"{name}: {way}: {message}")
    predicted = case.model.predict(case.x, verbose=0)
    network = ways["live model"]
    if "class" in network.outputs:
        from lgn_hdl.reference import Reference

        ours = Reference(network).predict(case.x.transpose(0, 3, 1, 2)).numpy()
        # Of probabilities that are equal in float32, ours is one.
        if (predicted[np.arange(len(ours)), ours] < predicted.max(1)).any():
            raise SystemExit(f"{name}: predicted classes differ")
    return described, found, len(found)


def saved(model: Any, name: str) -> dict[str, Any]:
    """What the file tells that Keras saves."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.keras"
        model.save(path)
        read = read_keras(path)
    return json.loads(json.dumps(describe_file(read.layers, read.variables)))


def other(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """The first difference of two descriptions."""
    for a, b in zip(found["layers"], expected["layers"], strict=False):
        for key in b:
            if a.get(key) != b[key]:
                return f"{b['name']}: {key}: {str(a.get(key))[:200]}, expected {str(b[key])[:200]}"
    return "not in the layers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only, with other seeds")
    parser.add_argument("--seeds", type=int, default=2, help="seeds per case with --check")
    parser.add_argument("--only", help="cases with this in their name")
    options = parser.parse_args()
    if version("sparsepixels") != VERSION:
        print(f"note: sparsepixels {version('sparsepixels')} is here, goldens are of {VERSION}")
    torch.set_num_threads(1)
    (HERE / "sparsepixels").mkdir(exist_ok=True)
    stored, described, compared, tensors = {}, {}, 0, 0
    for name, build in cases().items():
        if options.only and options.only not in name:
            continue
        for seed in range(1, 1 + options.seeds) if options.check else (0,):
            case = build(np.random.default_rng([seed, zlib.crc32(name.encode())]))
            description, found, count = compare(name, case)
            compared, tensors = compared + 1, tensors + count
        if name in FILES and not options.check:
            case.model.save(HERE / "sparsepixels" / f"{name}.keras")
        image = whole(case.x)
        entry = {"description": description, "input_format": case.input_format, "tensors": {}}
        for key, recorded in {"x": image, **found}.items():
            entry["tensors"][key] = [recorded.fraction, recorded.area]
            stored[f"{name}/{key}"] = narrow(recorded.integers)
        described[name] = entry
    if not options.check and not options.only:
        folder = HERE / "sparsepixels"
        text = json.dumps(described, separators=(",", ":"))
        (folder / "cases.json").write_text(text.replace('},"', '},\n"') + "\n")
        np.savez_compressed(folder / "outputs.npz", **stored)
        for path in sorted(folder.iterdir()):
            print(f"{path.name}: {path.stat().st_size} bytes")
    print(
        f"{compared} models, {tensors} tensors compared with sparsepixels "
        f"{version('sparsepixels')}: all equal"
    )


def narrow(values: np.ndarray) -> np.ndarray:
    """The same integers in as few bytes as hold them."""
    for kind in (np.int8, np.int16, np.int32):
        if np.array_equal(values.astype(kind), values):
            return values.astype(kind)
    return values


if __name__ == "__main__":
    main()
