"""Boards: one short file each. Those of other packages come by entry point `lgn_hdl.boards`."""

from __future__ import annotations

__all__ = ["BOARDS"]

#: What the user types → module here and class in it. A board is imported only when it is asked
#: for.
BOARDS = {
    "icebreaker": "icebreaker:ICEBreaker",
    "hx8k": "hx8k:HX8K",
    "ulx3s": "ulx3s:ULX3S",
    "tangnano9k": "tangnano9k:TangNano9K",
    "arty_a7": "arty_a7:ArtyA7",
}
