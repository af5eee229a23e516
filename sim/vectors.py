"""What a bench needs to know: samples, expected values at the end of every block, latencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Block", "Vectors"]


@dataclass(frozen=True)
class Block:
    """Expected output of one block: an integer per sample, `latency` steps after the sample.

    `care` has the bits that are compared, an integer per sample.
    """

    name: str
    path: str
    latency: int
    bits: int
    expected: list[int]
    care: list[int]


@dataclass(frozen=True)
class Vectors:
    """Contents of vectors.npz.

    The file holds `features` (n, F) int64 with `feature_width`, and for every block NAME in
    `blocks`: `NAME_bits` (n, bits) uint8, element 0 the least significant, and `NAME_latency`.
    `paths` are their places in the Verilog hierarchy, relative to the top; `latency` is the
    total. `interval` is the number of clocks between samples. Beyond 1, one sample is worked on at
    a time and the only block is the result; or, if the file says `overlaps`, samples follow each
    other as in a pipeline, the first one `startup` clocks after reset.

    A build with a front end also has `payload` (m, bits) uint8, what is sent step by step, and
    `completes` (m,), the sample that a step is the last of, or -1. Latencies count from that step;
    the first `front_latency` registers are those of the front end.

    A chain of blocks with streams between them is `elastic`: `payload` and `completes` as above,
    latencies count from the first step of a sample, the path of a block is that of its wires
    `PATH__payload`, `__valid` and `__ready`, and `NAME_care` has 1 for the bits that are compared.
    """

    steps: list[int]
    completes: list[int | None]
    input_bits: int
    latency: int
    interval: int
    front_latency: int
    overlaps: bool
    startup: int
    elastic: bool
    blocks: list[Block]

    @property
    def results(self) -> int:
        """Number of samples that are complete, and so have a result."""
        return sum(sample is not None for sample in self.completes)

    @classmethod
    def read(cls, path: str | Path) -> Vectors:
        """Read an .npz made by `lgn_hdl build`."""
        with np.load(path, allow_pickle=False) as data:
            width = int(data["feature_width"])
            blocks = [
                _block(data, str(name), str(where))
                for name, where in zip(data["blocks"], data["paths"], strict=True)
            ]
            if "payload" in data:
                payload = data["payload"]
                completes = [n if n >= 0 else None for n in data["completes"].tolist()]
                front_latency = int(data["front_latency"])
            else:
                features = data["features"]
                bits = (features[:, :, None] >> np.arange(width) & 1).astype(np.uint8)
                payload = bits.reshape(len(features), -1)
                completes, front_latency = list(range(len(payload))), 0
            return cls(
                steps=as_integers(payload),
                completes=completes,
                input_bits=payload.shape[1],
                latency=int(data["latency"]),
                interval=int(data["interval"]),
                front_latency=front_latency,
                overlaps=bool(data["overlaps"]),
                startup=int(data["startup"]),
                elastic="elastic" in data and bool(data["elastic"]),
                blocks=blocks,
            )


def _block(data: Mapping[str, np.ndarray], name: str, where: str) -> Block:
    bits = data[f"{name}_bits"]
    care = data[f"{name}_care"] if f"{name}_care" in data else np.ones_like(bits)
    return Block(
        name=name,
        path=where,
        latency=int(data[f"{name}_latency"]),
        bits=bits.shape[1],
        expected=as_integers(bits),
        care=as_integers(care),
    )


def as_integers(bits: np.ndarray) -> list[int]:
    """One Python integer per row; element 0 of a row is the least significant bit."""
    packed = np.packbits(bits.astype(bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
