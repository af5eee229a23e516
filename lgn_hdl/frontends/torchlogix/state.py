"""Checked access to a state_dict."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from torch import Tensor

from ...errors import FormatError

__all__ = ["State"]

#: What wrappers (data parallelism, torch.compile) put in front of every key.
WRAPPERS = ("module.", "_orig_mod.")
#: Buffers of torchlogix' export mode: copies of what the layers hold anyway.
EXPORTED = re.compile(r"(^|\.)(_export_lut_ids(_L\d+)?|connections\._export_indices)$")


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

    def check_all_read(self, unused: Sequence[str] = ()) -> None:
        """Refuse a state_dict of another network.

        Parameters
        ----------
        unused : sequence of str
            Keys that the network is known not to use.

        Raises
        ------
        FormatError
            If it has a tensor that no described layer reads.
        """
        known = {*self._read, *unused}
        left = [k for k in self._tensors if k not in known and not EXPORTED.search(k)]
        if left:
            raise FormatError(
                f"the state_dict has {left[0]!r}, which no layer of the architecture reads",
                hint="the architecture belongs to another network",
            )

    def _hint(self, path: str, name: str) -> str | None:
        beside = f"{path}." if path else ""
        others = (key for key in self._tensors if key.startswith(beside))
        if name.startswith("connections.") and any("weight" in key for key in others):
            return "without its wiring a network cannot be known; save the whole state_dict"
        return "the architecture may belong to another network"


def _unwrapped(key: str, tensors: Mapping[str, Any], paths: Sequence[str]) -> str:
    for wrapper in WRAPPERS:
        everywhere = all(k.startswith(wrapper) for k in tensors)
        if everywhere and not any(path.startswith(wrapper) for path in paths):
            return key.removeprefix(wrapper)
    return key
