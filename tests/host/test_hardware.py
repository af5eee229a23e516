"""The host's class against the gateware in a simulator, through a pseudo-terminal."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import serial
from networks import bits_only, classifier, every_layer
from simulated import BAUD, OPTIONS, Simulated, compile_device

from lgn_hdl import Model
from lgn_hdl.errors import NetworkError
from lgn_hdl.host import HardwareModel, LinkError
from lgn_hdl.host.exchange import Exchange
from lgn_hdl.host.port import Port
from lgn_hdl.link import Kind, encode_frame
from lgn_hdl.network import FixedPoint, Network
from lgn_hdl.network.storage import network_digest
from sim.pty_device import PtyDevice

FORM = FixedPoint(6, 4, signed=True)


def some_samples(count: int, seed: int = 0) -> np.ndarray:
    """Numbers in and beyond the range of the format."""
    return np.random.default_rng(seed).uniform(-2.5, 2.5, (count, 4))


def test_scores_and_classes_are_those_of_the_model(simulated: Simulated, device: PtyDevice) -> None:
    x = some_samples(300)
    with HardwareModel.open(device.path, model=simulated.model, baud=BAUD, timeout=5) as hardware:
        assert hardware.identity == simulated.identity
        assert hardware.input_format == FORM
        scores, classes = hardware.scores(x), hardware.predict(x)
        assert scores.dtype == classes.dtype == np.int64
        assert np.array_equal(scores, simulated.model.scores(x))
        assert np.array_equal(classes, simulated.model.predict(x))
        assert hardware.scores(x[:1]).shape == (1, 3)
        assert hardware.scores(x[:0]).shape == (0, 3)
        assert hardware.statistics.retransmissions == 0
        with pytest.raises(NetworkError, match="gives no output bits"):
            hardware.bits(x)


def test_two_frames_are_on_the_way(simulated: Simulated, device: PtyDevice) -> None:
    x = some_samples(50)
    with HardwareModel.open(device.path, model=simulated.model, timeout=5) as hardware:
        assert hardware.identity.window == 2
        hardware.scores(x)  # nobody else talks to the device
        before = device.status
        hardware.scores(x)
        passed = device.status["to_device"] - before["to_device"]
    # 50 samples and perhaps one identification; every byte went through the pins.
    assert passed - 50 * (7 + 3) in (0, 7)


@pytest.mark.parametrize(
    ("network", "argmax"),
    [(classifier(element=FORM, classes=5), False), (bits_only(), False), (every_layer(FORM), True)],
    ids=["scores-only", "bits-only", "class-scores-bits"],
)
def test_other_results(network: Network, argmax: bool, tmp_path: Path) -> None:
    made = compile_device(network, tmp_path, replace(OPTIONS, argmax=argmax))
    model, rng = made.model, np.random.default_rng(3)
    (tensor,) = network.inputs.values()
    real = rng.uniform(-2.5, 2.5, (15, *tensor.shape))
    x = (real > 0).astype(np.uint8) if tensor.is_bits else real
    with (
        PtyDevice(tmp_path, tmp_path) as device,
        HardwareModel.open(device.path, model=model) as hardware,
    ):
        answers = hardware.infer(hardware.quantize(x))
        assert (answers.classes is not None) == argmax
        assert (answers.scores is not None) == (model.network.scores is not None)
        if answers.scores is not None:
            assert np.array_equal(answers.scores, model.scores(x))
            assert np.array_equal(hardware.predict(x), model.predict(x))
        if answers.bits is not None:
            assert np.array_equal(answers.bits, model.bits(x))
            assert np.array_equal(hardware.bits(x), model.bits(x))
        if answers.scores is None:
            with pytest.raises(NetworkError, match="gives no scores"):
                hardware.predict(x)
            with pytest.raises(NetworkError, match="integers from 0 to 1"):
                hardware.bits(x + 1)


def test_another_model_is_an_error(simulated: Simulated, device: PtyDevice) -> None:
    other = Model(classifier(element=FORM, seed=1))
    with pytest.raises(LinkError, match="the board holds the model") as caught:
        HardwareModel.open(device.path, model=other)
    assert network_digest(other.network) in str(caught.value)
    assert simulated.identity.digest.hex() in str(caught.value)


def test_another_number_format_is_another_model(device: PtyDevice) -> None:
    real = Model(classifier())
    with pytest.raises(LinkError, match="the board holds the model"):
        HardwareModel.open(device.path, model=real)


def test_without_a_model_it_takes_stored_integers(simulated: Simulated, device: PtyDevice) -> None:
    x = some_samples(20)
    features = FORM.quantize(x)
    with HardwareModel.open(device.path) as hardware:
        seen: list[int] = []
        answers = hardware.infer(features, seen.append)
        assert seen == list(range(1, 21))
        assert np.array_equal(answers.scores, simulated.model.scores(x))
        with pytest.raises(NetworkError, match="without a local model"):
            hardware.predict(x)
        for wrong, message in [
            (features + 100, "not all integers from -32 to 31"),
            (features + 0.5, "not all integers"),
            (np.full((1, 4), np.nan), "not all integers"),
            (features[:, :3], "shape"),
            (features[0], "shape"),
            (np.array([["a"] * 4]), "expected numbers"),
        ]:
            with pytest.raises(NetworkError, match=message):
                hardware.infer(wrong)
        hardware.check(simulated.model)
        assert np.array_equal(hardware.predict(x), simulated.model.predict(x))
        with pytest.raises(NetworkError, match=r"shape \(4, 3\)"):
            hardware.predict(x[:4, :3])
        with pytest.raises(NetworkError, match="NaN"):
            hardware.predict(np.full((1, 4), np.nan))


@pytest.mark.parametrize(
    "before",
    [
        bytes(range(256)),
        b"L" * 40,
        encode_frame(Kind.INFER, 9, bytes(3))[:6],
        encode_frame(Kind.INFER, 9, b"\xff\xff")[:-1] + b"?",
        b"L\x02\x07\xff\xff" + bytes(500),  # announces 65,535 bytes
        b"".join(encode_frame(Kind.INFER, request, bytes(3)) for request in range(256)),
    ],
    ids=["noise", "syncs", "half a frame", "wrong CRC", "long frame", "answers to another"],
)
def test_what_an_earlier_program_left(
    simulated: Simulated, device: PtyDevice, before: bytes
) -> None:
    with serial.Serial(device.path, BAUD) as port:
        port.write(before)
    x = some_samples(20)
    with HardwareModel.open(device.path, model=simulated.model, timeout=3) as hardware:
        assert np.array_equal(hardware.scores(x), simulated.model.scores(x))


def test_more_on_the_way_than_the_device_takes(simulated: Simulated, device: PtyDevice) -> None:
    x = some_samples(40)
    bodies = [
        int(sum((int(v) & 63) << 6 * k for k, v in enumerate(row))).to_bytes(3, "little")
        for row in FORM.quantize(x)
    ]
    port = Port(device.path, BAUD)
    try:
        exchange = Exchange(port)
        results = exchange.run(
            Kind.INFER,
            bodies,
            Kind.RESULT,
            window=8,
            timeout=0.5,
            retries=40,
            name=lambda number: f"sample {number}",
        )
    finally:
        port.close()
    assert [result[0] & 3 for result in results] == simulated.model.predict(x).tolist()


@pytest.mark.parametrize(
    ("kind", "body", "meaning"),
    [(Kind.INFER, b"too long", "length"), (Kind.RESULT, b"", "no frame of this kind")],
)
def test_what_the_device_refuses_is_an_error(
    device: PtyDevice, kind: Kind, body: bytes, meaning: str
) -> None:
    port = Port(device.path, BAUD)
    try:
        with pytest.raises(LinkError, match=f"the board refuses sample 0: .*{meaning}"):
            Exchange(port).run(
                kind, [body], Kind.RESULT, window=1, timeout=5, retries=1, name="sample {}".format
            )
    finally:
        port.close()


def test_a_device_that_dies_is_an_error(simulated: Simulated, tmp_path: Path) -> None:
    x = some_samples(500)
    with (
        PtyDevice(simulated.folder, tmp_path) as device,
        HardwareModel.open(device.path, model=simulated.model, timeout=0.2) as hardware,
    ):

        def kill(done: int) -> None:
            if done == 10:
                device.kill()

        begin = time.monotonic()
        with pytest.raises(LinkError):
            hardware.infer(hardware.quantize(x), kill)
        assert time.monotonic() - begin < 10
