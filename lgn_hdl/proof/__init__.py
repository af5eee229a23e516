"""Formal proof that the hardware computes what the trained network computes."""

from .claims import Claim, Refuted
from .counterexample import Counterexample
from .prove import prove

__all__ = ["Claim", "Counterexample", "Refuted", "prove"]
