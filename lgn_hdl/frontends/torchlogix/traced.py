"""A tensor that stands for a batch in a traced forward: it holds the numbers of its elements.

What an operation did to a tensor is read off from where the numbers arrive, not from its
arguments; only its name is asked for, to know that it moves elements and computes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import NetworkError
from ..assemble import INPUT
from .arrange import arrangement, joined
from .record import Recorder

__all__ = ["BATCH", "Traced"]

#: Samples in the batch: more than one, so that it shows if samples get mixed.
BATCH = 3
#: Operations that ask for something and compute nothing.
ASKS = {
    "shape", "size", "dim", "ndim", "ndimension", "numel", "nelement", "__len__", "stride",
    "is_contiguous", "device", "layout", "is_cuda", "requires_grad", "is_floating_point",
    "is_complex", "is_sparse", "is_quantized", "is_meta",
}  # fmt: skip
#: Operations that take a part of the elements.
CUTS = {
    "__getitem__", "narrow", "select", "chunk", "split", "split_with_sizes", "tensor_split",
    "hsplit", "vsplit", "dsplit", "unsafe_chunk", "unsafe_split", "unbind",
}  # fmt: skip
#: Operations that move elements and nothing else.
MOVES = CUTS | {
    "view", "reshape", "view_as", "reshape_as", "flatten", "unflatten", "ravel", "squeeze",
    "unsqueeze", "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T",
    "mT", "contiguous", "clone", "detach", "data",
}  # fmt: skip
#: Operations that put tensors together.
JOINS = {"cat", "concat", "concatenate", "stack", "hstack", "dstack", "column_stack"}
#: Changes of the number type, which leave bits as they are; the first two real numbers as well.
CASTS = {"float", "double", "to", "type", "half", "bfloat16", "bool", "int", "long"}
DROPOUTS = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout"}


class Traced(Tensor):
    """A batch whose sample b holds the numbers of its elements, plus b times a constant.

    Parameters
    ----------
    recorder : Recorder
    source : str
        Name of the described tensor it stands for.
    bits : bool
        Whether the elements are bits.
    """

    recorder: Recorder
    source: str
    bits: bool

    @staticmethod
    def fresh(recorder: Recorder, source: str, shape: tuple[int, ...], *, bits: bool) -> Traced:
        """A batch of samples of `shape`, numbered row by row."""
        numbers = torch.arange(BATCH * prod(shape), dtype=torch.float64).view(BATCH, *shape)
        return Traced.around(numbers, recorder, source, bits=bits)

    @staticmethod
    def around(numbers: Tensor, recorder: Recorder, source: str, *, bits: bool) -> Traced:
        """A batch with these numbers and strides."""
        made = numbers.as_subclass(Traced)
        made.recorder, made.source, made.bits = recorder, source, bits
        return made

    @staticmethod
    def either(a: Traced, b: Traced, path: str) -> Traced:
        """The OR of two tensors of bits, for the module at `path`: one beside the other, pooled.

        Raises
        ------
        NetworkError
            If they are not of one shape.
        """
        if a.sample != b.sample or not (a.bits and b.bits):
            raise NetworkError(
                f"the branches of a residual block are {a.sample} and {b.sample}, expected bits "
                "of one shape",
                where=f"layer {path!r}",
            )
        add, size = a.recorder.add, prod(a.sample)
        rows = [add("Reshape", [x.source], {"shape": [1, 1, size]}) for x in (a, b)]
        both = add("Concat", rows, {"axis": 1})
        sizes = {"kernel_size": [2, 1], "stride": [1, 1], "padding": [0, 0]}
        pooled = add("OrPooling2d", [both], {"path": path, **sizes})
        source = add("Reshape", [pooled], {"shape": list(a.sample)})
        return Traced.fresh(a.recorder, source, a.sample, bits=True)

    @property
    def sample(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.shape[1:])

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = _name(func), kwargs or {}
        tensors = [value for value in _flat((args, kwargs)) if isinstance(value, Tensor)]
        ours = [value for value in tensors if isinstance(value, Traced)]
        with torch._C.DisableTorchFunctionSubclass():
            if name == "dtype":
                return torch.float32  # what the module sees; the numbers are wider to be exact
            if name in ASKS:
                return func(*args, **kwargs)
            if name in DROPOUTS and len(ours) == 1:
                return _undropped(name, ours[0], args, kwargs)
            if len(ours) == len(tensors) and name in CASTS:
                return _cast(name, ours[0], args, kwargs)
            if len(ours) == len(tensors) and name in JOINS:
                return _joined(name, ours, func(*args, **kwargs))
            if len(ours) == len(tensors) and name in MOVES:
                out = func(*args, **kwargs)
                if isinstance(out, Tensor):
                    return _moved(name, ours[0], out)
                return type(out)([_moved(name, ours[0], part) for part in out])
        raise _refusal(name, "is not understood")


def _undropped(name: str, x: Traced, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Traced:
    last = args[2] if len(args) > 2 else True
    if kwargs.get("training", kwargs.get("train", last)):
        raise _refusal(name, "drops elements in eval mode as well")
    return x


def _cast(name: str, x: Traced, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Traced:
    asked = {value for value in _flat((args, kwargs)) if isinstance(value, torch.dtype)}
    wide = name == "to" and asked <= {torch.float32, torch.float64}  # or to a device
    if not (x.bits or wide or name in ("float", "double")):
        raise _refusal(name, "changes numbers that are not bits yet")
    return x


def _moved(name: str, x: Traced, out: Tensor) -> Traced:
    """Record how the elements of `x` were moved to `out`."""
    before, after = _numbers(x), _numbers(out)
    if not after.ndim or len(after) != BATCH or not after.size:
        raise _refusal(name, "does not leave the batch as axis 0")
    numbers = before[0].ravel()
    order = np.argsort(numbers)
    places = order[np.searchsorted(numbers[order], after[0]) % numbers.size]
    offset = before.reshape(BATCH, -1)[1, 0] - numbers[0]
    if any(not np.array_equal(numbers[places] + b * offset, after[b]) for b in range(BATCH)):
        raise _refusal(name, "mixes samples")
    steps = arrangement(x.sample, places)
    if steps is None:
        raise _refusal(name, "moves elements as slices and permutations cannot")
    source = x.source
    x.recorder.cuts_input |= source == INPUT and name in CUTS
    for step in steps:
        fields = {key: value for key, value in step.items() if key != "type"}
        source = x.recorder.add(step["type"], [source], fields)
    return Traced.around(out.as_subclass(Tensor), x.recorder, source, bits=x.bits)


def _joined(name: str, parts: Sequence[Traced], out: Tensor) -> Traced:
    """Record how tensors were put together; torch lays the result out anew."""
    if out.ndim < 2 or len(out) != BATCH:
        raise _refusal(name, "does not leave the batch as axis 0")
    if len({part.bits for part in parts}) > 1:
        raise _refusal(name, "joins bits with other numbers")
    found = joined([_numbers(part)[0] for part in parts], _numbers(out)[0])
    if found is None:
        raise _refusal(name, "joins tensors in a way that is not understood")
    shapes, axis = found
    recorder, sources = parts[0].recorder, [part.source for part in parts]
    for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
        if shape != part.sample:
            sources[i] = recorder.add("Reshape", [part.source], {"shape": list(shape)})
    source = sources[0]
    if len(parts) > 1:
        source = recorder.add("Concat", sources, {"axis": axis})
    return Traced.fresh(recorder, source, tuple(out.shape[1:]), bits=parts[0].bits)


def _numbers(x: Tensor) -> np.ndarray:
    return x.as_subclass(Tensor).numpy().astype(np.int64)


def _name(func: Any) -> str:
    """Name of an operation, or of the attribute that is read."""
    name = getattr(func, "__name__", str(func))
    return func.__self__.__name__ if name == "__get__" else name


def _flat(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]


def _refusal(name: str, why: str) -> NetworkError:
    """The error about an operation, with the line of the forward that asked for it."""
    frame: FrameType | None = sys._getframe()
    inside = (str(Path(__file__).parents[2]), str(Path(torch.__file__).parent))
    while frame is not None and frame.f_code.co_filename.startswith(inside):
        frame = frame.f_back
    place = None
    if frame is not None:
        place = f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"
    return NetworkError(
        f"operation {name!r} {why}",
        where=place,
        hint="between layers, elements can be sliced, reshaped, permuted and joined",
    )
