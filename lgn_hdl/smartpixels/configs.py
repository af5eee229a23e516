"""Shapes of the logic-gate networks, and how many gates they have: plain data, no torchlogix."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ..errors import LgnError
from .dataset import ROWS
from .features import EARLY_SLICES, FEATURES
from .labels import CLASSES

__all__ = ["PRESETS", "ConvConfig", "DenseConfig"]


@dataclass(frozen=True)
class DenseConfig:
    """Thermometer, dense layers of two-input gates, group sum.

    Parameters
    ----------
    layers : tuple of int
        Gates of each layer; the last must divide among the classes.
    features : int
        9 or 14.
    bits : int
        Thresholds per feature.
    tau : float
        Of the group sum.
    shared_thresholds : bool
        One set of thresholds for all rows of the profile, y0 having its own.
    classes : int
    """

    layers: tuple[int, ...]
    features: int = 9
    bits: int = 100
    tau: float = 40.0
    shared_thresholds: bool = False
    classes: int = len(CLASSES)

    def __post_init__(self) -> None:
        if self.features not in FEATURES[:2]:
            raise LgnError(f"a dense network of {self.features} features, expected 9 or 14")
        _check(self.layers, self.bits, self.tau, self.classes)

    @property
    def gates(self) -> int:
        """Trained gates."""
        return sum(self.layers)


@dataclass(frozen=True)
class ConvConfig:
    """Logic convolutions over (y, t), y0 beside them, dense layers, group sum.

    Two convolutions, OR pooling 2/2, two convolutions of which the last has stride 2; windows 3x3,
    padding 1, trees of depth 3. y0's bits join after them.

    Parameters
    ----------
    kernels : tuple of four int
        Of the convolutions.
    head : tuple of int
        Gates of the dense layers; the last must divide among the classes.
    bits : int
        Thresholds per feature, the channels of the image.
    tau : float
        Of the group sum.
    shared_thresholds : bool
        One set of thresholds for all 104 profile features, y0 having its own.
    talk_view : bool
        Take the bits as (bits, 13, 8) without permuting, as the talk's code does: that scrambles
        features and thresholds. Else channels are thresholds and pixels are features.
    """

    kernels: tuple[int, int, int, int]
    head: tuple[int, ...]
    bits: int = 100
    tau: float = 20.0
    shared_thresholds: bool = False
    talk_view: bool = False

    def __post_init__(self) -> None:
        if len(self.kernels) != 4 or min(self.kernels) < 1:
            raise LgnError(f"kernels are {self.kernels}, expected four positive numbers")
        _check(self.head, self.bits, self.tau, self.classes)

    features, classes = FEATURES[2], len(CLASSES)
    window, padding, tree_depth = 3, 1, 3

    @property
    def image(self) -> tuple[int, int]:
        """Rows and slices."""
        return ROWS, EARLY_SLICES

    @property
    def pooled(self) -> tuple[int, int]:
        """The image after pooling."""
        return ROWS // 2, EARLY_SLICES // 2

    @property
    def final(self) -> tuple[int, int]:
        """The image after the convolution with stride 2."""
        rows, slices = self.pooled
        return (rows - 1) // 2 + 1, (slices - 1) // 2 + 1

    @property
    def joined(self) -> int:
        """Bits that the first dense layer sees."""
        return self.bits + self.kernels[-1] * prod(self.final)

    @property
    def gates(self) -> int:
        """Trained gates; a kernel's tree counts once, not at every position."""
        return sum(self.kernels) * (2**self.tree_depth - 1) + sum(self.head)

    @property
    def gates_in_parallel(self) -> int:
        """Gates if every position of every kernel is hardware of its own, pooling left out."""
        full, pooled, final = prod(self.image), prod(self.pooled), prod(self.final)
        places = (full, full, pooled, final)
        tree = 2**self.tree_depth - 1
        kernels = sum(k * p for k, p in zip(self.kernels, places, strict=True))
        return kernels * tree + sum(self.head)


def _check(layers: tuple[int, ...], bits: int, tau: float, classes: int) -> None:
    if not layers or min(layers) < 1:
        raise LgnError(f"dense layers are {layers}, expected at least one of positive size")
    if layers[-1] % classes:
        raise LgnError(
            f"the last layer has {layers[-1]} gates, expected a multiple of {classes} classes"
        )
    if bits < 1 or not tau > 0:
        raise LgnError(f"{bits} bits a feature and tau {tau}, expected positive numbers")


#: The talk's networks at full size, and the sizes of the committed examples.
PRESETS: dict[str, DenseConfig | ConvConfig] = {
    "dense": DenseConfig((12000, 12000, 12000, 8000, 8000, 8000, 6000)),
    "conv": ConvConfig((256, 512, 1024, 960), (12000, 12000, 6000, 3000)),
    # The talk has 1,000 in the last layer, which three classes cannot share.
    "conv-small-head": ConvConfig((256, 512, 1024, 960), (2000, 4000, 2000, 1002)),
    "dense-example": DenseConfig((2000, 1600, 1200), bits=24, tau=12.0, shared_thresholds=True),
    "conv-example": ConvConfig(
        (32, 48, 64, 96), (2400, 1800, 1200), bits=32, tau=14.0, shared_thresholds=True
    ),
}
