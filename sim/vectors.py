"""What a bench needs to know: samples, expected values at the end of every block, latencies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Block", "Vectors"]


@dataclass(frozen=True)
class Block:
    """Expected output of one block: an integer per sample, `latency` steps after the sample."""

    name: str
    path: str
    latency: int
    bits: int
    expected: list[int]


@dataclass(frozen=True)
class Vectors:
    """Contents of vectors.npz.

    The file holds `features` (n, F) int64 with `feature_width`, and for every block NAME in
    `blocks`: `NAME_bits` (n, bits) uint8, element 0 the least significant, and `NAME_latency`.
    `paths` are their places in the Verilog hierarchy, relative to the top; `latency` is the
    total. `interval` is the number of clocks between samples: beyond 1, one sample is worked on at
    a time and the only block is the result.
    """

    samples: list[int]
    input_bits: int
    latency: int
    interval: int
    blocks: list[Block]

    @classmethod
    def read(cls, path: str | Path) -> Vectors:
        """Read an .npz made by `lgn_hdl build`."""
        with np.load(path, allow_pickle=False) as data:
            width = int(data["feature_width"])
            blocks = [
                Block(
                    name=str(name),
                    path=str(where),
                    latency=int(data[f"{name}_latency"]),
                    bits=data[f"{name}_bits"].shape[1],
                    expected=as_integers(data[f"{name}_bits"]),
                )
                for name, where in zip(data["blocks"], data["paths"], strict=True)
            ]
            features = data["features"]
            bits = (features[:, :, None] >> np.arange(width) & 1).astype(np.uint8)
            return cls(
                samples=as_integers(bits.reshape(len(features), -1)),
                input_bits=features.shape[1] * width,
                latency=int(data["latency"]),
                interval=int(data["interval"]),
                blocks=blocks,
            )


def as_integers(bits: np.ndarray) -> list[int]:
    """One Python integer per row; element 0 of a row is the least significant bit."""
    packed = np.packbits(bits.astype(bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
