"""Models of sparsepixels 0.3 with quantisers of HGQ2, and images for them; weights are random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from hgq.layers import QDense, Quantizer
from hgq.quantizer.config import QuantizerConfig
from sparsepixels.layers import (
    AveragePooling2DSparse,
    InputReduce,
    MaxPooling2DSparse,
    QConv2DSparse,
)

__all__ = ["Case", "cases"]

SAMPLES = 24
#: Numbers of layers are rounded so by default: what a Network can say.
LANE = {"q_type": "kif", "place": "datalane", "round_mode": "RND_CONV", "overflow_mode": "SAT"}


@dataclass
class Case:
    """A model, its images (n, H, W, C), and the number format of these."""

    model: Any
    x: np.ndarray
    input_format: str | None = "ufixed<8,1>"


def lane(i: int = 2, f: int = 6, k: int = 1, **changes: Any) -> QuantizerConfig:
    """A quantiser of numbers, one format for all."""
    options = {**LANE, "heterogeneous_axis": (), "k0": k, "i0": i, "f0": f, **changes}
    return QuantizerConfig(**options)


def constant(b: int = 5, i: int = 1, place: str = "weight", **changes: Any) -> QuantizerConfig:
    """A quantiser of constants, whose bits differ from one to the next (see `randomize`)."""
    options = {"round_mode": "RND", "overflow_mode": "SAT_SYM", **changes}
    return QuantizerConfig("kbi", place, b0=b, i0=i, **options)


@dataclass
class Chain:
    """Layers one after another, built as they are asked for."""

    shape: tuple[int, int, int]
    quantizer: Callable[..., QuantizerConfig] = lane
    constants: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = self.x = keras.Input(self.shape, name="x_in")
        self.mask: Any = None
        self.number = 0

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def rounded(self, **options: Any) -> Chain:
        self.x = Quantizer(lane(**options), name=self.name("quantizer"))(self.x)
        return self

    def reduce(self, n: int = 10, threshold: float = 0.0, learn: bool = False) -> Chain:
        layer = InputReduce(
            n=n, threshold=threshold, learn_n=learn, learn_threshold=learn, name="reduce"
        )
        self.x, self.mask = layer(self.x)
        return self

    def conv(
        self, filters: int = 2, size: Any = 3, activation: str | None = "relu", **options: Any
    ) -> Chain:
        layer = QConv2DSparse(
            filters=filters,
            kernel_size=size,
            padding="same",
            strides=1,
            activation=activation,
            name=self.name("conv"),
            iq_conf=options.pop("iq", None) or self.quantizer(),
            kq_conf=constant(**self.constants),
            bq_conf=constant(**{**self.constants, "place": "bias"}),
            **options,
        )
        self.x = layer([self.x, self.mask])
        return self

    def pool(self, size: Any = 3, kind: str = "average", **options: Any) -> Chain:
        of_kind = {"average": AveragePooling2DSparse, "max": MaxPooling2DSparse}[kind]
        self.x, self.mask = of_kind(size, name=self.name("pool"), **options)([self.x, self.mask])
        return self

    def relu(self) -> Chain:
        self.x = keras.layers.ReLU(name=self.name("relu"))(self.x)
        return self

    def flatten(self) -> Chain:
        self.x = keras.layers.Flatten(name="flatten")(self.x)
        return self

    def dense(self, units: int = 4, activation: str | None = "relu", **options: Any) -> Chain:
        layer = QDense(
            units,
            activation=activation,
            name=self.name("dense"),
            iq_conf=options.pop("iq", None) or self.quantizer(),
            kq_conf=constant(**self.constants),
            bq_conf=constant(**{**self.constants, "place": "bias"}),
            **options,
        )
        self.x = layer(self.x)
        return self

    def end(self, function: str = "softmax", units: int = 3, **options: Any) -> Any:
        if self.mask is not None and len(self.x.shape) == 4:
            self.flatten()
        self.dense(units, None, **options)
        if function != "linear":
            self.x = keras.layers.Activation(function, name=function)(self.x)
        return keras.Model(self.start, self.x)


def images(
    rng: np.random.Generator,
    shape: Sequence[int],
    threshold: float = 0.0,
    fraction: int = 7,
    largest: float = 255 / 128,
    low: float = 0.0,
) -> np.ndarray:
    """Empty, one pixel in each corner, on the edges, full, at the threshold, and random ones."""
    height, width, channels = shape
    x = np.zeros((SAMPLES, height, width, channels))

    def some(*size: int) -> np.ndarray:
        return rng.uniform(low, largest, (*size, channels))

    for n, place in enumerate([(0, 0), (0, -1), (-1, 0), (-1, -1)], start=1):
        x[n][place] = some()
    x[5, 0], x[5, -1], x[5, :, 0], x[5, :, -1] = (
        some(width),
        some(width),
        some(height),
        some(height),
    )
    x[6] = some(height, width)
    x[7] = largest
    x[8, :, ::2] = threshold
    x[9, height // 2] = some(width)
    for n in range(10, SAMPLES):
        kept = rng.random((height, width)) < rng.choice([0.02, 0.05, 0.1, 0.2, 0.4])
        x[n] = some(height, width) * kept[..., None]
    step = 2.0**-fraction
    x[12:16] = np.rint(x[12:16] * 4) / 4  # equal pixels, whose sums can be zero
    return np.clip(np.rint(x / step) * step, min(low, 0), largest).astype(np.float32)


def randomize(model: Any, rng: np.random.Generator, bits: tuple[int, int] = (0, 6)) -> Any:
    """Random constants, some beyond their quantisers' range, with a number of bits each."""
    for layer in model.layers:
        inner = getattr(layer, "conv", layer)
        if not hasattr(inner, "kq"):
            continue
        for variable, quantizer in (
            (inner._kernel, inner.kq),
            (getattr(layer, "sparse_bias", getattr(inner, "bias", None)), None),
        ):
            if variable is not None:
                variable.assign(rng.normal(0, 1, variable.shape))
            if quantizer is not None and bits[0] < bits[1]:
                b = quantizer.quantizer._b
                b.assign(rng.integers(*bits, b.shape, endpoint=True))
    return model


