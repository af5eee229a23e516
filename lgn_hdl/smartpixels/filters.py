"""A trained filter, be it a logic-gate network in a .lgn file or a baseline in a .pt file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import FormatError
from ..model import Model
from .baselines import Cnn, Mlp
from .features import FEATURES
from .labels import CLASSES, TRAINING_PT
from .training import predictions

__all__ = ["Filter", "baseline", "load_filter", "save_baseline"]

_BASELINES = {"mlp": Mlp, "cnn": Cnn}


@dataclass(frozen=True, eq=False)
class Filter:
    """A named network that gives classes.

    Parameters
    ----------
    name : str
    network : Model or torch.nn.Module
    features : int
        Length of the vectors it takes.
    training : mapping
        What is known of its training: "boundary" (GeV), "history" and more.
    """

    name: str
    network: Model | nn.Module
    features: int
    training: Mapping[str, Any]

    @property
    def boundary(self) -> float:
        """|pT| in GeV between its classes."""
        return float(self.training.get("boundary", TRAINING_PT))

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """Loss, relaxed and discrete accuracy of each epoch, as far as known."""
        return self.training.get("history", ())

    def classes(self, x: np.ndarray) -> np.ndarray:
        """Classes of vectors (n, features), int64 of shape (n,)."""
        if isinstance(self.network, Model):
            return self.network.predict(x)
        return predictions(self.network, x)


def load_filter(path: str | Path) -> Filter:
    """Read a filter from its file.

    Raises
    ------
    FormatError
        If the file is missing, broken, or not a filter of such clusters.
    """
    path = Path(path)
    if not path.is_file():
        raise FormatError("there is no such file", where=str(path))
    if path.suffix == ".pt":
        return _read_baseline(path)
    model = Model.read(path)
    if model.classes != CLASSES:
        raise FormatError(
            f"has the classes {', '.join(model.classes) or 'none'}, expected {', '.join(CLASSES)}",
            where=str(path),
        )
    sizes = [tensor.size for tensor in model.network.inputs.values()]
    if len(sizes) != 1 or sizes[0] not in FEATURES:
        raise FormatError(f"takes {sizes} features, expected one of {FEATURES}", where=str(path))
    training = model.network.meta.get("training", {})
    return Filter(path.stem, model, sizes[0], training if isinstance(training, dict) else {})


def baseline(kind: str, x: np.ndarray) -> nn.Module:
    """An untrained "mlp" or "cnn" for vectors like `x`."""
    return _BASELINES[kind](x)


def save_baseline(
    module: nn.Module, kind: str, features: int, training: Mapping[str, Any], path: Path
) -> None:
    """Write a baseline; see `load_filter`."""
    part = path.with_name(path.name + ".part")
    content = {"kind": kind, "features": features, "training": dict(training)}
    try:
        torch.save({**content, "state": module.state_dict()}, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read_baseline(path: Path) -> Filter:
    try:
        content = torch.load(path, weights_only=True)
        kind, features = content["kind"], int(content["features"])
        module = baseline(kind, np.zeros((1, features), np.float32))
        module.load_state_dict(content["state"])
        training = dict(content["training"])
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, ValueError, EOFError) as e:
        raise FormatError("is not a baseline that this program wrote", where=str(path)) from e
    module.eval()
    return Filter(path.stem, module, features, training)
