"""A trained network on a board, asked like a `Model`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..errors import LgnError, LinkError, NetworkError
from ..link import Identity, Kind
from ..network import FixedPoint, Network, TensorType
from ..network.storage import network_digest
from .exchange import Exchange, Statistics
from .payload import Answers, pack_samples, unpack_results
from .port import DEFAULT_BAUD, Port

__all__ = ["HardwareModel", "HasNetwork"]

_BITS_PER_BYTE = 10  # on the line, with start and stop bit
_FRAME_BYTES = 7
#: A port on which no board is should not keep anyone waiting.
_OPEN_RETRIES = 4
#: No board can be configured anew in so many seconds.
_TRUST = 0.02


class HasNetwork(Protocol):
    """A `Model`, or whatever else holds a network."""

    @property
    def network(self) -> Network: ...


class HardwareModel:
    """A classifier on a board at the other end of a serial port.

    Use `open`, as a context manager. Every answer is the answer to the sample that was sent: what
    the line damages is sent again, and what stays without an answer is an error.

    Parameters
    ----------
    port : Port
    model : Model, optional
        The network that was built: the build's network.lgn. Its hash must be that of the board.
        Without it the board takes stored integers only, by `infer`.
    timeout : float
        Seconds that an answer may take beyond the time that the line and the hardware need.
    retries : int
        How often a sample is sent again before it is an error.

    Attributes
    ----------
    identity : Identity
        What the board says about itself.

    Raises
    ------
    LinkError
        If the board does not answer, or holds another model.
    """

    def __init__(
        self,
        port: Port,
        *,
        model: HasNetwork | None = None,
        timeout: float = 1.0,
        retries: int = 8,
    ):
        self._port, self._timeout, self._retries = port, timeout, retries
        self._exchange = Exchange(port)
        self.identity = self._identify(min(retries, _OPEN_RETRIES))
        # Answers to an earlier program pass before an id is used that they may carry.
        self._exchange.settle(2 * self._usual_seconds() + 0.1 * timeout)
        self._exchange.expect(max(self.identity.result_bytes, len(self.identity.encode())))
        self._last_answer = time.monotonic()
        self.input_format = FixedPoint(
            self.identity.feature_width,
            self.identity.feature_fraction,
            signed=self.identity.feature_signed,
        )
        self._input: TensorType | None = None
        if model is not None:
            self.check(model)

    @classmethod
    def open(
        cls,
        port: str,
        *,
        model: HasNetwork | None = None,
        baud: int = DEFAULT_BAUD,
        timeout: float = 1.0,
        retries: int = 8,
    ) -> HardwareModel:
        """Open a serial port and ask the board what it is; see the class for the other parameters.

        Parameters
        ----------
        port : str
            Such as /dev/ttyUSB0 or COM3, or a URL of pyserial such as socket://host:port.
        baud : int
            That of the board's build.
        """
        opened = Port(port, baud)
        try:
            return cls(opened, model=model, timeout=timeout, retries=retries)
        except BaseException:
            opened.close()
            raise

    def __enter__(self) -> HardwareModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    @property
    def statistics(self) -> Statistics:
        """What happened on the line so far."""
        return self._exchange.statistics

    def check(self, model: HasNetwork) -> None:
        """Compare a model with the board's; from then on its samples are taken.

        Raises
        ------
        LinkError
            If the hashes differ, or the board contradicts the model.
        """
        ours, theirs = network_digest(model.network), self.identity.digest.hex()
        if ours != theirs:
            raise LinkError(
                f"the board holds the model {theirs}, this model is {ours}",
                where=self._port.name,
                hint="give the network.lgn of the build that the board is configured with",
            )
        (tensor,) = model.network.inputs.values()
        number = FixedPoint(1) if tensor.is_bits else tensor.element
        if (
            not isinstance(number, FixedPoint)
            or FixedPoint(number.width, number.fraction, number.signed) != self.input_format
            or tensor.size != self.identity.features
        ):
            raise LinkError(
                f"the board takes {self.identity.features} × {self.input_format}, "
                f"its model {tensor}",
                where=self._port.name,
                hint="this is a bug in lgn-hdl; please report it with the build",
            )
        self._input = tensor

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class index of each sample, int64 of shape (n,); `x` as for `Model.predict`."""
        answers = self.infer(self.quantize(x))
        if answers.classes is not None:
            return answers.classes
        if self.identity.decides:
            return self._needed(answers.bits, "decision")[:, 0].astype(np.int64)
        return np.argmax(self._needed(answers.scores, "scores"), axis=1)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Integer class scores of each sample, int64 of shape (n, classes)."""
        return self._needed(self.infer(self.quantize(x)).scores, "scores")

    def bits(self, x: np.ndarray) -> np.ndarray:
        """Output bits of a network without group sums, bool of shape (n, outputs)."""
        return self._needed(self.infer(self.quantize(x)).bits, "output bits")

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """Samples as the integers that the board computes with, int64 of shape (n, features).

        Parameters
        ----------
        x : array_like, shape (n, *input shape) or (n, features)
            Real values as the trained module takes them; bits as 0 and 1.

        Raises
        ------
        NetworkError
            If `x` does not fit the model's input, or there is no local model: the board alone does
            not know the scale of its numbers.
        """
        if self._input is None:
            raise NetworkError(
                "without a local model only stored integers can be sent",
                hint="give the build's network.lgn as model=, or use infer()",
            )
        x, tensor = np.asarray(x), self._input
        if x.ndim == 0 or not tensor.takes(x.shape[1:]):
            raise NetworkError(
                f"samples have shape {x.shape}, expected (n, {', '.join(map(str, tensor.shape))})"
            )
        x = x.reshape(len(x), tensor.size)
        if isinstance(tensor.element, FixedPoint):
            return tensor.element.quantize(x)
        return self._integers(x)

    def infer(
        self, features: np.ndarray, progress: Callable[[int], None] = lambda done: None
    ) -> Answers:
        """Answers to samples of stored integers; no local model is needed.

        Parameters
        ----------
        features : array_like of int, shape (n, features)
            In the range of `input_format`.
        progress : callable
            Told how many samples are answered.

        Returns
        -------
        Answers
            Class, scores and bits of every sample, as far as the board computes them.

        Raises
        ------
        NetworkError
            If the integers do not fit.
        LinkError
            If a sample stays without an answer, or the board is no longer the same.
        VerifyError
            If a result contradicts itself.
        """
        packed = pack_samples(self._integers(features), self.identity.feature_width)
        if time.monotonic() - self._last_answer > _TRUST:
            self._check_unchanged()
        lost = self.statistics.retransmissions
        results = self._exchange.run(
            Kind.INFER,
            [row.tobytes() for row in packed],
            Kind.RESULT,
            window=self.identity.window,
            timeout=self._timeout + self._usual_seconds(),
            retries=self._retries,
            name=lambda number: f"sample {number}",
            progress=progress,
        )
        self._last_answer = time.monotonic()
        for number, result in enumerate(results):
            if len(result) != self.identity.result_bytes:
                raise LinkError(
                    f"the answer to sample {number} has {len(result)} bytes, "
                    f"expected {self.identity.result_bytes}",
                    where=self._port.name,
                )
        if self.statistics.retransmissions > lost:
            self._check_unchanged()
        rows = np.frombuffer(b"".join(results), np.uint8)
        return unpack_results(rows.reshape(-1, self.identity.result_bytes), self.identity)

    def _integers(self, features: np.ndarray) -> np.ndarray:
        features = np.asarray(features)
        if features.dtype.kind not in "biuf":
            raise NetworkError(f"features are {features.dtype}, expected numbers")
        if features.ndim != 2 or features.shape[1] != self.identity.features:
            raise NetworkError(
                f"features have shape {features.shape}, expected (n, {self.identity.features})"
            )
        low, high = self.input_format.min_int, self.input_format.max_int
        with np.errstate(invalid="ignore"):  # NaN is not equal to what it becomes
            whole = features.astype(np.int64, copy=False)
        if not ((features == whole) & (whole >= low) & (whole <= high)).all():
            raise NetworkError(
                f"features are not all integers from {low} to {high}, "
                f"the range of {self.input_format}"
            )
        return whole

    def _check_unchanged(self) -> None:
        """A board that was silent may have been configured anew."""
        found = self._identify(self._retries)
        if found != self.identity:
            raise LinkError(
                f"the board was changed: it held the model {self.identity.digest.hex()}, "
                f"and now {found.digest.hex()}",
                where=self._port.name,
                hint="open it again",
            )

    def _identify(self, retries: int) -> Identity:
        try:
            (body,) = self._exchange.run(
                Kind.IDENTIFY,
                [b""],
                Kind.IDENTIFICATION,
                window=1,
                timeout=self._timeout,
                retries=retries,
                name=lambda _: "the request for identification",
            )
            return Identity.decode(body)
        except LinkError:
            raise
        except LgnError as error:
            raise error.at(self._port.name) from None

    def _usual_seconds(self) -> float:
        """What the line and the hardware need for a full window."""
        identity = self.identity
        line = identity.sample_bytes + identity.result_bytes + 2 * _FRAME_BYTES
        clocks = identity.latency + identity.interval
        return (1 + identity.window) * (
            line * _BITS_PER_BYTE / self._port.baud + clocks / identity.clock_hz
        )

    def _needed(self, answers: np.ndarray | None, what: str) -> np.ndarray:
        if answers is None:
            raise NetworkError(f"the board gives no {what}", where=self._port.name)
        return answers
