"""The rounds of the hardware's argmax against what an argmax is.

By induction: if each of two neighbouring ranges of classes sends its first largest score into a
match, and a match lets the right one win only if its score is larger, then the winner is the first
largest of both ranges. One match is proved for all pairs of scores, the ranges are counted.
"""

from __future__ import annotations

from .aig import FALSE, TRUE, Aig
from .program import knock_out, match

__all__ = ["match_fails", "pairing_faults"]


def match_fails(width: int) -> tuple[Aig, int]:
    """Whether a match between two scores of `width` bits can go wrong.

    Returns
    -------
    Aig
        Over the two scores.
    int
        Literal that is true where the wrong side wins, or the winner's score is not the larger.
    """
    aig = Aig(2 * width)
    left, right = aig.inputs[:width], aig.inputs[width:]
    score, (winner,) = match(aig, (left, [FALSE]), (right, [TRUE]))
    # left - right borrows exactly if right is larger.
    borrow = FALSE
    for x, y in zip(left, right, strict=True):
        borrow = aig.lookup(0b10001110, (x, y, borrow))
    larger = [aig.choice(borrow, y, x) for x, y in zip(left, right, strict=True)]
    wrong = [aig.exclusive(a, b) for a, b in zip(score, larger, strict=True)]
    return aig, aig.any([aig.exclusive(winner, borrow), *wrong])


def pairing_faults(classes: int, rounds: int) -> list[str]:
    """What is wrong with who meets whom; empty if one winner is left, of all classes."""
    faults: list[str] = []

    def meet(left: range, right: range) -> range:
        if left.stop != right.start:
            faults.append(f"classes {left} and {right} meet, which are no neighbours")
        return range(left.start, right.stop)

    last = knock_out([range(c, c + 1) for c in range(classes)], rounds, meet)
    if last != [range(classes)]:
        faults.append(f"{len(last)} classes are left after {rounds} rounds")
    return faults
