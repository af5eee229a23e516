"""How a traced forward moves elements, against torch itself, and which operations are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchlogix_goldens import golden, named

from lgn_hdl.errors import FormatError, NetworkError
from lgn_hdl.frontends.torchlogix import convert
from lgn_hdl.frontends.torchlogix.arrange import arrangement
from lgn_hdl.reference import Reference


class Moves(nn.Module):
    """Nothing but one operation."""

    def __init__(self, operation: Callable[[Tensor], Any]):
        super().__init__()
        self.operation = operation

    def forward(self, x: Tensor) -> Any:
        return self.operation(x)


MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "view": lambda x: x.view(x.shape[0], 3, -1),
    "view_size": lambda x: x.view(x.size(0), 2, 12),
    "view_unknown_batch": lambda x: x.view(-1, 4, 6),
    "view_of_a_slice": lambda x: x[:, 1:].view(-1, 12),
    "reshape": lambda x: torch.reshape(x, (len(x), 24)),
    "reshape_of_a_permutation": lambda x: x.permute(0, 3, 1, 2).reshape(x.shape[0], 8, 3),
    "flatten": lambda x: torch.flatten(x, 1),
    "flatten_some": lambda x: x.flatten(start_dim=-2),
    "unflatten": lambda x: x.unflatten(3, (2, -1)),
    "permute": lambda x: x.permute(0, 3, 1, 2),
    "permute_function": lambda x: torch.permute(x, (0, 2, 3, 1)),
    "transpose": lambda x: x.transpose(-1, 1),
    "mT": lambda x: x.mT,
    "movedim": lambda x: torch.movedim(x, (1, 2), (-1, 1)),
    "swapaxes": lambda x: x.swapaxes(1, 3),
    "unsqueeze": lambda x: x.unsqueeze(2),
    "squeeze": lambda x: x[:, :1].squeeze(1),
    "squeeze_and_permute": lambda x: x[:, :1].permute(0, 3, 1, 2),
    "slices": lambda x: x[:, 1, 1:, :2],
    "ellipsis": lambda x: x[..., 2],
    "none": lambda x: x[:, None, :, 1:2],
    "narrow": lambda x: x.narrow(3, 1, 2),
    "select": lambda x: x.select(-1, 3),
    "chunk": lambda x: x.chunk(3, dim=-1)[1],
    "split": lambda x: torch.split(x, [1, 3], dim=3)[1],
    "unbind": lambda x: x.unbind(1)[1],
    "one_element": lambda x: x[:, 1, 2, 3],
    "cat": lambda x: torch.cat([x, x[:, :1]], dim=1),
    "cat_negative": lambda x: torch.cat((x[..., 1:], x), -1),
    "concat_alone": lambda x: torch.concat([x], 1),
    "stack": lambda x: torch.stack([x[:, 1], x[:, 0]], dim=1),
    "stack_last": lambda x: torch.stack([x[:, 1], x[:, 0]], dim=-1),
    "hstack": lambda x: torch.hstack([x, x]),
    "clone": lambda x: x.clone().detach().contiguous().float(),
    "casts": lambda x: x.to(torch.float32).to("cpu").bool().double(),
    "dropout": lambda x: F.dropout(x, 0.5, False),
    "shapes": lambda x: x.view(x.shape[0], x.shape[1] * x.shape[2], -1) if x.dim() == 4 else x,
    "nothing": lambda x: x,
}


@pytest.mark.parametrize("name", MOVES)
def test_elements_move_as_in_torch(name: str) -> None:
    x = torch.randint(0, 2, (50, 2, 3, 4), generator=torch.Generator().manual_seed(1)).float()
    module = Moves(MOVES[name])
    if name == "nothing":
        with pytest.raises(FormatError, match="'layers' is not a list with layers"):
            convert(module, (2, 3, 4))
        return
    layers = nn.Sequential(named("OrPooling2d", kernel_size=1, stride=1, padding=0), module)
    network = convert(layers, (2, 3, 4))
    expected = MOVES[name](x)
    assert tuple(network.types[network.outputs[0]].shape) == tuple(expected.shape[1:])
    assert torch.equal(Reference(network)(x).reshape(expected.shape), expected.long())


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda x: x + 1, "operation 'add' is not understood"),
        (lambda x: 1 - x, "operation '__rsub__' is not understood"),
        (lambda x: x > 0.5, "operation '__gt__|gt' is not understood"),
        (torch.relu, "operation 'relu' is not understood"),
        (lambda x: F.max_pool2d(x, 2), "operation '.*max_pool2d.*' is not understood"),
        (lambda x: x.sum(1), "operation 'sum' is not understood"),
        (lambda x: x.flip(1), "operation 'flip' is not understood"),
        (lambda x: x.repeat(1, 2, 1, 1), "operation 'repeat' is not understood"),
        (lambda x: x if x.any() else -x, "operation 'any' is not understood"),
        (lambda x: torch.cat([x, torch.zeros(len(x), 1, 3, 4)], 1), "'cat' is not understood"),
        (lambda x: x[:, torch.tensor([1, 0])], "operation '__getitem__' is not understood"),
        (lambda x: x[:, :, ::2], "'__getitem__' moves elements as slices and permutations cannot"),
        (lambda x: x[1:], "'__getitem__' does not leave the batch as axis 0"),
        (lambda x: x[0], "'__getitem__' does not leave the batch as axis 0"),
        (lambda x: x.transpose(0, 1), "'transpose' does not leave the batch as axis 0"),
        (lambda x: x.reshape(-1), "'reshape' does not leave the batch as axis 0"),
        (lambda x: x.permute(2, 1, 0, 3), "'permute' mixes samples"),
        (lambda x: torch.cat([x, x]), "'cat' does not leave the batch as axis 0"),
        (lambda x: F.dropout(x), "'dropout' drops elements in eval mode as well"),
        (lambda x: x.permute(0, 3, 1, 2).view(len(x), -1), "the forward .* fails .*view size"),
        (lambda x: x.view(-1, 5), r"fails on samples of shape \(2, 3, 4\): shape '\[-1, 5\]'"),
        (lambda x: [x, x], "returns a list, expected one tensor"),
        (lambda x: torch.zeros(3), "returns a Tensor, expected one tensor made by its layers"),
        (lambda x: 1 / 0, r"the forward of Sequential fails .*division by zero"),
    ],
)
def test_operations_that_are_refused(operation: Callable[[Tensor], Any], message: str) -> None:
    layers = nn.Sequential(named("OrPooling2d", kernel_size=1, stride=1, padding=0))
    with pytest.raises(NetworkError, match=message):
        convert(layers.append(Moves(operation)), (2, 3, 4))


def test_the_line_of_the_forward_is_named() -> None:
    line = Moves.forward.__code__.co_firstlineno
    bad = Moves(lambda x: torch.sigmoid(x))
    place = rf"test_torchlogix_moves\.py, line (?!{line})\d+: operation 'sigmoid'"
    with pytest.raises(NetworkError, match=place):
        convert(nn.Sequential(bad, nn.Flatten()), 4)


@pytest.mark.parametrize(
    "cast", [lambda x: x.half(), lambda x: x.bool(), lambda x: x.to(torch.int)]
)
def test_numbers_that_are_no_bits_are_not_rounded(cast: Callable[[Tensor], Tensor]) -> None:
    thresholds = golden("graph")["channels"]["state_dict"]["binarization.thresholds"]
    binarization = named("FixedBinarization", feature_dim=-2)
    binarization.register_buffer("thresholds", thresholds)
    with pytest.raises(NetworkError, match="changes numbers that are not bits yet"):
        convert(nn.Sequential(Moves(cast), binarization), 13)
    plain = convert(nn.Sequential(Moves(lambda x: x.float()), binarization), 13)
    assert [node.name for node in plain.nodes] == ["binarization"]
    assert len(convert(nn.Sequential(binarization, Moves(cast)), 13).nodes) == 1


def test_numbers_and_bits_are_not_joined() -> None:
    binarization = named("FixedBinarization", feature_dim=-2)
    binarization.register_buffer("thresholds", torch.rand(4, 2))

    class Past(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module("binarization", binarization)

        def forward(self, x: Tensor) -> Tensor:
            layer: Any = self.binarization
            return torch.cat([layer(x), x], 1)

    with pytest.raises(NetworkError, match="operation 'cat' joins bits with other numbers"):
        convert(Past(), 4)


def test_layers_that_a_forward_may_not_call() -> None:
    class Own(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.flatten(1))

    with pytest.raises(NetworkError, match="layer 'layer': Linear is not a layer this program"):
        convert(Own(nn.Linear(4, 4)), (2, 2))
    with pytest.raises(NetworkError, match="layer 'layer': LogicConvTranspose2d is not supported"):
        convert(Own(named("LogicConvTranspose2d")), (2, 2))
    pool = named("OrPooling2d", kernel_size=2, stride=2, padding=0)
    with pytest.raises(NetworkError, match="layer 'layer': window"):
        convert(Own(pool), (2, 2))


def test_a_group_sum_must_be_last() -> None:
    class Sums(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sum = named("GroupSum", k=2, tau=1.0, beta=0.0)

        def forward(self, x: Tensor) -> Tensor:
            return self.sum(x)[:, :1]

    with pytest.raises(NetworkError, match="Slice follows a GroupSum, which must be the last"):
        convert(Sums(), 4)


# --- arrangements --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_arrangements_give_what_they_were_read_from(seed: int) -> None:
    """Random slices, permutations and reshapes of random shapes, some of them of one element."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 5, random.integers(1, 5)).tolist())
    places = np.arange(int(np.prod(shape))).reshape(shape)
    for axis, n in enumerate(shape):
        start = random.integers(0, n)
        places = places.take(range(start, random.integers(start + 1, n + 1)), axis)
    places = places.transpose(random.permutation(places.ndim))
    if random.random() < 0.5:
        places = places.reshape((1, *places.shape, 1))
    steps = arrangement(shape, places)
    assert steps is not None
    found = np.arange(int(np.prod(shape))).reshape(shape)
    for step in steps:
        if step["type"] == "Slice":
            found = found.take(range(step["start"], step["stop"]), step["axis"])
        elif step["type"] == "Permute":
            found = found.transpose(step["axes"])
        else:
            found = found.reshape(step["shape"])
    assert np.array_equal(found, places)


@pytest.mark.parametrize("places", [[0, 2], [1, 0], [0, 0], [3, 1, 2, 0], []])
def test_arrangements_that_are_none(places: list[int]) -> None:
    assert arrangement((4,), np.array(places, np.int64)) is None
