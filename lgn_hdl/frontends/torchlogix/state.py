"""Checked access to a state_dict, and to the description of its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from torch import Tensor

from ...errors import FormatError
from .architecture import FORMAT, VERSION, unsupported

__all__ = ["State", "read_architecture"]

#: The options of every layer, and their types.
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "DummyBinarization": {},
    "FixedBinarization": {"feature_dim": int},
    "SoftBinarization": {"feature_dim": int},
    "LearnableBinarization": {"feature_dim": int, "temperature_softplus": (int, float)},
    "Flatten": {"start_dim": int, "end_dim": int},
    "LogicDense": {
        "in_dim": int,
        "out_dim": int,
        "lut_rank": int,
        "parametrization": str,
        "connections": str,
        "materialize_basis": bool,
    },
    "GroupSum": {"k": int, "tau": (int, float), "beta": (int, float)},
}
#: What wrappers (data parallelism, torch.compile) put in front of every key.
WRAPPERS = ("module.", "_orig_mod.")
#: Buffers of torchlogix' export mode: copies of what the layers hold anyway.
EXPORTED = ("_export_lut_ids", "connections._export_indices")


def read_architecture(
    description: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], tuple[int, ...] | None]:
    """Layers and input shape of a description, every field checked.

    Raises
    ------
    FormatError
        If it is not a description, or a field is missing or of the wrong type.
    NetworkError
        If a layer is not supported.
    """
    if not isinstance(description, Mapping) or description.get("format") != FORMAT:
        raise FormatError(
            f"not a description of a torchlogix network: no format {FORMAT!r}",
            where="architecture",
            hint="write one with lgn_hdl.frontends.torchlogix.architecture(module)",
        )
    version = description.get("version")
    if type(version) is not int or version > VERSION:
        raise FormatError(f"version {version!r} is not known", where="architecture")
    layers, shape = description.get("layers"), description.get("input_shape")
    if not isinstance(layers, list) or not layers:
        raise FormatError("'layers' is not a list with layers in it", where="architecture")
    checked = [_checked(layer, i) for i, layer in enumerate(layers)]
    if shape is None:
        return checked, None
    if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape) or not shape:
        raise FormatError(f"'input_shape' is {shape!r}, expected sizes", where="architecture")
    return checked, tuple(shape)


def _checked(layer: Any, number: int) -> dict[str, Any]:
    where = f"architecture, layer {number}"
    if not isinstance(layer, dict) or not isinstance(layer.get("type"), str):
        raise FormatError("has no 'type'", where=where)
    if layer["type"] not in FIELDS:
        raise unsupported(layer["type"], str(layer.get("path", number)))
    for name, kind in {"path": str, **FIELDS[layer["type"]]}.items():
        if name == "materialize_basis" and name not in layer:
            layer = {**layer, name: False}
        value = layer.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise FormatError(f"{layer['type']}: {name!r} is {value!r}", where=where)
    return layer


class State:
    """A state_dict that knows which of its tensors were read.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    paths : sequence of str
        Module paths of the described layers.

    Raises
    ------
    FormatError
        If something in it is not a tensor.
    """

    def __init__(self, tensors: Mapping[str, Any], paths: Sequence[str]):
        wrong = [key for key, value in tensors.items() if not isinstance(value, Tensor)]
        if wrong:
            raise FormatError(
                f"{wrong[0]!r} is a {type(tensors[wrong[0]]).__name__}, expected a tensor",
                where="state_dict",
            )
        self._tensors = {_unwrapped(key, tensors, paths): value for key, value in tensors.items()}
        self._read: set[str] = set()

    @overload
    def get(self, path: str, name: str) -> Tensor: ...
    @overload
    def get(self, path: str, name: str, *, required: Literal[False]) -> Tensor | None: ...
    def get(self, path: str, name: str, *, required: bool = True) -> Tensor | None:
        """The tensor `name` of the layer at `path`.

        Raises
        ------
        FormatError
            If it is required and not there.
        """
        key = f"{path}.{name}" if path else name
        if key in self._tensors:
            self._read.add(key)
            return self._tensors[key]
        if required:
            raise FormatError(f"the state_dict has no {key!r}", hint=self._hint(path, name))
        return None

    def wiring(self, path: str, shape: tuple[int, int], *, learnable: bool) -> Tensor:
        """`connections.indices` of a LogicDense, of shape (rank, neurons) or with candidates first.

        Raises
        ------
        FormatError
            If the indices are missing, not integers, or of another shape.
        """
        indices = self.get(path, "connections.indices")
        expected = ("candidates", *shape) if learnable else shape
        found = tuple(indices.shape)
        if len(found) != len(expected) or found[-2:] != shape or found[0] < 1:
            text = str(expected).replace("'", "")
            raise FormatError(f"connections.indices have the shape {found}, expected {text}")
        if indices.is_floating_point() or indices.is_complex():
            raise FormatError(f"connections.indices are {indices.dtype}, expected integers")
        return indices

    def check_all_read(self) -> None:
        """Refuse a state_dict of another network.

        Raises
        ------
        FormatError
            If it has a tensor that no described layer reads.
        """
        left = [k for k in self._tensors if k not in self._read and not k.endswith(EXPORTED)]
        if left:
            raise FormatError(
                f"the state_dict has {left[0]!r}, which no layer of the architecture reads",
                hint="the architecture belongs to another network",
            )

    def _hint(self, path: str, name: str) -> str | None:
        if name == "connections.indices" and self.get(path, "weight", required=False) is not None:
            return "without its wiring a network cannot be known; save the whole state_dict"
        return "the architecture may belong to another network"


def _unwrapped(key: str, tensors: Mapping[str, Any], paths: Sequence[str]) -> str:
    for wrapper in WRAPPERS:
        everywhere = all(k.startswith(wrapper) for k in tensors)
        if everywhere and not any(path.startswith(wrapper) for path in paths):
            return key.removeprefix(wrapper)
    return key
