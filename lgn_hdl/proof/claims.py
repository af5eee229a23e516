"""What is claimed, what came of it, and how a claim that does not hold is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import VerifyError
from ..flow.equivalence import never_true
from .aig import FALSE, Aig
from .counterexample import Counterexample

__all__ = ["Claim", "Prover", "Refuted"]


@dataclass(frozen=True)
class Claim:
    """Something that was to be proved, and what came of it.

    Parameters
    ----------
    what, how : str
    proved : bool or None
        None: the solver gave no answer in time.
    seconds : float
    """

    what: str
    how: str
    proved: bool | None
    seconds: float


class Refuted(VerifyError):
    """The hardware is not the network.

    Parameters
    ----------
    claim : str
        What does not hold.
    fault : str
        Where, if that is known.
    counterexample : Counterexample or None
        A sample that shows it, if one was found.
    """

    def __init__(self, claim: str, fault: str, counterexample: Counterexample | None):
        self.claim, self.fault, self.counterexample = claim, fault, counterexample
        shown = str(counterexample) if counterexample else "" if fault else "no sample found"
        super().__init__(
            f"{claim}: refuted: " + "; ".join(filter(None, [fault, shown])),
            hint="this is a bug in lgn-hdl or in a tool it calls; please report it with the model",
        )


#: Values of the inputs of a graph, or None → a sample that shows a difference, if there is one.
Witness = Callable[[np.ndarray | None], Counterexample | None]


@dataclass
class Prover:
    """Tries claims one after the other.

    Parameters
    ----------
    aig : Aig
        What most claims are about.
    workdir : Path
        For the solver's files.
    timeout : float or None
        Limit for a call of the solver in seconds.
    show : Witness
        Finds the counterexample when a claim is refuted.
    progress : callable
        Told each claim before it is tried.
    """

    aig: Aig
    workdir: Path
    timeout: float | None
    show: Witness
    progress: Callable[[str], None]
    claims: list[Claim] = field(default_factory=list)

    def never(self, what: str, how: str, differs: Callable[[], int]) -> None:
        """Claim that a literal of the graph, which `differs` builds, is never true."""
        start = self._start(what)
        proved, inputs = self._solve(self.aig, differs())
        if inputs is not None:
            raise Refuted(what, "", self.show(inputs))
        self._end(what, how, proved, start)

    def faultless(self, what: str, how: str, faults: Callable[[], Sequence[str]]) -> None:
        """Claim that a check on structure finds no fault."""
        start = self._start(what)
        if found := faults():
            raise Refuted(what, found[0], self.show(None))
        self._end(what, how, True, start)

    def local(self, what: str, how: str, circuit: Callable[[], tuple[Aig, int]]) -> None:
        """Claim that a literal of a graph of its own is never true."""
        start = self._start(what)
        proved, inputs = self._solve(*circuit())
        if inputs is not None:
            raise Refuted(what, "", self.show(None))
        self._end(what, how, proved, start)

    def _start(self, what: str) -> float:
        self.progress(what)
        return time.perf_counter()

    def _end(self, what: str, how: str, proved: bool | None, start: float) -> None:
        self.claims.append(Claim(what, how, proved, time.perf_counter() - start))

    def _solve(self, aig: Aig, literal: int) -> tuple[bool | None, np.ndarray | None]:
        """Whether the literal is never true; inputs for which it is."""
        if literal == FALSE:  # both sides were the same nodes all along
            return True, None
        path = self.workdir / "claim.aig"
        aig.write(path, literal)
        answer = never_true(path, self.timeout)
        if answer.proved is not False:
            return answer.proved, None
        return False, np.array([pair[-1] == "1" for pair in answer.counterexample.split()])
