"""On which side of the die each pin is, as LibreLane reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from .ports import Port

__all__ = ["PITCH", "SIDES", "TRACK", "Pins", "assign_pins"]

#: North, south, west, east.
SIDES = "NSWE"
#: Distance of routing tracks in µm: pins on north and south are on met2, on west and east on met3.
TRACK = {"N": 0.46, "S": 0.46, "W": 0.68, "E": 0.68}
#: A pin is twice as wide as a wire, so on met3 it needs every second track. On met2 every second
#: one is left to the wires that come from the other pins.
PITCH = {side: 2 * track for side, track in TRACK.items()}


@dataclass(frozen=True)
class Pins:
    """Pins by side, from left to right and from bottom to top.

    Parameters
    ----------
    sides : mapping of str to tuple of str
        Keys are those of `SIDES`.
    ports : tuple of Port
    """

    sides: Mapping[str, tuple[str, ...]]
    ports: tuple[Port, ...]

    def file(self) -> str:
        """The file of pin orders: sides, least distances, and a regular expression per line.

        A port that is on one side in the order of its bits is one line, otherwise every pin is.
        """
        whole = {port.pins: port.name for port in self.ports}
        lines: list[str] = []
        for side in SIDES:
            pins = self.sides[side]
            if not pins:
                continue
            lines += [f"#{side}", f"@min_distance={PITCH[side]:g}"]
            at = 0
            while at < len(pins):
                for bits, name in whole.items():
                    if len(bits) > 1 and pins[at : at + len(bits)] == bits:
                        lines.append(rf"{name}\[\d+\]")
                        at += len(bits)
                        break
                else:
                    lines.append(pins[at].replace("[", r"\[").replace("]", r"\]"))
                    at += 1
            lines.append("")
        return "\n".join(lines)


def assign_pins(
    ports: Sequence[Port],
    room: Mapping[str, int],
    *,
    clock: str | None,
    reset: str | None,
) -> Pins | None:
    """Give every pin a side: data come in from the west and leave to the east.

    The stream's names decide: all of `i__…` is on the west, its `ready` too; what is not of a
    stream goes by its direction. Clock and reset are in the middle of the south. What has no room
    on its side goes around the nearest corners, half to the south and half to the north.

    Parameters
    ----------
    ports : sequence of Port
    room : mapping of str to int
        Pins that each side has room for.
    clock, reset : str or None

    Returns
    -------
    Pins or None
        None if there are more pins than room.
    """
    control = [port for port in ports if port.name in (clock, reset)]
    data = [port for port in ports if port not in control]
    west = _spill([port for port in data if _is_west(port)], room["W"])
    east = _spill([port for port in data if not _is_west(port)], room["E"])
    middle = tuple(chain.from_iterable(port.pins for port in control))
    sides = {
        "N": (*west[2], *reversed(east[2])),
        # Next to a corner is what is next to the other side of that corner.
        "S": (*reversed(west[0]), *middle, *east[0]),
        "W": west[1],
        "E": east[1],
    }
    if any(len(sides[side]) > room[side] for side in SIDES):
        return None
    return Pins(sides, tuple(ports))


def _is_west(port: Port) -> bool:
    stream = port.name[:2] if port.name[:2] in ("i_", "o_") else ""
    return stream == "i_" or (not stream and port.direction == "input")


def _spill(
    ports: Sequence[Port], room: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Pins that go around the lower corner, those that stay, and those around the upper corner."""
    pins = tuple(chain.from_iterable(port.pins for port in ports))
    over = max(0, len(pins) - room)
    below = over // 2
    return (
        pins[:below],
        pins[below : len(pins) - (over - below)],
        pins[len(pins) - (over - below) :],
    )