def plain(
    rng: np.random.Generator,
    chain: Chain,
    end: Callable[[Chain], Any],
    input_format: str | None = "ufixed<8,1>",
    bits: tuple[int, int] = (0, 6),
    **options: Any,
) -> Case:
    """A model with random constants, and images."""
    model = randomize(end(chain), rng, bits)
    return Case(model, images(rng, chain.shape, **options), input_format)


def trained(rng: np.random.Generator, kind: str, learn: bool) -> Case:
    """A model that has learned for a moment to tell the sides that most light falls on."""
    shape = (12, 12, 1)
    chain = Chain(shape).reduce(12, 0.1, learn).conv(2, 3).pool(3, kind).conv(3, 3)
    model = chain.pool(2, kind).flatten().dense(8).end(units=4)
    x = np.concatenate([images(rng, shape) for _ in range(8)])
    middle = x[:, :6].sum((1, 2, 3)) > x[:, 6:].sum((1, 2, 3))
    right = x[:, :, :6].sum((1, 2, 3)) > x[:, :, 6:].sum((1, 2, 3))
    y = keras.utils.to_categorical(middle * 2 + right, 4)
    keras.utils.set_random_seed(int(rng.integers(1 << 30)))
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    model.fit(x, y, epochs=6, batch_size=32, verbose=0)
    return Case(model, images(rng, shape))


def between_slots(rng: np.random.Generator) -> Case:
    """A learned share of the slots between two numbers: in double precision it is above the tie."""
    chain = Chain((8, 8, 1)).reduce(7, 0.1, learn=True)
    model = randomize(chain.conv().pool(2).end(), rng)
    model.get_layer("reduce").n_frac.assign(0.35714287)
    return Case(model, images(rng, chain.shape, 0.1))


