"""The torchlogix networks that goldens are made of. Needs torchlogix 0.2.2 (Python 3.12 or newer).

A case is a function of a seed that gives a live module in eval mode, the shape of a sample (or
None where the layers tell it) and a batch of inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import nn
from torchlogix.layers import (
    DummyBinarization,
    FixedBinarization,
    GroupSum,
    LearnableBinarization,
    LogicDense,
    SoftBinarization,
)
from torchlogix.models.dense import Dlgn
from torchlogix.models.nn import RandomlyConnectedNN
from torchlogix.utils import set_export_mode

COMBINATIONS = [
    ("raw", 2),
    *(("warp", n) for n in (1, 2, 4, 6)),
    *(("light", n) for n in (2, 4, 6)),
]
CONNECTIONS = {
    "fixed": ("fixed", {}),
    "unique": ("fixed", {"init_method": "random-unique"}),
    "learnable": ("learnable", {}),
    "learnable2": ("learnable", {"num_candidates": 2}),
    "gumbel": ("learnable", {"gumbel": True}),
    "gumbel2": ("learnable", {"gumbel": True, "num_candidates": 2}),
}
SAMPLES = 48


@dataclass
class Case:
    """A module, the shape of a sample and a batch."""

    module: nn.Module
    x: torch.Tensor
    shape: tuple[int, ...] | None = None
    extra: dict[str, torch.Tensor] = field(default_factory=dict)


def dense(kind: str, rank: int, inputs: int, outputs: int, wiring: str = "fixed", **options):
    """A LogicDense with random weights, as no initialisation of the library leaves them."""
    connections, kwargs = CONNECTIONS[wiring]
    layer = LogicDense(
        inputs,
        outputs,
        lut_rank=rank,
        parametrization=kind,
        parametrization_kwargs=options,
        connections=connections,
        connections_kwargs=kwargs,
    )
    with torch.no_grad():
        layer.weight.normal_()
        if connections == "learnable":
            layer.connections.weights.normal_()
    return layer


def bits(*shape: int) -> torch.Tensor:
    return torch.randint(0, 2, (SAMPLES, *shape)).float()


def combination(kind: str, rank: int, wiring: str, dtype: torch.dtype, **options) -> Case:
    module = nn.Sequential(
        dense(kind, rank, 14, 16, wiring, **options), dense(kind, rank, 16, 20, wiring, **options)
    )
    module.to(dtype)
    return Case(nn.Sequential(*module, GroupSum(5, tau=2.0)), bits(14))


#: Name, shape of a sample, shape of the thresholds, feature_dim.
ENCODINGS = [
    ("features", (5,), (5, 3), -2),
    ("features_dim1", (5,), (5, 3), 1),
    ("global", (5,), (3,), -2),
    ("global_row", (5,), (1, 3), -2),
    ("one_threshold", (6,), (6, 1), -2),
    ("image_channels", (2, 3, 4), (2, 2), 1),
    ("image_channels_negative", (2, 3, 4), (2, 2), -4),
    ("image_channels_rows", (2, 3, 4), (2, 2), 2),
    ("image_channels_last", (2, 3, 4), (2, 2), -2),
    ("image_global", (1, 3, 4), (3,), 1),
    ("image_global_row", (2, 3, 2), (1, 3), 1),
    ("image_pixels", (2, 3, 2), (2, 3, 2, 2), 1),
    ("image_pixels_last", (2, 3, 2), (2, 3, 2, 2), -2),
    ("image_batch_axis", (2, 3, 2), (1, 2, 1, 1, 2), -3),
    ("matrix", (3, 4), (4, 2), -2),
    ("matrix_rows", (3, 4), (4, 2), 1),
    ("matrix_rows_negative", (3, 4), (3, 4, 2), -3),
]


def encoding(cls: type[nn.Module], shape, thresholds_shape, feature_dim: int) -> Case:
    thresholds = torch.sort(torch.randn(thresholds_shape), dim=-1).values
    binarization = cls(thresholds=thresholds, feature_dim=feature_dim)
    x = torch.randn(SAMPLES, *shape)
    if cls is LearnableBinarization:
        with torch.no_grad():  # training leaves the thresholds buffer where it was
            binarization.raw_diffs.add_(torch.randn(thresholds_shape))
        thresholds = binarization.get_thresholds().detach()
    else:  # equality must not be greater; a learned threshold may differ in its last bit elsewhere
        view = thresholds
        if thresholds.dim() == 2 and len(shape) == 3:
            view = thresholds.view(1, -1, 1, 1, thresholds.shape[1])
        on = view[..., 0].expand(SAMPLES, *shape)
        x = torch.where(torch.rand_like(x) < 0.3, on, x)
    with torch.no_grad():
        width = binarization.eval()(x).flatten(1).shape[1]
    module = nn.Sequential(binarization, nn.Flatten(), dense("light", 2, width, width))
    deducible = thresholds_shape[:-1] == shape
    return Case(module, x, None if deducible else shape, {"thresholds": thresholds})


def unclear(rank: int, dtype: torch.dtype = torch.float32) -> Case:
    """Walsh sums near zero whose sign another order of summation changes, and exact zeros."""
    layer = dense("warp", rank, 2 * rank, 24)
    weight = (torch.randint(-9, 10, (60_000, 1 << rank)) * 0.1).to(dtype)
    candidates = dense("warp", rank, rank, 60_000)
    candidates.weight = nn.Parameter(weight)
    candidates.connections.indices = torch.arange(rank)[:, None].expand(rank, 60_000)
    index = torch.arange(1 << rank)[:, None]
    codes = (index >> torch.arange(rank - 1, -1, -1)) & 1
    with torch.no_grad():
        forward = candidates.eval()(codes.float()).bool().T
        other = candidates.get_luts() if dtype == torch.float32 else forward
        backwards = sum(weight[:, k : k + 1] * sign(k, index) for k in reversed(range(1 << rank)))
    doubtful = torch.nonzero((forward != other).any(1) | (forward != (backwards < 0)).any(1))
    chosen = weight[doubtful[:, 0][:20]]
    assert len(chosen) == 20, "no doubtful sums found"
    with torch.no_grad():
        layer.to(dtype).weight[:20] = chosen
        layer.weight[20] = 0
        layer.weight[21:] = weight[:1] * 0
        layer.weight[21:, 0], layer.weight[21:, -1] = 1, torch.tensor([1, -1, 1])
    return Case(layer, bits(2 * rank))


def ties(kind: str, rank: int) -> Case:
    """Equal weights everywhere: zeros of light, several largest ones of raw and of the wires."""
    module = nn.Sequential(
        dense(kind, rank, 14, 16, "learnable"), dense(kind, rank, 16, 20, "learnable2")
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.round_()  # makes -0.0, too
    return Case(module, bits(14))


def sign(k: int, index: torch.Tensor) -> torch.Tensor:
    parity = torch.tensor([bin(int(i) & k).count("1") & 1 for i in index[:, 0]])
    return 1 - 2 * parity


def structures() -> Iterator[tuple[str, Callable[[], Case]]]:
    def nested() -> Case:
        inner = nn.Sequential(nn.Identity(), dense("light", 4, 30, 40), nn.Dropout(0.5))
        first = FixedBinarization(torch.tensor([0.2, 0.7]), feature_dim=1)
        outer = nn.Sequential(nn.Sequential(first, nn.Flatten()), inner, dense("raw", 2, 40, 30))
        return Case(
            nn.Sequential(outer, nn.Sequential(GroupSum(3, tau=7.5, beta=2.25))),
            torch.rand(SAMPLES, 3, 5),
            (3, 5),
        )

    def model() -> Case:
        thresholds = torch.sort(torch.rand(12, 2)).values
        module = Dlgn(thresholds, "soft", {}, 24, 3, [30, 40, 20], 10, 3.0)
        randomise(module)
        return Case(module, torch.rand(SAMPLES, 12))

    def model_image() -> Case:
        thresholds = torch.sort(torch.rand(3, 2)).values
        options = {"binarization_kwargs": {"feature_dim": 1}, "class_count": 4, "tau": 1.0}
        module = Dlgn(thresholds, "fixed", in_dim=24, n_layers=2, neurons_per_layer=20, **options)
        randomise(module)
        return Case(module, torch.rand(SAMPLES, 3, 2, 2), (3, 2, 2))

    def wrapper() -> Case:
        module = RandomlyConnectedNN(16, 40, 3, 10, 1.5)
        randomise(module)
        return Case(module, bits(16))

    def leading_axes() -> Case:
        layers = (
            dense("warp", 4, 6, 8),
            dense("raw", 2, 8, 5),
            nn.Flatten(),
            dense("raw", 2, 20, 24),
        )
        return Case(nn.Sequential(*layers, GroupSum(2, beta=-1.5)), bits(4, 6), (4, 6))

    def partial_flatten() -> Case:
        layers = nn.Flatten(start_dim=2), dense("light", 2, 12, 10), nn.Flatten(1, -1)
        return Case(nn.Sequential(*layers, GroupSum(4, tau=0.3)), bits(2, 3, 4), (2, 3, 4))

    def dummy() -> Case:
        layers = DummyBinarization(), nn.Flatten(), dense("raw", 2, 12, 12), GroupSum(3)
        return Case(nn.Sequential(*layers), bits(3, 4), (3, 4))

    def exported() -> Case:
        layers = dense("raw", 2, 12, 14, "learnable2"), dense("warp", 2, 14, 20, "gumbel")
        module = nn.Sequential(*layers, GroupSum(10))
        set_export_mode(module, True)
        set_export_mode(module[1], False)  # leaves buffers of the first layer in the state_dict
        module[0].export_mode = module[0].connections.export_mode = False
        return Case(module, bits(12))

    def single_layer() -> Case:
        return Case(dense("light", 6, 13, 9), bits(13))

    for build in (nested, model, model_image, wrapper, leading_axes):
        yield build.__name__, build
    for build in (partial_flatten, dummy, exported, single_layer):
        yield build.__name__, build


def randomise(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()


def families() -> dict[str, dict[str, Callable[[], Case]]]:
    """All cases by family (one golden file each) and name."""
    found: dict[str, dict[str, Callable[[], Case]]] = {}
    for kind, rank in COMBINATIONS:
        family = found.setdefault(f"dense_{kind}", {})
        for wiring in CONNECTIONS:
            if wiring == "unique" and rank not in (2, 4):
                continue  # the library cannot make them so small
            name = f"{kind}{rank}_{wiring}"
            family[name] = lambda k=kind, r=rank, w=wiring: combination(k, r, w, torch.float32)
        for dtype in (torch.float64, torch.float16, torch.bfloat16):
            name = f"{kind}{rank}_{str(dtype).removeprefix('torch.')}"
            family[name] = lambda k=kind, r=rank, d=dtype: combination(k, r, "learnable2", d)
        family[f"{kind}{rank}_materialized"] = lambda k=kind, r=rank: combination(
            k, r, "fixed", torch.float32, materialize_basis=True
        )
    for cls in (FixedBinarization, SoftBinarization, LearnableBinarization):
        family = found.setdefault("binarization", {})
        for name, *arguments in ENCODINGS:
            label = f"{cls.__name__.removesuffix('Binarization').lower()}_{name}"
            family[label] = lambda c=cls, a=arguments: encoding(c, *a)
    found["unclear"] = {
        **{f"warp{rank}": lambda r=rank: unclear(r) for rank in (2, 4, 6)},
        "warp4_bfloat16": lambda: unclear(4, torch.bfloat16),
        "raw2_ties": lambda: ties("raw", 2),
        **{f"light{rank}_ties": lambda r=rank: ties("light", r) for rank in (2, 4, 6)},
    }
    found["structure"] = dict(structures())
    return found
