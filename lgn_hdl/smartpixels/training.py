"""One training loop for all networks: Adam, the best epoch kept, relaxed and discrete accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import torch
from torch import nn

from ..errors import LgnError

__all__ = ["Fit", "Settings", "accuracies", "fit", "predictions"]

_EVALUATION = 512
#: Logits of a module for a batch.
Forward = Callable[[nn.Module, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    epochs, batch : int
    rate : float
        Of Adam; it falls along a cosine to a twentieth.
    patience : int
        Epochs without a better discrete accuracy before training stops.
    minutes : float
        Training also stops after this time; infinite by default.
    temperature : float
        Of the mixture of functions that a soft gate is, at the end; it falls from 1 in equal
        ratios, so soft gates become discrete ones.
    warm : float
        Share of the epochs before the temperature begins to fall. Gates that are cold learn little.
    seed : int
        Of the weights, the wiring and the order of samples.
    """

    epochs: int = 30
    batch: int = 256
    rate: float = 1e-3
    patience: int = 10
    minutes: float = float("inf")
    temperature: float = 1.0
    warm: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch, self.patience) < 1 or not self.rate > 0:
            raise LgnError(
                f"{self.epochs} epochs, batches of {self.batch}, patience {self.patience} and rate "
                f"{self.rate}, expected positive numbers"
            )
        if not 0 < self.temperature <= 1:
            raise LgnError(f"the last temperature is {self.temperature}, expected 0 to 1")
        if not 0 <= self.warm < 1:
            raise LgnError(f"the warm share is {self.warm}, expected 0 to less than 1")
        if not self.minutes > 0:
            raise LgnError(f"time is {self.minutes} minutes, expected a positive number")

    def temperature_in(self, epoch: int) -> float:
        """Temperature of soft gates in an epoch, counted from 0."""
        done = epoch / max(1, self.epochs - 1)
        return self.temperature ** (max(0.0, done - self.warm) / (1 - self.warm))


@dataclass
class Fit:
    """What training found: a line per epoch, and the best epoch by discrete accuracy."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    relaxed: float = 0.0
    discrete: float = -1.0
    seconds: float = 0.0


def predictions(
    module: nn.Module, x: np.ndarray, *, relaxed: bool = False, forward: Forward | None = None
) -> np.ndarray:
    """Classes that a module decides on, int64 of shape (n,).

    `relaxed` leaves gates soft, as in training; otherwise they are the discrete gates of hardware.
    Dropout is off in either case.
    """
    module.train(relaxed)
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.eval()
    forward = forward or nn.Module.__call__
    found = []
    with torch.no_grad():
        for start in range(0, len(x), _EVALUATION):
            batch = torch.from_numpy(np.asarray(x[start : start + _EVALUATION], np.float32))
            found.append(forward(module, batch).argmax(1).numpy())
    module.eval()
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def accuracies(
    module: nn.Module, x: np.ndarray, y: np.ndarray, forward: Forward | None = None
) -> tuple[float, float]:
    """Shares of right decisions, relaxed and discrete."""
    soft, hard = (predictions(module, x, relaxed=r, forward=forward) for r in (True, False))
    return float((soft == y).mean()), float((hard == y).mean())


@contextmanager
def _one_thread() -> Iterator[None]:
    """These layers are small: more threads wait for each other, and change the last digits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fit(
    module: nn.Module,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    say: Callable[[str], None] = lambda line: None,
    *,
    forward: Forward | None = None,
) -> Fit:
    """Train a module in place and leave it with the weights of its best epoch, in eval mode.

    Parameters
    ----------
    train, validation : pairs of ndarray
        Vectors (n, features) and classes (n,).
    say : callable
        Takes a line per epoch.
    forward : callable, optional
        The module's logits, if there is a faster way to them.
    """
    with _one_thread():
        return _fit(module, train, validation, settings, say, forward or nn.Module.__call__)


def _fit(
    module: nn.Module,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    say: Callable[[str], None],
    forward: Forward,
) -> Fit:
    torch.manual_seed(settings.seed)
    x = torch.from_numpy(train[0].astype(np.float32))
    y = torch.from_numpy(train[1].astype(np.int64))
    optimizer = torch.optim.Adam(module.parameters(), settings.rate)
    steps = settings.epochs * -(-len(x) // settings.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, settings.rate / 20)
    found, kept, start = Fit(), {}, monotonic()
    for epoch in range(settings.epochs):
        module.train()
        _cool(module, settings.temperature_in(epoch))
        total = 0.0
        for index in torch.randperm(len(x)).split(settings.batch):
            loss = nn.functional.cross_entropy(forward(module, x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(index)
        relaxed, discrete = accuracies(module, *validation, forward)
        line = {"loss": total / len(x), "relaxed": relaxed, "discrete": discrete}
        found.history.append(line)
        found.seconds = monotonic() - start
        if discrete > found.discrete:
            found.best_epoch, found.relaxed, found.discrete = epoch, relaxed, discrete
            kept = {k: v.clone() for k, v in module.state_dict().items()}
        soft = f"{relaxed:.4f} relaxed, " if relaxed != discrete else ""
        say(
            f"epoch {epoch + 1}/{settings.epochs}: loss {line['loss']:.4f}, validation "
            f"{soft}{discrete:.4f}{' discrete' if soft else ''}, {found.seconds:.0f} s"
        )
        late = found.seconds > settings.minutes * 60
        if late or epoch - found.best_epoch >= settings.patience:
            break
    module.load_state_dict(kept)
    _cool(module, settings.temperature_in(found.best_epoch))
    module.eval()
    return found


def _cool(module: nn.Module, temperature: float) -> None:
    """Set the temperature of every logic layer; other layers have none."""
    for part in module.modules():
        parametrization = getattr(part, "parametrization", None)
        if parametrization is not None:
            parametrization.temperature = temperature
