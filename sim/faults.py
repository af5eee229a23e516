"""What a bad line does to bytes: a plan that says which byte suffers what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Fault", "Faults"]

_KINDS = ("flip", "drop", "insert", "stop", "silence", "reset")


@dataclass(frozen=True)
class Fault:
    """One thing that happens on the line.

    Parameters
    ----------
    toward : {"device", "host"}
        Direction of the byte it happens at.
    byte : int
        Number of that byte in its direction, from 0, counted since the plan was given.
    kind : {"flip", "drop", "insert", "stop", "silence", "reset"}
        The byte has a bit flipped, is lost, follows inserted bytes, lacks its stop bit, follows a
        silence, or follows a reset of the device. To the host: no `stop` and no `silence`.
    bit : int
        Which one flips.
    data : str
        The inserted bytes, in hex.
    bits : int
        Length of the silence, in bits.
    """

    toward: str
    byte: int
    kind: str
    bit: int = 0
    data: str = ""
    bits: int = 0

    def __post_init__(self) -> None:
        if self.toward not in ("device", "host") or self.kind not in _KINDS:
            raise ValueError(f"no such fault: {self}")
        if self.toward == "host" and self.kind in ("stop", "silence"):
            raise ValueError(f"{self.kind} is possible toward the device only")
        if self.byte < 0 or not 0 <= self.bit < 8 or self.bits < 0:
            raise ValueError(f"a number is out of range: {self}")
        bytes.fromhex(self.data)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `Faults` takes it back."""
        return asdict(self)


class Faults:
    """A plan being carried out.

    Parameters
    ----------
    plan : iterable of mapping
        Fields of `Fault`.
    """

    def __init__(self, plan: Iterable[Mapping[str, Any]] = ()):
        self._left = [Fault(**entry) for entry in plan]
        self._count = {"device": 0, "host": 0}
        #: What has happened, in order.
        self.fired: list[Fault] = []

    def at_next_byte(self, toward: str) -> list[Fault]:
        """Faults of the next byte in this direction; each happens once."""
        number = self._count[toward]
        self._count[toward] += 1
        due = [fault for fault in self._left if (fault.toward, fault.byte) == (toward, number)]
        for fault in due:
            self._left.remove(fault)
        self.fired += due
        return due
