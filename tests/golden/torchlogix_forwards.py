"""Modules with a `forward` of their own, without their layers: these are put in by who has them.

The goldens are made with those of torchlogix, the tests trace the same code without the library.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Bits per feature, and the image of the features behind the first one.
BITS, ROWS, COLUMNS = 5, 4, 3


class FeatureMajor(nn.Module):
    """Takes the bits of one feature after another for the channels of an image."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarization(x)
        first = x[:, :BITS]
        image = x[:, BITS:].view(-1, BITS, ROWS, COLUMNS)
        return self.head(torch.cat([self.convolution(image).flatten(1), first], dim=1))


class Channels(nn.Module):
    """Makes channels of the bits of each feature; the first feature goes past the convolution."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarization(x)
        image = x[:, BITS:].view(-1, ROWS, COLUMNS, BITS).permute(0, 3, 1, 2)
        image = self.convolution(image)
        return self.head(torch.cat((x[:, :BITS], image.reshape(image.size(0), -1)), 1))


class Halves(nn.Module):
    """Two branches over halves of the channels, joined as channels, and again as bits."""

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        both = torch.cat([self.right(right), self.left(left)], dim=-3)
        pooled = F.dropout(self.pool(both), 0.5, self.training)
        batch, channels, *_ = pooled.shape
        rows = pooled.view(batch, channels, -1)
        corner = x[..., 0, 0].unsqueeze(-1)
        assert rows.shape[2] == 2
        some = torch.cat([rows.flatten(1), corner.squeeze(-1)], -1).split([7, 7], dim=1)
        return self.dense(torch.cat([*some, x[:, 1, 1:].flatten(1)[:, :7]], 1))


class Branches(nn.Module):
    """Dense layers only, with many ways to arrange; one layer is never used."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x.transpose(1, 2).float().contiguous())
        y = torch.stack([y[:, 0], y.narrow(1, 1, 1).squeeze(1)], dim=2).swapaxes(1, 2)
        y = y.movedim(-1, 1).contiguous().view(y.shape[0], -1)
        for layer in self.layers:
            y = layer(y) if len(y) else y
        if self.training:
            return self.auxiliary(y)
        return self.sum(y.unflatten(1, (3, 4)).mT.flatten(-2)[:, None, 4:].squeeze(1))


class Wrapped(nn.Module):
    """One child, whose input the forward cuts."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x[:, 2:])


class Last(nn.Module):
    """Has no layers at all."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 1)[:, 1]
