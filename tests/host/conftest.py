"""One simulated device for all tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from networks import classifier
from simulated import Simulated, compile_device

from lgn_hdl.network import FixedPoint
from sim.pty_device import PtyDevice

FORM = FixedPoint(6, 4, signed=True)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Four numbers of six bits in, three classes out."""
    return compile_device(classifier(element=FORM), tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="session")
def running(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PtyDevice]:
    with PtyDevice(simulated.folder, tmp_path_factory.mktemp("running")) as device:
        yield device


@pytest.fixture
def device(running: PtyDevice) -> PtyDevice:
    """The device on its pseudo-terminal, without faults on the line."""
    running.inject()
    return running
