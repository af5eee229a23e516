"""Class sums as polynomials: counting gates, or bits of the counts of gates, is the same number.

Every Boolean function is one polynomial with integer coefficients in which no variable is squared:
not x = 1 - x, x and y = xy. Passes replace a sum of gates by other weights, signals and small
counts, but over the same signals in front of them; written over these, both sums are the same
polynomial, and equal polynomials are equal numbers. What is left over is given to the solver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .aig import Aig

__all__ = ["Definition", "Polynomial", "difference", "gate_polynomial", "nonzero"]

#: Monomials (sets of variables, which are even literals) to coefficients.
Polynomial = dict[frozenset[int], int]
#: A gate: its table, and the literals it reads, the most significant first.
Definition = tuple[int, Sequence[int]]
_ONE: frozenset[int] = frozenset()


def difference(
    terms: Sequence[tuple[int, int]], constant: int, definitions: Mapping[int, Definition]
) -> Polynomial:
    """A weighted sum of literals plus a constant, as a polynomial; empty if it is always zero.

    Signals that do not cancel are replaced once by the gates that make them.

    Parameters
    ----------
    terms : sequence of (int, int)
        Literals and weights.
    constant : int
    definitions : mapping of int to Definition
        By variable.
    """
    linear: Polynomial = {_ONE: constant}
    for literal, weight in terms:
        _add(linear, _literal_polynomial(literal), weight)
    left = _reduced(linear)
    if not left:
        return left
    expanded: Polynomial = {}
    for monomial, coefficient in left.items():
        gate = definitions.get(next(iter(monomial))) if monomial else None
        if gate is not None:
            _add(expanded, gate_polynomial(*gate), coefficient)
        else:
            _add(expanded, {monomial: 1}, coefficient)
    return _reduced(expanded)


def gate_polynomial(table: int, operands: Sequence[int]) -> Polynomial:
    """The polynomial of a truth table over literals."""
    k = len(operands)
    coefficients = [table >> index & 1 for index in range(1 << k)]
    for place, operand in enumerate(operands):
        bit = 1 << k - 1 - place
        for index in range(1 << k):
            if index & bit:
                low, high = coefficients[index ^ bit], coefficients[index]
                if operand & 1:  # over the variable itself, which is the complement
                    coefficients[index ^ bit], low, high = high, high, low
                coefficients[index] = high - low
    result: Polynomial = {}
    for index, coefficient in enumerate(coefficients):
        chosen = [operands[p] & ~1 for p in range(k) if index >> (k - 1 - p) & 1]
        if coefficient and 0 not in chosen:  # variable 0 is the constant zero
            _add(result, {frozenset(chosen): 1}, coefficient)
    return _reduced(result)


def nonzero(aig: Aig, polynomial: Polynomial) -> int:
    """A literal that is true where the polynomial is not zero."""
    sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for monomial, coefficient in polynomial.items():
        product = 1
        for variable in sorted(monomial):
            product = aig.conjunction(product, variable)
        sides[coefficient < 0].append((product, abs(coefficient)))
    positive, negative = (aig.add(side) for side in sides)
    width = max(len(positive), len(negative))
    pairs = zip(_padded(positive, width), _padded(negative, width), strict=True)
    return aig.any(aig.exclusive(a, b) for a, b in pairs)


def _literal_polynomial(literal: int) -> Polynomial:
    variable = frozenset([literal & ~1]) if literal > 1 else None
    if variable is None:
        return {_ONE: literal}
    return {_ONE: 1, variable: -1} if literal & 1 else {variable: 1}


def _add(total: Polynomial, polynomial: Polynomial, factor: int) -> None:
    for monomial, coefficient in polynomial.items():
        total[monomial] = total.get(monomial, 0) + factor * coefficient


def _reduced(polynomial: Polynomial) -> Polynomial:
    return {monomial: c for monomial, c in polynomial.items() if c}


def _padded(bits: list[int], width: int) -> list[int]:
    return bits + [0] * (width - len(bits))
