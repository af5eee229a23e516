"""Sizes of the networks, thresholds, the training loop, and the gate of the fast forward pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lgn_hdl.errors import LgnError
from lgn_hdl.smartpixels import generate_chunks
from lgn_hdl.smartpixels.baselines import Cnn, Mlp, parameters
from lgn_hdl.smartpixels.configs import PRESETS, ConvConfig, DenseConfig
from lgn_hdl.smartpixels.data import collect
from lgn_hdl.smartpixels.fast import _COEFFICIENTS, _TABLES, _Gate
from lgn_hdl.smartpixels.gatetable import config_row, gates_per_mac, macs, module_row, write_table
from lgn_hdl.smartpixels.models import make_lgn
from lgn_hdl.smartpixels.thresholds import quantile_thresholds, y0_column
from lgn_hdl.smartpixels.train import train_baseline
from lgn_hdl.smartpixels.training import Settings, fit, predictions


def test_parameters_of_the_baselines() -> None:
    mlp, cnn = Mlp(np.zeros((2, 14))), Cnn(np.zeros((2, 105)))
    assert parameters(mlp) == 2307
    assert parameters(cnn) == 83_331
    assert cnn(torch.zeros(5, 105)).shape == (5, 3)


def test_macs_of_the_baselines() -> None:
    assert macs(Mlp(np.zeros((2, 14))), 14) == 14 * 128 + 128 * 3
    by_hand = 9 * 16 * 11 * 6 + 16 * 9 * 64 * 9 * 4 + 2305 * 32 + 32 * 3
    assert macs(Cnn(np.zeros((2, 105))), 105) == by_hand == 415_136
    # 1-bit by 1-bit: one AND and two full adders of the accumulator.
    assert gates_per_mac(1, 1) == 1 + 2 * 5
    assert gates_per_mac(8, 8) == 64 + 5 * (56 + 16)


def test_gates_of_the_talks_networks() -> None:
    dense, conv = PRESETS["dense"], PRESETS["conv"]
    assert isinstance(conv, ConvConfig)
    assert dense.gates == 66_000
    assert conv.gates == 52_264
    assert (conv.pooled, conv.final) == ((6, 4), (3, 2))
    assert conv.joined == 100 + 5760
    assert conv.features == 105
    in_place = 7 * (256 * 104 + 512 * 104 + 1024 * 24 + 960 * 6) + 33_000
    assert conv.gates_in_parallel == in_place


def test_wrong_shapes() -> None:
    with pytest.raises(LgnError, match="1000 gates, expected a multiple of 3"):
        ConvConfig((1, 1, 1, 1), (1000,))
    with pytest.raises(LgnError, match="8 features, expected 9 or 14"):
        DenseConfig((3,), features=8)
    with pytest.raises(LgnError, match="four positive"):
        ConvConfig((1, 0, 1, 1), (3,))
    with pytest.raises(LgnError, match="at least one"):
        DenseConfig(())


def test_torchlogix_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchlogix", None)
    with pytest.raises(LgnError, match=r"needs torchlogix.*Python 3\.12.*smartpixels-train"):
        make_lgn(DenseConfig((3,)), np.zeros((9, 100)))


def test_own_thresholds() -> None:
    x = np.stack([np.arange(1, 100)] * 14, axis=1)
    x[:, 3] *= 10
    found = quantile_thresholds(x, 4, shared=False)
    assert found[0].tolist() == [20.5, 40.5, 59.5, 79.5]
    assert found[3].tolist() == [206.5, 402.5, 598.5, 794.5]


@pytest.mark.parametrize("features", [9, 14, 105])
def test_shared_thresholds(features: int) -> None:
    x = collect(generate_chunks(500, 1), (features,), "test").vectors[features]
    found = quantile_thresholds(x, 12, shared=True)
    y0 = y0_column(features)
    profile = np.delete(found, y0, axis=0)
    assert found.shape == (features, 12)
    assert (profile == profile[0]).all()
    assert (np.diff(found, axis=1) >= 1).all()
    assert (found % 1 == 0.5).all()
    passed = np.delete(x, y0, axis=1)
    passed = passed[passed > 0] > profile[0][:, None]
    assert passed.mean(1)[5] == pytest.approx(1 - 6 / 13, abs=0.06)
    # y0 is flat over 1,281 rows around 656.
    assert found[y0][5] == pytest.approx(16 + 1281 * 6 / 13, abs=80)


def test_few_distinct_values_give_distinct_thresholds() -> None:
    x = np.ones((50, 9), int)
    assert quantile_thresholds(x, 3, shared=True)[0].tolist() == [1.5, 2.5, 3.5]


def test_coefficients_are_the_tables() -> None:
    for row, table in zip(_COEFFICIENTS, _TABLES, strict=True):
        places = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
        out = [row[0] + row[1] * a + row[2] * b + row[3] * a * b for a, b in places]
        assert out == table.tolist()


@pytest.mark.parametrize("shape", [(4, 5, 1), (4, 1, 1)])
def test_gradients_of_the_gate(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    a, b = (torch.rand(5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    c = torch.rand(shape, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(_Gate.apply(a, b, c), c[0] + c[1] * a + c[2] * b + c[3] * a * b)
    assert torch.autograd.gradcheck(_Gate.apply, (a, b, c))


def test_training_keeps_the_best_epoch() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((600, 2)).astype(np.float32)
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    found = fit(module, (x, y), (x, y), Settings(epochs=8, batch=50, rate=0.05))
    discrete = [line["discrete"] for line in found.history]
    assert found.discrete == max(discrete) > 0.9
    assert found.best_epoch == int(np.argmax(discrete))
    assert (predictions(module, x) == y).mean() == pytest.approx(found.discrete)


def test_the_temperature_falls_after_the_warm_epochs() -> None:
    settings = Settings(epochs=9, temperature=0.01, warm=0.5)
    found = [settings.temperature_in(epoch) for epoch in range(9)]
    assert found[:5] == [1] * 5
    np.testing.assert_allclose(found[4:], 0.01 ** np.linspace(0, 1, 5))
    assert Settings(epochs=3, temperature=0.25).temperature_in(1) == 0.5
    assert Settings(epochs=1, temperature=0.25).temperature_in(0) == 1


def test_training_stops_early() -> None:
    x, y = np.zeros((20, 2), np.float32), np.zeros(20, np.int64)
    module = nn.Linear(2, 2)
    assert len(fit(module, (x, y), (x, y), Settings(epochs=30, patience=3)).history) == 4
    late = Settings(epochs=30, patience=30, minutes=1e-9)
    assert len(fit(module, (x, y), (x, y), late).history) == 1
    with pytest.raises(LgnError, match="temperature is 0"):
        replace(late, temperature=0)


def test_a_baseline_learns_and_is_repeatable() -> None:
    train = collect(generate_chunks(3000, 1), (14,), "test")
    validation = collect(generate_chunks(500, 2), (14,), "test")
    settings = Settings(epochs=12, batch=100, rate=1e-2)
    one, two = (train_baseline("mlp", train, validation, settings) for _ in range(2))
    x = validation.vectors[14]
    assert (one.classes(x) == two.classes(x)).all()
    assert (one.classes(x) == validation.classes()).mean() > 0.7  # 0.6 are high pT


def test_gate_table(tmp_path) -> None:
    rows = [
        module_row("mlp", Mlp(np.zeros((2, 14))), 14),
        config_row("dense", PRESETS["dense"]),
    ]
    table, text = write_table(rows, tmp_path)
    assert table.read_text().splitlines()[1] == "mlp,14,2307,2176,922624,,"
    assert text.read_text().splitlines()[3] == "| dense | 9 |  |  |  | 66,000 | 66,000 |"
