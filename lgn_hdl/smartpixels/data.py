"""Features and labels of a set of clusters: generated, or read from files of the public format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import FormatError, LgnError
from .dataset import Clusters
from .features import FEATURES, Digitiser, feature_vectors
from .files import find_tags, read_folder
from .generator import Sensor, generate_chunks
from .labels import TRAINING_PT, class_index

__all__ = ["SEEDS", "Sample", "collect", "generated", "given", "read", "to_generate"]

#: Of the generated sets: no network is measured on clusters that it was trained on.
SEEDS = {"train": 1, "validation": 2, "test": 3}


@dataclass(frozen=True, eq=False)
class Sample:
    """What networks are trained and measured on.

    Parameters
    ----------
    vectors : dict from number of features to ndarray of uint16, shape (n, features)
    pt, y0 : ndarray of float64, shape (n,)
        GeV with the sign of the charge; mm.
    source : str
        Where it comes from, for titles.
    """

    vectors: dict[int, np.ndarray]
    pt: np.ndarray
    y0: np.ndarray
    source: str

    def __len__(self) -> int:
        return len(self.pt)

    def take(self, index: np.ndarray) -> Sample:
        """The samples at `index`."""
        vectors = {f: x[index] for f, x in self.vectors.items()}
        return Sample(vectors, self.pt[index], self.y0[index], self.source)

    def features(self, features: int) -> np.ndarray:
        """The vectors of a length.

        Raises
        ------
        LgnError
            If the data have no such vectors.
        """
        if features not in self.vectors:
            raise LgnError(
                f"the data have no vectors of {features} features, only {sorted(self.vectors)}",
                hint="105 features need files recon3D with all time slices",
            )
        return self.vectors[features]

    def classes(self, boundary: float = TRAINING_PT) -> np.ndarray:
        """Classes, int64 of shape (n,)."""
        return class_index(self.pt, boundary)


def collect(
    parts: Iterable[Clusters],
    features: tuple[int, ...],
    source: str,
    *,
    digitiser: Digitiser | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Sample:
    """The vectors of sets that are too large to hold at once.

    Parameters
    ----------
    progress : callable
        Told how many clusters are done after each part.

    Raises
    ------
    LgnError
        If there are no clusters.
    """
    vectors: dict[int, list[np.ndarray]] = {f: [] for f in features}
    pt, y0, done = [], [], 0
    for clusters in parts:
        for f in features:
            vectors[f].append(feature_vectors(clusters, f, digitiser))
        pt.append(clusters.pt)
        y0.append(clusters.y0)
        done += len(clusters)
        progress(done)
    if not done:
        raise LgnError("there are no clusters", where=source)
    joined = {f: np.concatenate(parts) for f, parts in vectors.items()}
    return Sample(joined, np.concatenate(pt), np.concatenate(y0), source)


def generated(
    n: int,
    seed: int,
    features: tuple[int, ...] = FEATURES,
    sensor: Sensor | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Sample:
    """Synthetic clusters."""
    parts = generate_chunks(n, seed, sensor)
    return collect(parts, features, "synthetic clusters", progress=progress)


def read(folder: Path, progress: Callable[[int], None] = lambda done: None) -> Sample:
    """Clusters of files; with all time slices if the folder has them.

    Raises
    ------
    FormatError
        If the folder holds no such files, or one of them is broken.
    """
    try:
        find_tags(folder, "3D")
        kind, features = "3D", FEATURES
    except FormatError:
        find_tags(folder, "2D")
        kind, features = "2D", FEATURES[:2]
    return collect(read_folder(folder, kind), features, folder.name, progress=progress)


def to_generate(clusters: int | None, folder: Path | None, usual: int) -> int:
    """How many clusters to generate: what was asked for, or what is usual.

    Raises
    ------
    LgnError
        If a number was asked for where a folder has the clusters.
    """
    if folder is not None and clusters is not None:
        raise LgnError(
            f"{clusters:,} clusters were asked for, and those of {folder} too",
            hint="--clusters is for generated ones, --data reads all of its files: leave out one",
        )
    return usual if clusters is None else clusters


def given(folder: Path | None, boundary: float) -> Sample | None:
    """The sample of a folder, its labels checked; None without a folder."""
    if folder is None:
        return None
    sample = read(folder)
    sample.classes(boundary)
    return sample
