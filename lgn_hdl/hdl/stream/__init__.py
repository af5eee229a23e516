"""Hardware in which the positions of an image take turns."""

from .classifier import StreamedClassifier, check_stream_ports, streamed_layout
from .delayline import DelayLine
from .loader import Loader
from .parts import PartChooser, PartJoiner
from .selector import Selector
from .timers import TimerBank

__all__ = [
    "DelayLine",
    "Loader",
    "PartChooser",
    "PartJoiner",
    "Selector",
    "StreamedClassifier",
    "TimerBank",
    "check_stream_ports",
    "streamed_layout",
]
