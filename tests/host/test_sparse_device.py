"""Sparse CNNs behind a serial line: whole images in, signed scores out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from simulated import compile_device
from sparse_networks import sparse_classifier, sparse_decision, sparse_images

from lgn_hdl import Model
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.host import HardwareModel
from lgn_hdl.network import Network
from sim.pty_device import PtyDevice


@pytest.mark.parametrize("network", [sparse_classifier(slots=4, seed=6), sparse_decision()])
def test_answers_are_those_of_the_model(network: Network, tmp_path: Path) -> None:
    options = BuildOptions(rows_per_clock=4, slots_per_clock="2", board="ulx3s")
    made = compile_device(network, tmp_path, options)
    (tensor,) = network.inputs.values()
    x = sparse_images(np.random.default_rng(0), 12, tensor.shape, 0.1)
    model = Model(made.design.network)
    with (
        PtyDevice(tmp_path, tmp_path) as device,
        HardwareModel.open(device.path, model=model, timeout=10) as hardware,
    ):
        assert hardware.identity.score_signed
        assert hardware.identity.class_count == len(model.classes)
        scores = hardware.scores(x)
        assert np.array_equal(scores, model.scores(x))
        assert (scores < 0).any()
        assert np.array_equal(hardware.predict(x), model.predict(x))
        assert len(set(model.predict(x).tolist())) > 1
        assert hardware.statistics.retransmissions == 0
