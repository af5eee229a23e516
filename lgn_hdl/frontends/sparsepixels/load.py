"""SparsePixels models in the files of QKeras: whole ones, and weights with an architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import FormatError
from ...network import FixedPoint, Network
from .architecture import Architecture, read_architecture
from .build import from_keras
from .described import from_description
from .hgq_file import describe_file, is_hgq
from .keras_file import KerasModel, read_keras, read_variables, read_weights

__all__ = ["HDF5", "is_keras", "load_keras", "load_weights"]

#: How an HDF5 file begins.
HDF5 = b"\x89HDF\r\n\x1a\n"


def is_keras(names: Sequence[str]) -> bool:
    """Whether a zip archive with these members is a model that Keras saved."""
    return "config.json" in names and "model.weights.h5" in names


def load_keras(
    path: Path,
    *,
    slots: int | None = None,
    threshold: float | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """The network of a `.keras` file; see `load_weights`."""
    model = read_keras(path)
    if is_hgq(model.layers):
        return _described(model, slots, threshold, input_format, classes)
    return _network(model, Architecture(model.layers), slots, threshold, input_format, classes)


def load_weights(
    path: Path,
    *,
    architecture: str | Path | Mapping[str, Any] | None = None,
    slots: int | None = None,
    threshold: float | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """The network of a `.weights.h5` file.

    Parameters
    ----------
    path : Path
    architecture : path or mapping, optional
        The layers: a `.keras` file of the same layers, or the small JSON file. By default
        `<name>.json`, `<name>.keras` or `architecture.json` beside the weights.
    slots : int, optional
        How many active pixels are kept; wins over what the architecture says.
    threshold : float, optional
        Pixels above it are active; likewise, and 0 by default.
    input_format, classes
        As in `from_keras`.

    Raises
    ------
    FormatError, NetworkError
        If a file cannot be read, one does not fit the other, or the number of slots is not known.
    """
    found = read_architecture(_beside(path) if architecture is None else architecture)
    if is_hgq(found.layers):
        model = KerasModel(found.layers, {}, read_variables(path))
        return _described(model, slots, threshold, input_format, classes)
    weights = read_weights(path, found.layers)
    names = {layer["config"]["name"] for layer in found.layers}
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise FormatError(
            f"the file has weights of {unknown[0]!r}, which is no layer of the architecture",
            hint="the architecture belongs to another network",
        )
    return _network(
        KerasModel(found.layers, weights), found, slots, threshold, input_format, classes
    )


def _described(
    model: KerasModel,
    slots: int | None,
    threshold: float | None,
    input_format: FixedPoint | str | None,
    classes: Sequence[str],
) -> Network:
    """The network of a model with quantisers of HGQ2, which knows its slots and threshold."""
    if slots is not None or threshold is not None:
        raise FormatError(
            f"option {'threshold' if slots is None else 'slots'!r} does not apply to a model of "
            "sparsepixels 0.3, which tells it itself"
        )
    described = describe_file(model.layers, model.variables)
    return from_description(described, input_format=input_format, classes=classes)


def _network(
    model: KerasModel,
    found: Architecture,
    slots: int | None,
    threshold: float | None,
    input_format: FixedPoint | str | None,
    classes: Sequence[str],
) -> Network:
    slots = found.slots if slots is None else slots
    threshold = found.threshold if threshold is None else threshold
    if slots is None:
        raise FormatError(
            "nothing says how many active pixels are kept (n_max_pixels of SparsePixels)",
            hint="give slots=N, or --slots N",
        )
    return from_keras(
        model,
        slots=slots,
        threshold=threshold or 0.0,
        input_format=input_format,
        classes=classes,
    )


def _beside(path: Path) -> Path:
    stem = path.name.removesuffix(path.suffix).removesuffix(".weights")
    names = (f"{stem}.json", f"{stem}.keras", "architecture.json")
    for candidate in map(path.with_name, names):
        if candidate.is_file():
            return candidate
    raise FormatError(
        f"weights do not say how their layers are arranged, and there is no "
        f"{', '.join(names[:-1])} or {names[-1]} beside them",
        hint="give architecture=FILE, or --arch FILE: a .keras file of the same layers, or the "
        "small JSON file of docs/frontends.md",
    )