def cases() -> dict[str, Callable[[np.random.Generator], Case]]:
    """By name: what makes a case from a source of random numbers."""
    one = (12, 12, 1)
    found: dict[str, Callable[[np.random.Generator], Case]] = {}

    def add(name: str, chain: Callable[[], Chain], end: Callable[[Chain], Any], **options: Any):
        found[name] = lambda rng: plain(rng, chain(), end, **options)

    def small(chain: Chain) -> Any:
        return chain.conv().pool().end()

    add("basic", lambda: Chain(one).reduce(), lambda c: c.conv().pool().flatten().dense().end())
    add(
        "two_stages",
        lambda: Chain((12, 12, 2)).reduce(),
        lambda c: c.conv(3).pool(2).conv(2).pool(2).end(),
    )
    add(
        "conv_conv",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(1, 5).conv(3, 3).pool(2, "max").end(),
    )
    for size in (1, 5, 7, 9, (3, 5)):
        add(
            f"kernel_{size}".replace(", ", "x").strip(")").replace("(", ""),
            lambda: Chain((10, 8, 1)).reduce(),
            lambda c, s=size: c.conv(2, s).pool(2).end(),
        )
    add("rectangles", lambda: Chain((9, 13, 1)).reduce(), lambda c: c.conv().pool((2, 3)).end())
    add("partial_windows", lambda: Chain((11, 10, 1)).reduce(), small)
    add(
        "same_padding",
        lambda: Chain(one).reduce(),
        lambda c: c.conv().pool(3, padding="same").end(),
    )
    add(
        "max_partial",
        lambda: Chain((11, 10, 1)).reduce(12),
        lambda c: c.conv(3).pool(4, "max").end(),
    )
    add("channels", lambda: Chain((8, 8, 3)).reduce(), small)
    for n in (1, 2, 64, 100):
        add(f"slots_{n}", lambda n=n: Chain((8, 8, 1)).reduce(n), small)
    add("threshold", lambda: Chain(one).reduce(10, 0.25), small, threshold=0.25)
    add("threshold_tenth", lambda: Chain(one).reduce(10, 0.1), small, threshold=0.1)
    add(
        "threshold_negative",
        lambda: Chain((6, 6, 1)).reduce(10, -0.25),
        small,
        threshold=-0.25,
        low=-1,
        input_format="fixed<9,2>",
    )
    add(
        "signed_pixels",
        lambda: Chain((8, 8, 2)).reduce(),
        small,
        low=-1.5,
        input_format="fixed<9,2>",
    )
    for k, i, f in ((1, 0, 4), (1, 2, 10), (0, 1, 0), (1, -1, 6), (0, -2, 9), (1, 8, -1)):
        add(
            f"lane_{k}_{i}_{f}".replace("-", "m"),
            lambda k=k, i=i, f=f: Chain(one, lambda: lane(i, f, k)).reduce(),
            small,
        )
    for b, i in ((2, 0), (10, 2), (4, -1), (3, 5)):
        add(
            f"constants_{b}_{i}".replace("-", "m"),
            lambda b=b, i=i: Chain(one, constants={"b": b, "i": i}).reduce(),
            small,
        )
    for rounding in ("RND", "RND_CONV", "TRN"):
        for overflow in ("SAT", "SAT_SYM", "WRAP"):
            options = {"round_mode": rounding, "overflow_mode": overflow, "b": 4, "i": 0}
            add(
                f"constants_{rounding}_{overflow}".lower(),
                lambda options=options: Chain(one, constants=options).reduce(),
                small,
            )
    wide = {"round_mode": "RND", "overflow_mode": "WRAP", "i": 10, "f": 12}
    add(
        "wrap_that_keeps",
        lambda: Chain(one, lambda: lane(**wide)).reduce(),
        lambda c: c.conv(1).conv(2).pool(2, "max").end(),
        bits=(0, 2),
    )
    every = {**wide, "heterogeneous_axis": None, "homogeneous_axis": (0,)}
    add(
        "each_element_kept",
        lambda: Chain((6, 6, 1), lambda: lane(**every)).reduce(),
        lambda c: c.conv().pool(2, "max").end(),
    )
    add(
        "half_up_without_ties",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(1, 3).pool(3).end(iq=lane(6, 14, round_mode="RND")),
    )
    add(
        "symmetric_behind_relu",
        lambda: Chain(one).reduce(),
        lambda c: c.conv().pool().end(iq=lane(0, 4, overflow_mode="SAT_SYM")),
    )
    add(
        "sign_only",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(iq=lane(1, -1)).pool().flatten().dense().end(iq=lane(0, 0)),
        low=-1.5,
        input_format="fixed<9,2>",
    )
    add(
        "no_bias",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(use_bias=False).pool().flatten().dense(4, use_bias=False).end(),
    )
    add("no_pool", lambda: Chain((6, 6, 1)).reduce(), lambda c: c.conv().end())
    add("no_conv", lambda: Chain((6, 6, 1)).reduce(), lambda c: c.end())
    add("no_relu", lambda: Chain(one).reduce(), lambda c: c.conv(2, 3, None).pool().end())
    add(
        "relu_layers",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(2, 3, None).relu().pool().flatten().dense(4, None).relu().end(),
    )
    add("sigmoid", lambda: Chain(one).reduce(), lambda c: c.conv().pool().end("sigmoid", 1))
    add("linear", lambda: Chain(one).reduce(), lambda c: c.conv().pool().end("linear"))
    add(
        "quantizer_in_front",
        lambda: Chain(one).rounded(i=1, f=5).reduce(),
        small,
        input_format=None,
    )
    add(
        "quantizer_behind_pool",
        lambda: Chain(one).reduce(),
        lambda c: c.conv().pool().rounded(i=2, f=4).flatten().end(enable_iq=True),
    )
    add(
        "output_quantizer",
        lambda: Chain(one).reduce(),
        lambda c: c.conv().pool().flatten().dense(4, enable_oq=True, oq_conf=lane(2, 3)).end(),
    )
    add(
        "no_input_quantizer",
        lambda: Chain(one).reduce(),
        lambda c: c.conv(2, 3, enable_iq=False).conv(2, 3).pool(2).end(),
    )
    add("default_input_format", lambda: Chain(one).reduce(), small, input_format=None, fraction=12)
    found["dead"] = lambda rng: Case(
        randomize(small(Chain(one).reduce()), rng, (0, 0)), images(rng, one)
    )
    found["slots_between"] = between_slots
    for kind in ("average", "max"):
        for learn in (False, True):
            name = f"trained_{kind}{'_learned' if learn else ''}"
            found[name] = lambda rng, k=kind, learn=learn: trained(rng, k, learn)
    return found
