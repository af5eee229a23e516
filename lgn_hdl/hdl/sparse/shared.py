"""Tables and products that occur many times: in place, or one module that every use refers to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from amaranth.hdl import Const, Module, Value

from .products import product, table

__all__ = ["Share", "Shared"]

#: (module, kind, key, inputs, body, name) to the output of `body(module, inputs)`, which depends on
#: kind, key and the shapes of the inputs only.
Share = Callable[
    [Module, str, Hashable, Sequence[Value], Callable[[Module, Sequence[Any]], Value], str], Value
]


class Shared:
    """Makes tables and products.

    Parameters
    ----------
    share : callable, optional
        Puts what occurs many times into modules of their own; by default everything is built where
        it is used.
    """

    def __init__(self, share: Share | None = None):
        self._share = share

    def table(self, m: Module, index: Value, words: Sequence[int], width: int, name: str) -> Value:
        """The word of a table at an index; see `products.table`."""
        if self._share is None or isinstance(index, Const):
            return table(m, index, words, width, name)
        return self._share(
            m,
            "table",
            (tuple(words), width),
            [index],
            lambda inside, inputs: table(inside, inputs[0], words, width, "word"),
            name,
        )

    def product(self, m: Module, x: Value, weight: Value, name: str) -> Value:
        """The product of a number and a signed constant; see `products.product`."""
        if self._share is None:
            return product(m, x, weight, name)
        return self._share(
            m,
            "product",
            None,
            [x, weight],
            lambda inside, inputs: product(inside, inputs[0], inputs[1], "product"),
            name,
        )
