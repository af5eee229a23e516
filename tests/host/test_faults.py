"""Whatever the line does to the bytes, every answer is right."""

from __future__ import annotations

import random

import numpy as np
import pytest
from simulated import GAP_SECONDS, Simulated

from lgn_hdl.host import HardwareModel
from lgn_hdl.link import Kind, encode_frame
from sim.faults import Fault
from sim.pty_device import PtyDevice

SAMPLE_FRAME, RESULT_FRAME = 10, 9
X = np.random.default_rng(7).uniform(-2.5, 2.5, (30, 4))
GAP_BITS = round(2 * GAP_SECONDS * 3e6)

#: One place in each part of a frame: sync, kind, request, length, body, CRC.
TO_DEVICE = [4 * SAMPLE_FRAME + place for place in (0, 1, 2, 3, 4, 6, 9)]
TO_HOST = [4 * RESULT_FRAME + place for place in (0, 1, 2, 3, 4, 5, 8)]
#: A sound frame with a wrong result, for a request that nobody made; and one that never ends.
FOREIGN = encode_frame(Kind.RESULT, 0, b"\xff\xff").hex()
ENDLESS = b"L\x82\x00\xff\xff".hex()

FAULTS = [
    *(Fault("device", place, "flip", bit=place % 8) for place in TO_DEVICE),
    *(Fault("host", place, "flip", bit=place % 8) for place in TO_HOST),
    *(Fault("device", place, "drop") for place in TO_DEVICE),
    *(Fault("host", place, "drop") for place in TO_HOST),
    *(Fault("device", place, "stop") for place in TO_DEVICE[1:4]),
    *(Fault("device", place, "reset") for place in TO_DEVICE),
    *(Fault("host", place, "reset") for place in TO_HOST),
    Fault("device", 45, "silence", bits=GAP_BITS),
    Fault("device", 45, "insert", data="00ff55"),
    Fault("device", 50, "insert", data="4c"),
    Fault("device", 50, "insert", data=b"L\x02\x00\xff\xff".hex()),
    Fault("device", 50, "insert", data=encode_frame(Kind.INFER, 0, bytes(3)).hex()),
    Fault("host", 40, "insert", data="00ff55"),
    Fault("host", 45, "insert", data="4c"),
    Fault("host", 45, "insert", data=ENDLESS),
    Fault("host", 40, "insert", data=ENDLESS),
    Fault("host", 45, "insert", data=FOREIGN),
    Fault("host", 45, "insert", data=encode_frame(Kind.ERROR, 0, b"\2").hex()),
]


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.toward}-{fault.byte}-{fault.data}"
)
def test_one_fault(simulated: Simulated, device: PtyDevice, fault: Fault) -> None:
    with HardwareModel.open(device.path, model=simulated.model, timeout=0.5) as hardware:
        features = hardware.quantize(X)
        hardware.infer(features[:0])
        device.inject(fault)
        answers = hardware.infer(features)
    assert device.fired() == [fault]
    assert np.array_equal(answers.scores, simulated.model.scores(X))
    assert np.array_equal(answers.classes, simulated.model.predict(X))


@pytest.mark.parametrize("seed", range(4))
def test_many_faults(simulated: Simulated, device: PtyDevice, seed: int) -> None:
    """One in about 25 bytes suffers, in both directions."""
    rng = random.Random(seed)
    x = np.random.default_rng(seed).uniform(-2.5, 2.5, (60, 4))
    plan = []
    for toward, kinds in (
        ("device", ["flip", "drop", "insert", "stop", "silence", "reset"]),
        ("host", ["flip", "drop", "insert", "reset"]),
    ):
        for byte in rng.sample(range(20, 600), 24):
            plan.append(
                Fault(
                    toward,
                    byte,
                    rng.choice(kinds),
                    bit=rng.randrange(8),
                    data=rng.choice(["4c", "00", "4c02", "4c82004c", "eeee"]),
                    bits=rng.choice([50, GAP_BITS]),
                )
            )
    with HardwareModel.open(
        device.path, model=simulated.model, timeout=0.5, retries=20
    ) as hardware:
        device.inject(*plan)
        answers = hardware.infer(hardware.quantize(x))
        statistics = hardware.statistics
    assert len(device.fired()) > 30
    assert statistics.retransmissions > 5
    assert np.array_equal(answers.scores, simulated.model.scores(x))
    assert np.array_equal(answers.classes, simulated.model.predict(x))


def test_faults_while_it_identifies(simulated: Simulated, device: PtyDevice) -> None:
    device.inject(
        Fault("device", 3, "flip", bit=2),
        Fault("device", 9, "drop"),
        Fault("host", 0, "insert", data=ENDLESS),
        Fault("host", 60, "flip", bit=1),
        Fault("host", 120, "drop"),
    )
    with HardwareModel.open(device.path, model=simulated.model, timeout=0.5) as hardware:
        assert hardware.identity == simulated.identity
        assert np.array_equal(hardware.scores(X), simulated.model.scores(X))
    assert len(device.fired()) >= 4
