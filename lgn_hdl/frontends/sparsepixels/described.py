"""From the description of a SparsePixels model with quantisers of HGQ2 to a Network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import FormatError, LgnError, NetworkError
from ...network import FixedPoint, Network
from .builder import Builder
from .quantizers import Rule

__all__ = ["FORMAT", "VERSION", "from_description"]

FORMAT, VERSION = "sparsepixels-network", 1
#: Fractional bits of the pixels, if nothing says how many: see `build.INPUT_FORMAT`.
FRACTION = 12


def from_description(
    described: Mapping[str, Any],
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Build the network that `describe` described.

    Parameters
    ----------
    described : mapping
    input_format : FixedPoint or str, optional
        Number format of the pixels. By default that of the first quantiser, with at least 12
        fractional bits if the input reduction stands in front of it.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Network
        Its outputs are the class and the numbers in front of the softmax, the decision and the
        number in front of the sigmoid, or the last numbers.

    Raises
    ------
    FormatError, NetworkError
        If it is no such description, or has what cannot be said exactly.
    """
    if described.get("format") != FORMAT or described.get("version") != VERSION:
        raise FormatError(
            f"the description is {described.get('format')!r}, version "
            f"{described.get('version')!r}, expected {FORMAT!r}, version {VERSION}"
        )
    number = FixedPoint.parse(input_format) if isinstance(input_format, str) else input_format
    try:
        layers = [dict(layer) for layer in described["layers"]]
        builder = Builder(tuple(described["input_shape"]), number or _input_format(layers))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"the description is not well formed: {error!r}") from None
    for layer in layers:
        where = f"layer {layer.get('name')!r}"
        try:
            if layer["type"] not in _MAKERS:
                raise NetworkError(
                    f"{layer['type']} is no layer of a SparsePixels model",
                    hint="expected " + ", ".join(_MAKERS),
                )
            _MAKERS[layer["type"]](builder, layer)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not well formed: {error!r}", where=where) from None
        except LgnError as error:
            raise error.at(where) from None
    return builder.network(classes)


def _input_format(layers: Sequence[Mapping[str, Any]]) -> FixedPoint:
    """What takes the numbers that the first quantiser keeps, and those between them."""
    for layer in layers:
        described = layer.get("quantizer") or layer.get("input_quantizer")
        if described is None:
            continue
        rule = Rule.read(described)
        in_front = layer["type"] == "Quantizer" and layer is layers[0]
        if rule.rounding == "RND_CONV" and rule.overflow == "SAT" and len(rule.formats) == 1:
            ((k, i, f),) = rule.formats
            f = f if in_front else max(f, FRACTION)
            return FixedPoint(k + i + f, f, signed=bool(k))
        several = len(rule.formats) > 1
        found = "differs between elements" if several else f"is {rule.rounding}, {rule.overflow}"
        raise NetworkError(
            f"the first quantiser {found}, so the number format of the pixels has to be given",
            where=f"layer {layer.get('name')!r}",
            hint="give input_format, or --input-format, of numbers that this quantiser keeps",
        )
    raise NetworkError(
        "no quantiser tells the number format of the pixels",
        hint="give input_format, or --input-format",
    )


_MAKERS: dict[str, Callable[[Builder, Mapping[str, Any]], None]] = {
    "Quantizer": Builder.standing_quantizer,
    "InputReduce": Builder.reduce,
    "QConv2DSparse": Builder.convolution,
    "AveragePooling2DSparse": lambda builder, layer: builder.pool(layer, "average"),
    "MaxPooling2DSparse": lambda builder, layer: builder.pool(layer, "max"),
    "Activation": lambda builder, layer: builder.function(layer["name"], layer["activation"]),
    "Flatten": Builder.flatten,
    "QDense": Builder.dense,
}
