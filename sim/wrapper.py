"""A Verilog module around a device: its clock, and a UART that speaks through its pins bit by bit.

The bits are timed in Verilog because the simulator does that far faster than Python could; Python
says which bits, and learns each byte when its stop bit has been seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["WRAPPER", "Timing", "wrapper"]

#: Name of the module.
WRAPPER = "lgn_hdl_board_bench"
_PINS = ("clk", "rst", "rx", "tx")

_TEXT = """\
`timescale 1ps / 1ps
module {name};
    reg clk = 0, rst = 0, rx = 1;
    wire tx;
    // A pad, which is both input and output, takes nets only.
    wire clk_p = clk, rst_p = rst, rx_p = rx, clk_n = ~clk, rst_n = ~rst, rx_n = ~rx;
    {top} device ({pins});

    // Edges of the clock do not fall on edges of the bits.
    initial #{phase} forever #{half} clk = ~clk;

    // To the device: whenever `command` changes, its lowest `command[20:16]` bits leave one by one.
    reg [21:0] command = 0;
    reg sent = 0;
    integer out;
    always @(command) begin
        for (out = 0; out < command[20:16]; out = out + 1) begin
            rx = command[out];
            #{bit};
        end
        sent = ~sent;
    end

    // From the device: `hear` changes in the middle of a stop bit, `stop` is what was found there.
    reg [7:0] heard = 0;
    reg stop = 1, hear = 0;
    integer in;
    always @(negedge tx) begin
        #{first};
        for (in = 0; in < 8; in = in + 1) begin
            heard[in] = tx === 1'b1;
            #{bit};
        end
        stop = tx === 1'b1;
        hear = ~hear;
    end
endmodule
"""


@dataclass(frozen=True)
class Timing:
    """Clock of the device and bits of the line, in Hz and bits per second."""

    clock_hz: float
    baud: float

    @property
    def bit_ps(self) -> int:
        """Length of a bit."""
        return round(1e12 / self.baud)

    @property
    def clock_ps(self) -> int:
        """Length of a clock, even."""
        return 2 * round(0.5e12 / self.clock_hz)


def _net(pin: str, port: str) -> str:
    return pin if pin == "tx" else pin + ("_n" if port.startswith("~") else "_p")


def wrapper(top: str, timing: Timing, pins: Mapping[str, str]) -> str:
    """Verilog of the module around the module `top`.

    Parameters
    ----------
    top : str
        Name of the device's module.
    timing : Timing
    pins : mapping of str to str
        Names of its ports for `clk`, `rx`, `tx` and, if it has one, `rst`; a leading `~` says that
        the port is low when it is active.

    Raises
    ------
    ValueError
        If a needed pin is not named, or one is unknown.
    """
    missing = {"clk", "rx", "tx"} - set(pins)
    unknown = set(pins) - set(_PINS)
    if missing or unknown:
        raise ValueError(f"pins are {', '.join(pins)}, expected {', '.join(_PINS)}")
    connections = [f".{port.removeprefix('~')}({_net(pin, port)})" for pin, port in pins.items()]
    return _TEXT.format(
        name=WRAPPER,
        top=top,
        pins=", ".join(connections),
        phase=timing.clock_ps * 3 // 8 + 1,
        half=timing.clock_ps // 2,
        bit=timing.bit_ps,
        first=timing.bit_ps + timing.bit_ps // 2,
    )
