"""The description of a torchlogix network as JSON holds it, every field checked.

Version 1 is a chain of layers. Version 2 is a graph: every layer has a name and says which tensors
it reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import FormatError, NetworkError
from ..assemble import INPUT

__all__ = ["CHAIN", "FORMAT", "GRAPH", "Description", "read_architecture", "unsupported"]

FORMAT = "torchlogix-architecture"
#: The versions of the description.
CHAIN, GRAPH = 1, 2

#: Layers of torchlogix that this version does not know.
PLANNED = {"LogicConvTranspose2d", "LogicConvTranspose3d"}

_SIZES = "sizes"
_LUTS: dict[str, Any] = {
    "lut_rank": int,
    "parametrization": str,
    "connections": str,
    "materialize_basis": bool,
}
_CONV: dict[str, Any] = {
    "in_dim": _SIZES,
    "channels": int,
    "num_kernels": int,
    "tree_depth": int,
    "receptive_field_size": _SIZES,
    "stride": _SIZES,
    "padding": _SIZES,
    **_LUTS,
}
_POOL: dict[str, Any] = {"kernel_size": _SIZES, "stride": _SIZES, "padding": _SIZES}
#: The options of every layer of the library, and their types.
FIELDS: dict[str, dict[str, Any]] = {
    "DummyBinarization": {},
    "FixedBinarization": {"feature_dim": int},
    "SoftBinarization": {"feature_dim": int},
    "LearnableBinarization": {"feature_dim": int, "temperature_softplus": (int, float)},
    "Flatten": {"start_dim": int, "end_dim": int},
    "LogicDense": {"in_dim": int, "out_dim": int, **_LUTS},
    "LogicConv2d": _CONV,
    "LogicConv3d": _CONV,
    "OrPooling2d": _POOL,
    "OrPooling3d": _POOL,
    "GroupSum": {"k": int, "tau": (int, float), "beta": (int, float)},
}
#: What a graph has besides: arrangements of elements, which have no path.
SHAPING: dict[str, dict[str, Any]] = {
    "Reshape": {"shape": list},
    "Permute": {"axes": list},
    "Slice": {"axis": int, "start": int, "stop": int},
    "Concat": {"axis": int},
}


@dataclass(frozen=True)
class Description:
    """A checked description.

    Parameters
    ----------
    layers : list of dict
        Each with `type` and its options, `path` unless it only arranges elements, and the `name`
        of the tensor it makes and the `inputs` it reads. Those of a chain have numbers as names.
    input_shape : tuple of int, optional
    output : str
        The tensor that is the result.
    graph : bool
        Whether names are the author's.
    unused : tuple of str
        Tensors of the state_dict that the network does not use.
    """

    layers: list[dict[str, Any]]
    input_shape: tuple[int, ...] | None
    output: str
    graph: bool = False
    unused: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Module paths of the layers."""
        return [layer["path"] for layer in self.layers if "path" in layer]


def unsupported(kind: str, path: str) -> NetworkError:
    """The error about a layer of the class `kind`."""
    if kind in PLANNED:
        return NetworkError(f"{kind} is not supported yet", where=f"layer {path!r}")
    return NetworkError(
        f"{kind} is not a layer this program knows",
        where=f"layer {path!r}",
        hint="expected torchlogix layers in a Sequential",
    )


def read_architecture(description: Mapping[str, Any]) -> Description:
    """The layers and input shape of a description.

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
    if type(version) is not int or not CHAIN <= version <= GRAPH:
        raise FormatError(f"version {version!r} is not known", where="architecture")
    layers, shape = description.get("layers"), description.get("input_shape")
    if not isinstance(layers, list) or not layers:
        raise FormatError("'layers' is not a list with layers in it", where="architecture")
    graph = version == GRAPH
    checked = [_checked(layer, i, graph) for i, layer in enumerate(layers)]
    if shape is not None:
        if not _is_sizes(shape) or 0 in shape:
            raise FormatError(f"'input_shape' is {shape!r}, expected sizes", where="architecture")
        shape = tuple(shape)
    if not graph:
        names = [INPUT, *map(str, range(len(checked)))]
        for layer, name, before in zip(checked, names[1:], names, strict=False):
            layer.update(name=name, inputs=[before])
        return Description(checked, shape, names[-1])
    _check_names(checked)
    output, unused = description.get("output"), description.get("unused", [])
    if not isinstance(output, str) or output not in {layer["name"] for layer in checked}:
        raise FormatError(f"'output' is {output!r}, which is no layer", where="architecture")
    if not isinstance(unused, list) or not all(isinstance(key, str) for key in unused):
        raise FormatError(f"'unused' is {unused!r}, expected keys", where="architecture")
    return Description(checked, shape, output, True, tuple(unused))


def _checked(layer: Any, number: int, graph: bool) -> dict[str, Any]:
    where = f"architecture, layer {number}"
    if not isinstance(layer, dict) or not isinstance(layer.get("type"), str):
        raise FormatError("has no 'type'", where=where)
    kind, shaping = layer["type"], graph and layer["type"] in SHAPING
    if kind not in FIELDS and not shaping:
        raise unsupported(kind, str(layer.get("path", number)))
    fields = SHAPING[kind] if shaping else {"path": str, **FIELDS[kind]}
    layer = dict(layer)
    if "materialize_basis" in fields:
        layer.setdefault("materialize_basis", False)
    for name, expected in fields.items():
        value = layer.get(name)
        if expected == _SIZES:
            layer[name] = _sizes(value, 3 if kind.endswith("3d") else 2)
            fits = layer[name] is not None
        elif expected is list:
            fits = _is_sizes(value, empty=True)
        else:
            fits = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
        if not fits:
            raise FormatError(f"{kind}: {name!r} is {value!r}", where=where)
    return layer


def _check_names(layers: list[dict[str, Any]]) -> None:
    known = {INPUT}
    for number, layer in enumerate(layers):
        where = f"architecture, layer {number}"
        name, inputs = layer.get("name"), layer.get("inputs")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            raise FormatError(f"'name' is {name!r}, expected letters and digits", where=where)
        if name in known or name == "class":
            raise FormatError(f"the name {name!r} is taken already", where=where)
        if not isinstance(inputs, list) or not inputs:
            raise FormatError(f"'inputs' is {inputs!r}, expected names of tensors", where=where)
        missing = [read for read in inputs if read not in known]
        if missing:
            raise FormatError(
                f"reads {missing[0]!r}, which no earlier layer makes",
                where=where,
                hint=f"the input is {INPUT!r}; layers stand in the order in which they run",
            )
        if layer["type"] != "Concat" and len(inputs) != 1:
            raise FormatError(f"reads {len(inputs)} tensors, expected one", where=where)
        known.add(name)


def _is_sizes(value: Any, *, empty: bool = False) -> bool:
    return (
        isinstance(value, list)
        and (empty or bool(value))
        and all(type(n) is int and n >= 0 for n in value)
    )


def _sizes(value: Any, axes: int) -> tuple[int, ...] | None:
    """One number per axis, of which a single one is for all of them."""
    if type(value) is int:
        value = [value] * axes
    return tuple(value) if _is_sizes(value) and len(value) == axes else None
