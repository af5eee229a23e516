"""Any supported file to a Network; what a file is, its content tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, LgnError
from ..network import FixedPoint, Network, read_network
from ..network.storage import MAGIC
from . import difflogic, gatelist, sparsepixels, torch_dwn, torchlogix
from .assemble import input_type
from .files import ZIP, load_torch, read_file, read_json, zip_names

__all__ = ["load_network"]

KINDS = (
    "expected a .lgn file, a torch checkpoint, a gate list as .npz or .csv, or a .keras or "
    ".weights.h5 file"
)
#: Keys under which training scripts put the state_dict.
NESTED = ("state_dict", "model_state_dict", "model")


def load_network(
    path: str | Path,
    *,
    groups: int | None = None,
    thresholds: str | Path | np.ndarray | None = None,
    architecture: str | Path | Mapping[str, Any] | None = None,
    indices: str | Path | Mapping[Any, Any] | Sequence[Any] | None = None,
    inputs: int | None = None,
    slots: int | None = None,
    threshold: float | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Read any supported file; nothing in it is ever executed.

    Parameters
    ----------
    path : str or Path
        A `.lgn` file, a gate list (`.npz`, `.csv`, or a checkpoint with its connections), a
        state_dict of torchlogix, difflogic or torch-dwn, or a SparsePixels model of QKeras
        (`.keras`, `.weights.h5`).
    groups : int, optional
        For gate lists, difflogic and torch-dwn: number of classes, where the file does not tell it;
        without it the output is the bits of the last layer.
    thresholds : path or ndarray, optional
        For the same files, if their inputs are not bits: thresholds of shape (F, T) or (T,).
    architecture : path or mapping, optional
        For a torchlogix state_dict: its description. By default the key `architecture` of the
        checkpoint, else `<stem>.json` or `architecture.json` beside it. For a `.weights.h5`: see
        `sparsepixels.load_weights`.
    indices : path, mapping or sequence, optional
        For a difflogic state_dict: the connections of its layers. By default those in the
        checkpoint, else `<stem>.indices.npz` beside it.
    inputs : int, optional
        For the same files as `groups`: number of input bits.
    slots : int, optional
        For a SparsePixels model: how many active pixels are kept.
    threshold : float, optional
        For the same: pixels above it are active; 0 by default.
    input_format : FixedPoint or str, optional
        Number format of an input that is not bits.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    FormatError
        If the file cannot be read, with the file, the reason and what was expected.
    """
    path = Path(path)
    given = {"groups": groups, "thresholds": thresholds, "inputs": inputs}
    given |= {"architecture": architecture, "indices": indices}
    given |= {"slots": slots, "threshold": threshold}
    try:
        kind, load = _detect(path)
        unused = [k for k, v in given.items() if v is not None and k not in _OPTIONS[kind]]
        if unused:
            raise FormatError(f"option {unused[0]!r} does not apply to {kind}")
        options = {k: v for k, v in given.items() if k in _OPTIONS[kind]}
        return load(**options, input_format=input_format, classes=classes)
    except LgnError as error:
        where = error.where or ""
        where = where if where.startswith(str(path)) else f"{path}: {where}".rstrip(": ")
        raise FormatError(error.what, where=where, hint=error.hint) from None


_GATES = {"groups", "thresholds", "inputs"}
_OPTIONS = {
    "a .lgn file": set(),
    "a gate list": _GATES,
    "a torch-dwn checkpoint": _GATES,
    "a difflogic checkpoint": _GATES | {"indices"},
    "a torchlogix checkpoint": {"architecture"},
    "a Keras model": {"slots", "threshold"},
    "a file of Keras weights": {"architecture", "slots", "threshold"},
}


def _detect(path: Path) -> tuple[str, Callable[..., Network]]:
    """The kind of file, and the function that turns it into a Network."""
    data = read_file(path)
    if data.startswith(MAGIC):
        return "a .lgn file", lambda **options: _adapt(read_network(path), **options)
    if data.startswith(ZIP):
        names = zip_names(path)
        if any(name.endswith("data.pkl") for name in names):
            return _checkpoint(path)
        if any(name.endswith(".npy") for name in names):
            return "a gate list", _gates(gatelist.read_npz(data), "npz")
        if sparsepixels.is_keras(names):
            return "a Keras model", partial(sparsepixels.load_keras, path)
        raise FormatError(
            "a zip archive that is neither .npz nor a torch checkpoint nor a Keras model",
            hint=KINDS,
        )
    if data.startswith(sparsepixels.HDF5):
        return "a file of Keras weights", partial(sparsepixels.load_weights, path)
    if data[:1] == b"\x80":
        raise FormatError(
            "a bare pickle, which could run any program and is never loaded",
            hint="save the state_dict with torch.save of torch 1.6 or newer",
        )
    if b"\0" in data[:4096] or b"," not in data.partition(b"\n")[0]:
        raise FormatError("the content is of no known kind", hint=KINDS)
    return "a gate list", _gates(gatelist.read_csv(data), "csv")


def _adapt(
    network: Network, input_format: FixedPoint | str | None, classes: Sequence[str]
) -> Network:
    if input_format is not None:
        name, kind = next(iter(network.inputs.items()))
        new = input_type(kind.shape, bits=kind.is_bits, input_format=input_format)
        network = network.with_input(**{name: new})
    if classes:
        network = replace(network, classes=tuple(classes)).validate()
    return network


def _gates(layers: Sequence[gatelist.GateLayer], form: str) -> Callable[..., Network]:
    meta = {"source": f"gate list ({form})"}
    return lambda **options: gatelist.build(layers, meta=meta, **options)


def _checkpoint(path: Path) -> tuple[str, Callable[..., Network]]:
    loaded = load_torch(path)
    state, described = _unnested(loaded)
    if gatelist.is_checkpoint(state):
        return "a gate list", _gates(gatelist.from_checkpoint(state), "checkpoint")
    if torch_dwn.is_checkpoint(state):
        return "a torch-dwn checkpoint", partial(torch_dwn.from_checkpoint, state, loaded)
    if difflogic.is_checkpoint(state):
        return "a difflogic checkpoint", partial(difflogic.load, state, loaded, path)

    def load(architecture: str | Path | Mapping[str, Any] | None, **options: Any) -> Network:
        if architecture is None:
            architecture = described if described is not None else _beside(path)
        if not isinstance(architecture, Mapping):
            architecture = read_json(Path(architecture))
        return torchlogix.from_state_dict(state, architecture, **options)

    return "a torchlogix checkpoint", load


def _unnested(loaded: Any) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """The state_dict in a checkpoint, and the architecture where that is in it too."""
    state, described = loaded, None
    if isinstance(loaded, Mapping):
        nested = [loaded[key] for key in NESTED if isinstance(loaded.get(key), Mapping)]
        if nested:
            state, described = nested[0], loaded.get("architecture")
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise FormatError(
            f"the torch checkpoint holds a {type(loaded).__name__}, expected a state_dict"
        )
    return state, described if isinstance(described, Mapping) else None


def _beside(path: Path) -> Path:
    for candidate in (path.with_suffix(".json"), path.with_name("architecture.json")):
        if candidate.is_file():
            return candidate
    raise FormatError(
        "the checkpoint does not say how its layers are arranged, and there is no "
        f"{path.stem}.json or architecture.json beside it",
        hint="write one with json.dump(lgn_hdl.frontends.torchlogix.architecture(module), file)",
    )
