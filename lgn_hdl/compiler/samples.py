"""Samples and labels of a file, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import FormatError

__all__ = ["Samples", "read_samples"]

_SAMPLES = ("x", "images", "features")
_LABELS = ("y", "labels", "target")


@dataclass(frozen=True, eq=False)
class Samples:
    """Real-valued samples (n, ...), and class indices (n,) if they are known."""

    x: np.ndarray
    labels: np.ndarray | None = None
    source: str = "given samples"


def read_samples(path: str | Path) -> Samples:
    """Read an .npz with samples under `x` (or `images`) and, optionally, labels under `y`.

    Raises
    ------
    FormatError
        If the file is not such an .npz.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as data:
            name = next((n for n in _SAMPLES if n in data), None)
            if name is None:
                raise FormatError(f"holds {', '.join(data)}, expected {' or '.join(_SAMPLES)}")
            label = next((n for n in _LABELS if n in data), None)
            x, labels = data[name], data[label] if label else None
    except FormatError as error:
        raise error.at(str(path)) from None
    except (OSError, ValueError, TypeError, BadZipFile, EOFError) as error:
        raise FormatError(f"not a readable .npz: {error}", where=str(path)) from None
    if x.ndim == 0 or (not np.issubdtype(x.dtype, np.number) and x.dtype != bool):
        raise FormatError(f"{name} is {x.dtype} of shape {x.shape}", where=str(path))
    if labels is not None and labels.shape != (len(x),):
        raise FormatError(
            f"{label} has shape {labels.shape}, expected ({len(x)},)", where=str(path)
        )
    return Samples(x, labels, Path(path).name)
