"""Formal proof that the hardware computes what the trained network computes."""

from .cells import prove_cells
from .claims import Claim, Refuted
from .counterexample import Counterexample
from .prove import prove
from .reduction import prove_reduction

__all__ = [
    "Claim",
    "Counterexample",
    "Refuted",
    "prove",
    "prove_cells",
    "prove_reduction",
]
