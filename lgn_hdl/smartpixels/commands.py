"""The commands: what is read, what is run, what is written. Outputs appear whole or not at all."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from ..compiler.output import output_folder
from ..errors import LgnError
from . import reproduce
from .data import SEEDS, generated, given, to_generate
from .dataset import Clusters
from .evaluation import evaluate, scores_table
from .files import write_tag
from .filters import load_filter
from .generator import Sensor, generate_chunks
from .labels import TRAINING_PT, class_index
from .synthesis import find_liberty

__all__ = ["again", "generate", "measure"]

Say = Callable[[str], None]
#: Clusters to measure on unless told otherwise.
CLUSTERS = 40_000


def generate(options: Namespace, say: Say) -> None:
    """Write synthetic clusters."""
    if options.per_file < 1:
        raise LgnError(f"--per-file is {options.per_file}, expected at least 1")
    given = {k: getattr(options, k) for k in ("noise", "threshold")}
    sensor = replace(Sensor(), **{k: v for k, v in given.items() if v is not None})
    parts = generate_chunks(options.clusters, options.seed, sensor)
    waiting, number, done = [], 0, 0
    with output_folder(options.out) as folder:
        for part in parts:
            waiting.append(part)
            done += len(part)
            if sum(map(len, waiting)) >= options.per_file or done == options.clusters:
                number += 1
                write_tag(Clusters.joined(waiting), folder, f"_d{number}")
                say(f"{done:,} of {options.clusters:,} clusters")
                waiting = []
        report = {"clusters": done, "seed": options.seed, "sensor": asdict(sensor)}
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"{done:,} clusters in {number} pairs of files, {options.out}")


def measure(options: Namespace, say: Say) -> None:
    """Measure trained networks."""
    clusters = to_generate(options.clusters, options.data, CLUSTERS)
    filters = [load_filter(path) for path in options.models]
    names = [each.name for each in filters]
    if len(set(names)) < len(names):
        raise LgnError(f"two models are called {max(names, key=names.count)}")
    boundary = TRAINING_PT if options.boundary is None else options.boundary
    class_index(np.ones(1), boundary)  # the boundary is checked here
    for each in filters:
        if options.boundary is not None and each.boundary != boundary:
            say(f"{each.name} was trained at {each.boundary:g} GeV, not at {boundary:g} GeV")
    sample = given(options.data, boundary)
    if sample is None:
        say(f"generating {clusters:,} clusters")
        sample = generated(clusters, SEEDS["test"])
    with output_folder(options.out) as folder:
        found = evaluate(filters, sample, folder, boundary=options.boundary)
    print(scores_table(found))
    print(f"plots and tables in {options.out}")


def again(options: Namespace, say: Say) -> None:
    """Everything from nothing."""
    if options.test_clusters < 1:
        raise LgnError(f"--test-clusters is {options.test_clusters}, expected at least 1")
    liberty = None if options.no_cells else options.liberty or find_liberty()
    if liberty is not None and not liberty.is_file():
        raise LgnError("there is no such Liberty file", where=str(liberty))
    with output_folder(options.out) as folder:
        found, _ = reproduce.reproduce(
            folder,
            models=options.models,
            clusters=options.clusters,
            test_clusters=options.test_clusters,
            luts=not options.no_luts,
            liberty=liberty,
            say=say,
        )
        table = (folder / "gates.md").read_text()
    print(scores_table(found))
    print(table)
    print(f"plots and tables in {options.out}")
