"""Trains one network on a sample and writes it: a .lgn for logic gates, a .pt for a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import VerifyError
from ..frontends import convert
from ..model import Model
from . import fast
from .configs import ConvConfig, DenseConfig
from .data import Sample
from .features import Digitiser
from .filters import Filter, baseline, save_baseline
from .labels import CLASSES, TRAINING_PT
from .models import make_lgn
from .thresholds import quantile_thresholds
from .training import Fit, Settings, accuracies, fit, predictions

__all__ = ["BASELINE_SETTINGS", "train_baseline", "train_lgn", "write"]

Say = Callable[[str], None]
#: Features and settings of the baselines.
BASELINE_SETTINGS = {
    "mlp": (14, Settings(epochs=25, rate=3e-3)),
    "cnn": (105, Settings(epochs=12, rate=2e-3)),
}


def train_baseline(
    kind: str,
    train: Sample,
    validation: Sample,
    settings: Settings | None = None,
    *,
    boundary: float = TRAINING_PT,
    say: Say = lambda line: None,
) -> Filter:
    """Train the "mlp" or the "cnn"."""
    features, usual = BASELINE_SETTINGS[kind]
    settings = settings or usual
    x = train.features(features)
    torch.manual_seed(settings.seed)
    module = baseline(kind, x)
    labels = train.classes(boundary), validation.classes(boundary)
    found = fit(module, (x, labels[0]), (validation.features(features), labels[1]), settings, say)
    # The soft and the discrete decisions of a conventional network are the same: no history of two.
    record = {"boundary": boundary, "validation": found.discrete, "clusters": len(train)}
    return Filter(kind, module, features, record)


def train_lgn(
    config: DenseConfig | ConvConfig,
    train: Sample,
    validation: Sample,
    test: Sample,
    settings: Settings,
    *,
    boundary: float = TRAINING_PT,
    record: dict[str, Any] | None = None,
    say: Say = lambda line: None,
) -> Filter:
    """Train a logic-gate network, convert it, and compare both on the whole test sample.

    Parameters
    ----------
    record : dict, optional
        More to keep under "training" in the file.

    Raises
    ------
    LgnError
        If torchlogix cannot be imported.
    VerifyError
        If the converted network decides otherwise than the trained one.
    """
    x = train.features(config.features)
    number = Digitiser().format
    thresholds = quantile_thresholds(
        x, config.bits, shared=config.shared_thresholds, top=2**number.width - 1
    )
    torch.manual_seed(settings.seed)
    module = make_lgn(config, thresholds)
    fast.check(module, torch.from_numpy(x[:64].astype(np.float32)))
    options = {"input_format": number, "classes": CLASSES}
    convert(module, (config.features,), **options)  # what cannot be converted is not worth training
    labels = train.classes(boundary), validation.classes(boundary)
    found = fit(
        module,
        (x, labels[0]),
        (validation.features(config.features), labels[1]),
        settings,
        say,
        forward=fast.logits,
    )
    shown = test.features(config.features)
    relaxed, discrete = accuracies(module, shown, test.classes(boundary), fast.logits)
    say(f"test: {relaxed:.4f} relaxed, {discrete:.4f} discrete on {len(test):,} clusters")
    network = convert(module, (config.features,), **options)
    model = Model(network)
    _compare(model, module, shown)
    history = {
        **_record(config, settings, found),
        "boundary": boundary,
        "clusters": len(train),
        "digitiser": asdict(Digitiser()),
        "test": {"relaxed": round(relaxed, 5), "discrete": round(discrete, 5)},
        **(record or {}),
    }
    named = replace(network, meta={**network.meta, "training": history})
    return Filter("lgn", Model(named), config.features, history)


def _record(config: DenseConfig | ConvConfig, settings: Settings, found: Fit) -> dict[str, Any]:
    plain = {k: v for k, v in asdict(settings).items() if v != float("inf")}
    rounded = [{k: round(v, 5) for k, v in line.items()} for line in found.history]
    return {
        "config": {"kind": type(config).__name__, **asdict(config)},
        "settings": plain,
        "trained_gates": config.gates,
        "best_epoch": found.best_epoch + 1,
        "minutes": round(found.seconds / 60, 1),
        "history": rounded,
    }


def _compare(model: Model, module: nn.Module, x: np.ndarray) -> None:
    """The module's own forward pass, not the fast one, against what hardware is made from."""
    theirs = predictions(module, x)
    wrong = np.flatnonzero(model.predict(x) != theirs)
    if wrong.size:
        raise VerifyError(
            f"the converted network decides otherwise than the trained one on {wrong.size} of "
            f"{len(x)} clusters, first on cluster {wrong[0]}"
        )


def write(filtered: Filter, path: Path) -> None:
    """Write a filter to its file."""
    if isinstance(filtered.network, Model):
        filtered.network.save(path)
    else:
        kind = filtered.name
        save_baseline(filtered.network, kind, filtered.features, filtered.training, path)
