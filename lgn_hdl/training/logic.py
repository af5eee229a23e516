"""Layers of two-input gates that learn which gate they are and what they are connected to."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import NetworkError

__all__ = ["GroupSum", "LogicLayer"]

#: Outputs of gate `i` for the inputs 00, 01, 10, 11: the binary digits of its id, as in difflogic.
ENTRIES = [[float(digit) for digit in f"{gate:04b}"] for gate in range(16)]
#: Bounds of the weights of table entries and of candidates.
ENTRY, CHOICE = 2.0, 3.0


class LogicLayer(nn.Module):
    """N gates of two inputs each; `lgn_hdl.convert` reads it as it reads difflogic's LogicLayer.

    A gate has four weights, one for each entry of its truth table, and an entry is a one with the
    probability that the sigmoid of its weight is: `weights` are what this means for each of the
    sixteen gates. Each of its two inputs is the mixture of some candidates.

    In training with `hard` set, outputs are those of the likeliest gate on the likeliest
    candidates, and only gradients are those of the mixture (straight through): nothing is left to
    round at the end. In eval mode outputs are always the hard ones.

    Parameters
    ----------
    in_dim, out_dim : int
    candidates : int
        Inputs that each of the two connections of a gate chooses from, drawn at random; 1 leaves
        the drawn ones, and `in_dim` or more are all of them.

    Raises
    ------
    NetworkError
        If a size is not positive.
    """

    def __init__(self, in_dim: int, out_dim: int, *, candidates: int = 16):
        if min(in_dim, out_dim, candidates) < 1:
            raise NetworkError(
                f"{out_dim} gates on {in_dim} inputs with {candidates} candidates, "
                "expected at least one of each"
            )
        super().__init__()
        self.in_dim, self.out_dim, self.hard = in_dim, out_dim, False
        drawn = _draw(in_dim, 2 * out_dim, candidates)
        order = drawn.flatten().argsort(stable=True)
        first = torch.searchsorted(drawn.flatten()[order].contiguous(), torch.arange(in_dim))
        self.candidates: Tensor
        self.order: Tensor
        self.first: Tensor
        self.register_buffer("candidates", drawn)
        # The same the other way round, for gradients: whom each input is a candidate of.
        self.register_buffer("order", order)
        self.register_buffer("first", first)
        self.entries = nn.Parameter(torch.randn(out_dim, 4))
        self.choice = nn.Parameter(0.1 * torch.randn(drawn.shape))

    @property
    def indices(self) -> tuple[Tensor, Tensor]:
        """Inputs a and b of every gate, int64 of shape (N,) each: the likeliest candidates."""
        best = self.choice.detach().argmax(1, keepdim=True)
        chosen = self.candidates.gather(1, best).view(2, -1)
        return chosen[0], chosen[1]

    @property
    def weights(self) -> Tensor:
        """Of the sixteen gates, shape (N, 16): their softmax are the gates' probabilities."""
        return self.entries @ self.entries.new_tensor(ENTRIES).t()

    def forward(self, x: Tensor) -> Tensor:
        """From (B, in_dim) to (B, out_dim), floating-point numbers from 0 to 1."""
        rows = x.t().contiguous()  # inputs first: a connection is then one row to read
        table = torch.sigmoid(self.entries)
        if not self.training:
            a, b = (rows[index] for index in self.indices)
            table = table.new_tensor(ENTRIES)[self.weights.argmax(1)]
        else:
            share = torch.softmax(self.choice, 1)
            if self.hard:
                both = _Choose.apply(rows, share, self.candidates, torch.cat(self.indices))
                table = (self.entries > 0).float() + table - table.detach()
            else:
                both = _Mix.apply(rows, share, self.candidates, self.order, self.first)
            a, b = cast(Tensor, both).chunk(2)
        t00, t01, t10, t11 = table.unbind(1)
        gates = torch.stack([t00, t10 - t00, t01 - t00, t00 - t01 - t10 + t11], 1)
        return cast(Tensor, _Gates.apply(a, b, gates)).t()

    def bound(self) -> None:
        """Keep weights near zero, for after each step: from farther off no decision comes back."""
        with torch.no_grad():
            self.entries.clamp_(-ENTRY, ENTRY)
            self.choice.clamp_(-CHOICE, CHOICE)

    def extra_repr(self) -> str:
        return f"{self.in_dim}, {self.out_dim}, candidates={self.candidates.shape[1]}"


