"""The device side of the link: a UART, frames, and a classifier behind them."""

from .device import Device
from .rate import Rate, choose_rate

__all__ = ["Device", "Rate", "choose_rate"]
