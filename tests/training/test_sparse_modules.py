"""What was trained is what is converted: every number of every layer, on every image."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from sparse_modules import SHAPE, images, module, trained
from torch import Tensor, nn

import lgn_hdl
from lgn_hdl.errors import NetworkError
from lgn_hdl.network import FixedPoint, Network, Thermometer
from lgn_hdl.reference import Reference
from lgn_hdl.training import (
    Dense,
    InputReduce,
    QuantizedReLU,
    SparseConv2d,
    SparseFlatten,
    SparseImage,
    SparsePool2d,
    SparseVector,
)


def dense_numbers(packed: Tensor, number: FixedPoint, frame: tuple[int, ...]) -> tuple:
    """A sparse tensor of the reference as a dense one, in real numbers, and its active pixels."""
    image = np.zeros((len(packed), packed.shape[2] - 3, *frame))
    active = np.zeros((len(packed), 1, *frame), bool)
    for b, slots in enumerate(packed.tolist()):
        for *features, row, column, used in slots:
            if used:
                assert not active[b, 0, row, column]
                active[b, 0, row, column] = True
                image[b, :, row, column] = [f * 2.0**-number.fraction for f in features]
    return image, active


def assert_exact(net: nn.Sequential, network: Network, x: Tensor) -> None:
    """Compare all layers; both sides are exact, but for the last division by an area."""
    reference, value = Reference(network), x
    for layer, path in zip(net, [node.name for node in network.nodes], strict=False):
        with torch.no_grad():
            value = layer(value)
        kind, found = network.types[path], reference.tensor(x.numpy(), path)
        number = kind.element
        assert isinstance(number, FixedPoint)
        if isinstance(value, SparseImage):
            assert number.scale == Fraction(1, value.area)
            assert value.values.dtype == torch.float64
            image, active = dense_numbers(found, number, kind.frame)
            assert np.array_equal(active, value.active.numpy()), path
            assert np.array_equal(image, value.values.numpy()), path
        elif isinstance(value, SparseVector):
            assert number.scale == Fraction(1, value.area)
            assert np.array_equal(np.ldexp(found.numpy(), -number.fraction), value.values.numpy())
        else:
            # The one division in which real numbers are rounded.
            sums = np.ldexp(found.numpy().astype(float), -number.fraction)
            assert np.array_equal(sums / number.scale.denominator, value.numpy()), path


@pytest.mark.parametrize("kind", ["average", "max"])
@pytest.mark.parametrize("integer", [None, 1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_trained_modules(kind: str, integer: int | None, seed: int) -> None:
    net = trained(module(kind, seed=seed, integer=integer), seed=seed)
    network = lgn_hdl.convert(net, SHAPE).network
    x = images(60, seed)
    assert_exact(net, network, x)
    with torch.no_grad():
        decided = net(x).argmax(1)
    assert torch.equal(Reference(network).predict(x), decided)
    assert len(decided.unique()) > 1


@pytest.mark.parametrize("seed", range(6))
def test_random_modules(seed: int) -> None:
    """As made, but for biases and scales; two channels, signed pixels, wide numbers."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        InputReduce(6, -0.3, input_format="fixed<9,2>"),
        SparseConv2d(2, 3, (1, 5), weight_bits=14, bias_bits=12),
        QuantizedReLU(11, seed - 3),
        SparsePool2d((2, 3)),
        SparseConv2d(3, 2, 3, bias=False),
        SparsePool2d((2, 1)),  # nothing is rounded between the two averages
        SparseFlatten(),
        Dense(2 * 2 * 3, 4, weight_bits=3, bias_bits=16),
        QuantizedReLU(5, 0),
        Dense(4, 3, bias=False),
    ).eval()
    x = images(40, seed, (2, 9, 11)) * 2 - 0.6 * (images(40, seed + 50, (2, 9, 11)) > 0)
    network = lgn_hdl.convert(net, (2, 9, 11), classes=["a", "b", "c"]).network
    assert network.classes == ("a", "b", "c")
    assert_exact(net, network, x)


def test_one_output_is_a_decision() -> None:
    torch.manual_seed(0)
    dense = Dense(35, 1, bias=False)
    net = nn.Sequential(InputReduce(3), SparseConv2d(1, 1, 3), SparseFlatten(), dense).eval()
    network = lgn_hdl.convert(net, (1, 5, 7)).network
    assert isinstance(network.nodes[-1].layer, Thermometer)
    x = images(50, 1, (1, 5, 7))
    with torch.no_grad():
        positive = net(x)[:, 0] > 0
    assert torch.equal(Reference(network).outputs(x)["decision"][:, 0].bool(), positive)
    assert 0 < positive.sum() < 50


def test_gradients_go_straight_through() -> None:
    """Every weight, bias and learned range hears of the loss, through the rounding."""
    net = module(seed=1, collect_stats_steps=1)  # after which ranges are trained
    net(images(60))
    nn.functional.cross_entropy(net(images(60)), torch.arange(60) % 5).backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_training_lowers_the_loss() -> None:
    def loss(net: nn.Module) -> float:
        with torch.no_grad():
            x = images(120, 101)
            labels = (x[:, :, :4].sum((1, 2, 3))).long().clamp(max=4)
            return float(nn.functional.cross_entropy(net.eval()(x), labels))

    before = loss(trained(module(seed=1), steps=1, seed=1))
    assert loss(trained(module(seed=1), steps=60, seed=1)) < 0.8 * before


def test_a_state_dict_comes_back() -> None:
    net = trained(module(seed=2), seed=2)
    again = module(seed=5)
    again.load_state_dict(net.state_dict())
    x = images(30)
    with torch.no_grad():
        assert torch.equal(net(x), again.eval()(x))


def test_conversion_leaves_the_module_alone() -> None:
    net = trained(module(seed=3))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    lgn_hdl.convert(net, SHAPE)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert list(before) == list(net.state_dict())


def test_pixels_in_another_format() -> None:
    net = module().eval()
    network = lgn_hdl.convert(net, SHAPE, input_format="ufixed<12,1>").network
    assert network.inputs["x"].element == FixedPoint(12, 11)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseConv2d(1, 1, 4), "the kernel is 4 x 4, expected odd numbers"),
        (lambda: SparseConv2d(1, 1, (3, 2)), "the kernel is 3 x 2, expected odd"),
        (lambda: SparseConv2d(1, 1, 3, stride=2), "sparse convolutions have stride 1"),
        (lambda: SparsePool2d(2, "sum"), "pooling is 'sum'"),  # pyright: ignore
        (lambda: InputReduce(0), "0 slots, expected at least 1"),
        (lambda: InputReduce(1, input_format="ufixed<8,1>*1/3"), "format without a scale"),
        (lambda: InputReduce(1, input_format="float"), "number format 'float' is not understood"),
    ],
)
def test_layers_that_there_are_not(make, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()
