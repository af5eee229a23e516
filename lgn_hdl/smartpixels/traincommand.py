"""The command `train`. It needs no part of the compiler, only torchlogix for logic gates."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import LgnError
from .configs import PRESETS, ConvConfig, DenseConfig
from .data import SEEDS, Sample, generated, given, to_generate
from .labels import TRAINING_PT, class_index
from .split import split
from .train import BASELINE_SETTINGS, train_baseline, train_lgn, write
from .training import Settings

__all__ = ["CLUSTERS", "LGN_SETTINGS", "train"]

Say = Callable[[str], None]
#: What a network is trained with unless told otherwise.
LGN_SETTINGS = {
    "dense": Settings(epochs=30, batch=128, rate=3e-2, patience=30, temperature=0.1),
    "conv": Settings(epochs=24, batch=64, rate=2e-2, patience=24, temperature=0.1, warm=0.4),
}
#: Clusters that are generated to train on unless told otherwise: an epoch of the logic convolutions
#: takes minutes.
CLUSTERS = {"mlp": 100_000, "cnn": 100_000, "dense": 100_000, "conv": 60_000}


def train(options: Namespace, say: Say) -> None:
    """Train one network."""
    baseline = options.network in BASELINE_SETTINGS
    suffix = ".pt" if baseline else ".lgn"
    if options.out.suffix != suffix:
        raise LgnError(f"the file of a {options.network} ends in {suffix}", where=str(options.out))
    for file in filter(None, (options.out, options.samples)):
        if not file.parent.is_dir():
            raise LgnError("there is no such folder", where=str(file.parent))
    if options.sample_count < 1:
        raise LgnError(f"--sample-count is {options.sample_count}, expected at least 1")
    clusters = to_generate(options.clusters, options.data, CLUSTERS[options.network])
    boundary = TRAINING_PT if options.boundary is None else options.boundary
    class_index(np.ones(1), boundary)  # the boundary is checked here
    usual = BASELINE_SETTINGS[options.network][1] if baseline else LGN_SETTINGS[options.network]
    names = ("epochs", "batch", "rate", "patience", "temperature", "warm", "minutes", "seed")
    chosen = {n: getattr(options, n) for n in names if getattr(options, n) is not None}
    settings = replace(usual, **chosen)
    config = None if baseline else _config(options)
    if config is not None:
        from .models import torchlogix_layers

        torchlogix_layers()  # before any data are made
    sets = _three_sets(options, clusters, boundary, say)
    if config is None:
        found = train_baseline(options.network, *sets[:2], settings, boundary=boundary, say=say)
    else:
        command = {"command": _command(options)}
        found = train_lgn(config, *sets, settings, boundary=boundary, record=command, say=say)
    write(found, options.out)
    test = sets[2]
    predicted = found.classes(test.features(found.features))
    right = float((predicted == test.classes(boundary)).mean())
    if options.samples is not None:
        _write_samples(options, test, found.features, boundary)
    print(f"{options.out}: accuracy {right:.4f} on {len(test):,} {test.source} not trained on")


def _command(options: Namespace) -> str:
    """The command line as it was given, files without their folders."""
    places = {str(options.out), str(options.samples)}
    words = [Path(w).name if w in places else w for w in sys.argv[1:]]
    return shlex.join(["python", "-m", "lgn_hdl.smartpixels", *words])


def _three_sets(
    options: Namespace, clusters: int, boundary: float, say: Say
) -> tuple[Sample, Sample, Sample]:
    """Training, validation and test sample: a folder's clusters split, or three seeds."""
    sample = given(options.data, boundary)
    if sample is not None:
        train, validation, test = (sample.take(index) for index in split(len(sample)))
        return train, validation, test
    say(f"generating {clusters:,} clusters")
    small = max(1000, clusters // 10)
    sizes = {"train": clusters, "validation": small, "test": 2 * small}
    train, validation, test = (generated(sizes[k], SEEDS[k]) for k in SEEDS)
    return train, validation, test


def _config(options: Namespace) -> DenseConfig | ConvConfig:
    size = {"full": "", "example": "-example", "small-head": "-small-head"}[options.size]
    name = options.network + size
    if name not in PRESETS:
        raise LgnError(f"there is no {options.size} {options.network} network")
    config = PRESETS[name]
    changes: dict[str, object] = {}
    if options.bits is not None:
        changes["bits"] = options.bits
    if options.tau is not None:
        changes["tau"] = options.tau
    if options.thresholds is not None:
        changes["shared_thresholds"] = options.thresholds == "shared"
    dense = isinstance(config, DenseConfig)
    for value, field, fits in (
        (options.layers, "layers" if dense else "head", True),
        (options.features, "features", dense),
        (options.kernels, "kernels", not dense),
        (options.talk_view or None, "talk_view", not dense),
    ):
        if value is None:
            continue
        if not fits:
            raise LgnError(f"--{field.replace('_', '-')} is not for a {options.network} network")
        changes[field] = tuple(value) if isinstance(value, list) else value
    return replace(config, **changes)


def _write_samples(options: Namespace, test: Sample, features: int, boundary: float) -> None:
    count = min(options.sample_count, len(test))
    x = test.features(features)[:count]
    y = test.classes(boundary)[:count].astype(np.uint8)
    part = options.samples.with_name(options.samples.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, x=x, y=y)
    os.replace(part, options.samples)
