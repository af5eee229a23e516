"""A board that is configured anew while its port stays open: a relay stands for the USB bridge."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Iterator

import numpy as np
import pytest
from networks import classifier
from simulated import Simulated, compile_device

from lgn_hdl.host import HardwareModel, LinkError
from lgn_hdl.network import FixedPoint
from sim.pty_device import PtyDevice

FORM = FixedPoint(6, 4, signed=True)


class Bridge:
    """Carries bytes between a TCP port, which pyserial opens as a URL, and one of some devices."""

    def __init__(self, *paths: str):
        self._ends = [os.open(path, os.O_RDWR | os.O_NOCTTY) for path in paths]
        for end in self._ends:
            tty.setraw(end)
        #: The device that is connected, None for none.
        self.device: int | None = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        self._server.close()
        for end in self._ends:
            os.close(end)

    def _carry(self) -> None:
        self._server.settimeout(5)
        client, _ = self._server.accept()
        with client:
            while not self._done.is_set():
                ready, _, _ = select.select([client, *self._ends], [], [], 0.02)
                for source in ready:
                    self._pass(client, source)

    def _pass(self, client: socket.socket, source: socket.socket | int) -> None:
        if isinstance(source, int):
            data = os.read(source, 4096)
            if self.device is not None and source == self._ends[self.device]:
                client.sendall(data)
            return
        data = client.recv(4096)
        if not data:
            self._done.set()
        elif self.device is not None:
            os.write(self._ends[self.device], data)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PtyDevice]:
    """Another network in the same shape."""
    folder = tmp_path_factory.mktemp("other")
    compile_device(classifier(element=FORM, seed=1), folder)
    with PtyDevice(folder, folder) as device:
        yield device


@pytest.fixture
def bridge(device: PtyDevice, other: PtyDevice) -> Iterator[Bridge]:
    bridge = Bridge(device.path, other.path)
    yield bridge
    bridge.close()


X = np.random.default_rng(5).uniform(-2.5, 2.5, (60, 4))


def test_through_a_url(simulated: Simulated, bridge: Bridge) -> None:
    with HardwareModel.open(bridge.url, model=simulated.model) as hardware:
        assert np.array_equal(hardware.scores(X), simulated.model.scores(X))


def test_changed_between_two_calls(simulated: Simulated, bridge: Bridge) -> None:
    with HardwareModel.open(bridge.url, model=simulated.model) as hardware:
        hardware.scores(X[:5])
        bridge.device = 1
        time.sleep(0.05)  # configuring takes longer
        with pytest.raises(LinkError, match="the board was changed"):
            hardware.scores(X[:5])


def test_changed_within_a_call(simulated: Simulated, bridge: Bridge) -> None:
    with HardwareModel.open(bridge.url, model=simulated.model, timeout=0.5) as hardware:
        timer = threading.Timer(0.8, lambda: setattr(bridge, "device", 1))

        def configure(done: int) -> None:
            if done == 20:  # it is silent for a while, then it is another
                bridge.device = None
                timer.start()

        with pytest.raises(LinkError, match="the board was changed"):
            hardware.infer(hardware.quantize(X), configure)
        timer.join()


def test_silent_for_a_while(simulated: Simulated, bridge: Bridge) -> None:
    with HardwareModel.open(bridge.url, model=simulated.model, timeout=0.5) as hardware:
        timer = threading.Timer(0.8, lambda: setattr(bridge, "device", 0))

        def pause(done: int) -> None:
            if done == 20:
                bridge.device = None
                timer.start()

        answers = hardware.infer(hardware.quantize(X), pause)
        timer.join()
        assert hardware.statistics.retransmissions > 0
        assert np.array_equal(answers.scores, simulated.model.scores(X))


def test_silent_for_ever(simulated: Simulated, bridge: Bridge) -> None:
    with HardwareModel.open(bridge.url, model=simulated.model, timeout=0.5, retries=2) as hardware:

        def cut(done: int) -> None:
            if done == 20:
                bridge.device = None

        # An answer that was cut in two is damage.
        tries = r"(3|1 × damage on the line, 2) × no answer"
        with pytest.raises(LinkError, match=rf"sample 2\d has no answer after 3 tries: {tries}"):
            hardware.infer(hardware.quantize(X), cut)
