"""The networks' forward pass on a CPU, several times faster than torchlogix's own.

The numbers are the same, with soft gates in training and discrete ones otherwise. Samples stand on
the last axis here, so that a gate's input is a contiguous row, and a gate with its gradient is one
function instead of a dozen operations. `logits` works on the module's own weights; `check` compares
with the module's own forward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import VerifyError
from .models import ConvLgn

__all__ = ["check", "logits"]

#: A gate's output is c0 + ca·a + cb·b + cab·a·b; these are the coefficients of the 16 functions,
#: whose number read as four bits is the output for (a, b) = (0, 0), (0, 1), (1, 0), (1, 1).
_TABLES = torch.tensor([[(i >> (3 - j)) & 1 for j in range(4)] for i in range(16)]).float()
_COEFFICIENTS = torch.stack(
    [
        _TABLES[:, 0],
        _TABLES[:, 2] - _TABLES[:, 0],
        _TABLES[:, 1] - _TABLES[:, 0],
        _TABLES[:, 0] - _TABLES[:, 1] - _TABLES[:, 2] + _TABLES[:, 3],
    ],
    dim=1,
)


class _Gate(torch.autograd.Function):
    """c0 + ca·a + cb·b + cab·a·b; coefficients (4, ...) have length 1 where gates share them."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        ctx.save_for_backward(a, b, c)
        return torch.addcmul(a * c[1], b, a * c[3] + c[2]).add_(c[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, c = ctx.saved_tensors
        (g,) = gradients
        ga = g * a
        grad_a = (b * c[3]).add_(c[1]).mul_(g)
        grad_b = (a * c[3]).add_(c[2]).mul_(g)
        shared = [i for i, n in enumerate(c.shape[1:]) if n == 1]
        sums = [t.sum(shared, keepdim=True) for t in (g, ga, g * b, ga * b)]
        return grad_a, grad_b, torch.stack(sums)


def _coefficients(layer: Any, weight: Tensor) -> Tensor:
    """(..., 16) logits to (4, ...) coefficients: of a mixture in training, else of one gate."""
    if not layer.training:
        return _COEFFICIENTS[weight.argmax(-1)].movedim(-1, 0)
    shares = torch.softmax(weight / layer.parametrization.temperature, -1)
    return (shares @ _COEFFICIENTS).movedim(-1, 0)


def _dense(layer: Any, x: Tensor) -> Tensor:
    first, second = layer.connections.indices
    c = _coefficients(layer, layer.weight)
    return _Gate.apply(x.index_select(0, first), x.index_select(0, second), c[..., None])


def _convolution(layer: Any, x: Tensor) -> Tensor:
    """Image (channels, rows, columns, n)."""
    p = layer.padding
    x = nn.functional.pad(x, (0, 0, p, p, p, p))
    _, rows, columns, n = x.shape
    h, w, channel = layer.connections.indices[0].unbind(-1)  # each (2, kernels, places, tables)
    index = ((channel * rows + h) * columns + w).movedim(0, -1)
    # (kernels, places, tables, 2, n): neighbours are the inputs of a gate, on every level.
    pairs = x.reshape(-1, n).index_select(0, index.flatten()).view(*index.shape, n)
    for weight in layer.tree_weights:
        a, b = pairs.unflatten(2, (-1, 2)).unbind(3) if pairs.ndim == 4 else pairs.unbind(3)
        c = _coefficients(layer, weight)  # (4, tables, kernels)
        pairs = _Gate.apply(a, b, c.transpose(1, 2)[:, :, None, :, None])
    return pairs.reshape(len(pairs), *layer.kernel_positions, n)


def _pool(x: Tensor) -> Tensor:
    """The largest of 2 x 2; a last odd row or column is left out."""
    channels, rows, columns, n = x.shape
    x = x[:, : rows // 2 * 2, : columns // 2 * 2]
    x = x.reshape(channels, rows // 2, 2, columns // 2, 2, n).transpose(2, 3)
    # Of equal values the first in a window gets the gradient, as in max_pool2d.
    return x.flatten(3, 4).max(dim=3).values


def _head(layers: nn.Module, x: Tensor) -> Tensor:
    *dense, last = layers.children()
    group_sum: Any = last
    for layer in dense:
        x = _dense(layer, x)
    return x.view(group_sum.k, -1, x.shape[-1]).sum(1).t() / group_sum.tau


def logits(module: nn.Module, x: Tensor) -> Tensor:
    """Logits (n, 3) of features (n, F) of a module made by `models`."""
    if isinstance(module, ConvLgn):
        bits = module.binarization(x).t()
        y0, image = bits[: module.bits], bits[module.bits :]
        if module.talk_view:
            image = image.reshape(module.bits, module.rows, module.slices, -1)
        else:
            image = image.reshape(module.rows, module.slices, module.bits, -1)
            image = image.permute(2, 0, 1, 3)
        image = _pool(_convolution(module.conv2, _convolution(module.conv1, image)))
        image = _convolution(module.conv4, _convolution(module.conv3, image))
        return _head(module.head, torch.cat([y0, image.flatten(0, 2)]))
    binarization, *rest = module.children()
    return _head(nn.Sequential(*rest), binarization(x).t().contiguous())


def check(module: nn.Module, x: Tensor) -> None:
    """Compare with the module's own forward pass, soft and discrete, and with its gradients.

    Raises
    ------
    VerifyError
        If they differ by more than rounding.
    """
    found = []
    for forward in (module, lambda x: logits(module, x)):
        module.eval()
        with torch.no_grad():
            discrete = forward(x)
        module.train()
        module.zero_grad()
        out = forward(x)
        nn.functional.cross_entropy(out, torch.zeros(len(x), dtype=torch.int64)).backward()
        gradients = [p.grad.clone() for p in module.parameters() if p.grad is not None]
        found.append([discrete, out.detach(), *gradients])
    module.zero_grad()
    for theirs, ours in zip(*found, strict=True):
        scale = float(theirs.abs().max()) + 1e-6
        if float((theirs - ours).abs().max()) > 1e-3 * scale:
            raise VerifyError("the fast forward pass differs from torchlogix's")