class GroupSum(nn.Module):
    """Scores of `k` classes: sums of equal contiguous parts of the last axis, divided by `tau`."""

    def __init__(self, k: int, tau: float = 1.0):
        super().__init__()
        self.k, self.tau = k, tau

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.k, -1)).sum(-1) / self.tau


def _draw(width: int, rows: int, count: int) -> Tensor:
    """Indices (rows, min(count, width)), different ones in each row."""
    if count >= width:
        return torch.arange(width).expand(rows, width).contiguous()
    return torch.rand(rows, width).topk(count).indices


class _Mix(torch.autograd.Function):
    """Rows of x (F, B) mixed with shares (R, K): an embedding bag, which gathers nothing."""

    @staticmethod
    def forward(ctx: Any, x, share, candidates, order, first):
        ctx.save_for_backward(x, share, candidates, order, first)
        return functional.embedding_bag(candidates, x, per_sample_weights=share, mode="sum")

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        (grad,) = grads
        x, share, candidates, order, first = ctx.saved_tensors
        grad = grad.contiguous()
        of_x = None
        if ctx.needs_input_grad[0]:
            back, readers = share.flatten()[order], order // candidates.shape[1]
            of_x = functional.embedding_bag(
                readers, grad, first, per_sample_weights=back, mode="sum"
            )
        return of_x, _products(grad, x, candidates), None, None, None


class _Choose(torch.autograd.Function):
    """The chosen rows of x (F, B); the gradient is that of a mixture, straight through."""

    @staticmethod
    def forward(ctx: Any, x, share, candidates, chosen):
        ctx.save_for_backward(x, candidates, chosen)
        return x.index_select(0, chosen)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        (grad,) = grads
        x, candidates, chosen = ctx.saved_tensors
        grad = grad.contiguous()
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.zeros_like(x).index_add_(0, chosen, grad)
        return of_x, _products(grad, x, candidates), None, None


def _products(grad: Tensor, x: Tensor, candidates: Tensor) -> Tensor:
    """Scalar products of row r of `grad` with each row of x that r may choose, (R, K).

    That is a gradient of an embedding bag, which gathers no rows: anything else takes ten times as
    long.
    """
    rows, count = candidates.shape
    row = torch.arange(rows)
    return torch.ops.aten._embedding_bag_per_sample_weights_backward(
        grad, x, candidates.flatten(), row * count, row.repeat_interleave(count), 0
    ).view(rows, count)


class _Gates(torch.autograd.Function):
    """c0 + c1·a + c2·b + c3·a·b for a, b (N, B) and coefficients (N, 4)."""

    @staticmethod
    def forward(ctx: Any, a, b, coefficients):
        c0, c1, c2, c3 = coefficients.t().unsqueeze(2)
        ctx.save_for_backward(a, b, coefficients)
        return torch.addcmul(torch.addcmul(c0, c2, b), torch.addcmul(c1, c3, b), a)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor):
        (grad,) = grads
        a, b, coefficients = ctx.saved_tensors
        grad = grad.contiguous()
        _, c1, c2, c3 = coefficients.t().unsqueeze(2)
        with_a = grad * a
        vecdot = torch.linalg.vecdot
        of_c = torch.stack([grad.sum(1), with_a.sum(1), vecdot(grad, b), vecdot(with_a, b)], 1)
        return grad * torch.addcmul(c1, c3, b), grad * torch.addcmul(c2, c3, a), of_c
