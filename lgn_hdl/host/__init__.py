"""The host's side of the link: a board that is asked like a `Model`."""

from ..errors import LinkError
from .exchange import Statistics
from .hardware import HardwareModel, HasNetwork
from .payload import Answers
from .port import DEFAULT_BAUD

__all__ = [
    "DEFAULT_BAUD",
    "Answers",
    "HardwareModel",
    "HasNetwork",
    "LinkError",
    "Statistics",
]
