"""Samples and labels of a file, as arrays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import FormatError
from ..model import Inputs

__all__ = ["Samples", "read_samples"]

_SAMPLES = ("x", "images", "features")
_LABELS = ("y", "labels", "target")


@dataclass(frozen=True, eq=False)
class Samples:
    """Real-valued samples (n, ...), and class indices (n,) if they are known.

    `x` is an array, or for a network of several inputs a mapping of their names to arrays.
    """

    x: Inputs
    labels: np.ndarray | None = None
    source: str = "given samples"


def read_samples(path: str | Path, inputs: Collection[str] = ()) -> Samples:
    """Read an .npz with samples under `x` (or `images`) and, optionally, labels under `y`.

    Parameters
    ----------
    path : str or Path
    inputs : collection of str
        Names of a network's inputs: of several, each is an array of its own, under its name or
        under `x_NAME`.

    Raises
    ------
    FormatError
        If the file is not such an .npz.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as data:
            names = _names(list(data), inputs)
            label = next((n for n in _LABELS if n in data), None)
            found = {name: data[key] for name, key in names.items()}
            labels = data[label] if label else None
    except FormatError as error:
        raise error.at(str(path)) from None
    except OSError as error:
        raise FormatError(f"not a readable .npz: {error.strerror}", where=str(path)) from None
    except (ValueError, TypeError, BadZipFile, EOFError) as error:
        raise FormatError(f"not a readable .npz: {error}", where=str(path)) from None
    for name, x in found.items():
        if x.ndim == 0 or (not np.issubdtype(x.dtype, np.number) and x.dtype != bool):
            raise FormatError(f"{names[name]} is {x.dtype} of shape {x.shape}", where=str(path))
        if np.issubdtype(x.dtype, np.inexact) and np.isnan(x).any():
            place = ", ".join(map(str, np.argwhere(np.isnan(x))[0]))
            raise FormatError(f"{names[name]}[{place}] is not a number", where=str(path))
        fractional = labels is not None and np.issubdtype(labels.dtype, np.floating)
        if fractional and (labels != np.floor(labels)).any():
            raise FormatError(f"{label} holds labels that are no whole numbers", where=str(path))
        if labels is not None and labels.shape != (len(x),):
            raise FormatError(
                f"{label} has shape {labels.shape}, expected ({len(x)},)", where=str(path)
            )
    several = len(inputs) > 1
    return Samples(found if several else next(iter(found.values())), labels, Path(path).name)


def _names(keys: list[str], inputs: Collection[str]) -> dict[str, str]:
    """For each input, the array that holds its samples."""
    if len(inputs) > 1:
        found = {n: key for n in inputs for key in (f"x_{n}", n) if key in keys}
        if len(found) < len(inputs):
            wanted = ", ".join(name for name in inputs if name not in found)
            raise FormatError(
                f"holds {', '.join(keys)}, and nothing for {wanted}",
                hint="an array for every input, under its name or x_NAME",
            )
        return found
    name = next((n for n in (*_SAMPLES, *inputs) if n in keys), None)
    if name is None:
        raise FormatError(f"holds {', '.join(keys)}, expected {' or '.join(_SAMPLES)}")
    return {"": name}
