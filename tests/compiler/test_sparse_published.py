"""Published SparsePixels models as Verilog: every block as PyTorch, on real and extreme images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lgn_hdl import Model, simulate
from lgn_hdl.compiler import Samples, build
from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.sparse import SparseCore
from lgn_hdl.compiler.sparseimages import overflow_counts, random_images
from lgn_hdl.frontends.sparsepixels import from_keras, read_keras

THRESHOLDS = {"neutrino": 0.0, "jet": 0.0, "sparsemnist": 0.4}


@pytest.mark.parametrize(
    "task",
    ["neutrino", *(pytest.param(task, marks=pytest.mark.slow) for task in ("jet", "sparsemnist"))],
)
def test_verilog_is_the_network(shared: Path, task: str, tmp_path: Path) -> None:
    folder = shared / "data/sparsepixels"
    keras = read_keras(folder / f"models/{task}_sparse_t-8b.keras")
    model = Model(from_keras(keras, slots=8, threshold=THRESHOLDS[task]))
    core = plan(model.network, BuildOptions(front="rows").resolved()).core
    assert isinstance(core, SparseCore)
    with np.load(folder / f"{task}_vectors.npz", allow_pickle=False) as vectors:
        real = vectors["x"][:30].transpose(0, 3, 1, 2)
    extreme = core.number.to_real(random_images(core, 10, seed=3))
    images = np.concatenate([real, extreme])
    counts = overflow_counts(core, core.number.quantize(images).reshape(len(images), -1))
    assert counts["empty"] >= 1
    assert counts["overflowing"] >= 5
    result = build(model, tmp_path / "b", samples=Samples(images), vectors=40, front="rows")
    assert result.report.sparse is not None
    assert result.report.sparse.pixels == counts
    assert simulate(tmp_path / "b").samples == len(images) + 8 == 48


def test_coarse_pixels_are_said_to_change_decisions(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/sparsepixels"
    keras = read_keras(folder / "models/jet_sparse_t-8b.keras")
    network = from_keras(keras, slots=8)
    with np.load(folder / "jet_vectors.npz", allow_pickle=False) as vectors:
        images = vectors["x"].transpose(0, 3, 1, 2)
    labels = Model(network).predict(images)
    result = build(
        Model(replace(network, meta={})),
        tmp_path / "b",
        target="rtlil",
        samples=Samples(images, labels),
        input_format="ufixed<8,1>",
        front="rows",
    )
    accuracy = result.report.model.accuracy
    assert accuracy is not None
    assert accuracy["trained_accuracy"] == 1
    assert 1 <= accuracy["decisions_changed_by_input_format"] <= 19
