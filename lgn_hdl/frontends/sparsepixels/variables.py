"""What a file holds of a layer: bits of its quantisers, and constants, which it quantises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import FormatError, NetworkError
from .constants import integers_of, quantized
from .keras_file import snake_case

__all__ = ["Variables"]

#: Variables of a quantiser in their order; those that are trained stand first.
_KIF = {"kif": ("i", "f", "k"), "kbi": ("b", "i", "k")}
_KIF_WRAP = {"kif": ("f", "k", "i"), "kbi": ("b", "k", "i")}


class Variables:
    """The stored variables of one layer."""

    def __init__(self, stored: Mapping[str, np.ndarray], kind: str, number: int):
        self.stored, self.folder = stored, snake_case(kind) + (f"_{number}" if number else "")

    def __call__(self, place: str, number: int) -> np.ndarray:
        path = "/".join(filter(None, ("layers", self.folder, place, "vars", str(number))))
        if path not in self.stored:
            raise FormatError(f"the file has no variable {path!r}")
        return self.stored[path]

    def quantizer(self, conf: Mapping[str, Any], place: str) -> dict[str, Any] | None:
        """Rounding, overflow, and arrays k, i and f."""
        config = conf["config"]
        q_type = config["q_type"]
        if q_type == "dummy":
            return None
        if config.get("scaler") is not None or config.get("affine") is not None:
            raise NetworkError("its quantiser scales or shifts numbers, expected one that does not")
        if q_type not in _KIF:
            raise NetworkError(f"its quantiser is {q_type!r}, expected fixed point: kif or kbi")
        overflow = config["overflow_mode"].upper()
        order = (_KIF_WRAP if overflow == "WRAP" else _KIF)[q_type]
        place = f"{place}/quantizer" if place else "quantizer"
        bits = {
            name: np.rint(self(place, number)).astype(np.int64) for number, name in enumerate(order)
        }
        if q_type == "kbi":
            bits["f"] = bits["b"] - bits["i"]
        kif = {name: bits[name] for name in "kif"}
        return {"rounding": config["round_mode"].upper(), "overflow": overflow, **kif}

    def lane(self, conf: Mapping[str, Any] | None, place: str) -> dict[str, Any] | None:
        """A quantiser of numbers, as in a description."""
        found = None if conf is None else self.quantizer(conf, place)
        if found is None:
            return None
        for name in "kif":
            values = found[name]
            single = bool((values == values.flat[0]).all())
            found[name] = int(values.flat[0]) if single else values[0].tolist()
        return found

    def constants(
        self, conf: Mapping[str, Any], place: str, number: int, quantizer: str
    ) -> dict[str, Any]:
        """Trained constants, quantised."""
        values = self(place, number).astype(np.float32)
        rule, config = self.quantizer(conf, quantizer), conf["config"]
        if rule is None:
            return integers_of(values)
        # HGQ2 lets the range of constants that wrap follow the constants themselves.
        follows = config["is_weight"] and config["trainable"] and rule["overflow"] == "WRAP"
        follows &= config["q_type"] == "kif" or rule["rounding"] == "RND"
        return integers_of(quantized(values, rule, wraps=not follows))
