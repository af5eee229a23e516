"""What can be said on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["make_parser"]


def make_parser() -> argparse.ArgumentParser:
    """The commands; which one was given is `command`."""
    parser = argparse.ArgumentParser(
        prog="lgn_hdl",
        description="Trained logic-gate networks as hardware that computes exactly the same.",
    )
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")

    build = commands.add_parser("build", help="compile a model into a folder")
    _model_arguments(build)
    build.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    build.add_argument(
        "--target",
        default="verilog",
        metavar="NAME",
        help="rtlil, verilog, lut4, lut6, xilinx, xcup, ecp5, ice40, gowin, or sky130 for "
        "standard cells (default: verilog)",
    )
    stages = build.add_argument_group("pipelining (one of)")
    stages.add_argument(
        "--clock-mhz",
        type=float,
        metavar="F",
        help="place registers for this clock (default: a clock per target)",
    )
    stages.add_argument(
        "--levels-per-stage", type=int, metavar="N", help="place registers after every N levels"
    )
    stages.add_argument("--combinational", action="store_true", help="no registers, no clock")
    build.add_argument(
        "--fold",
        choices=["none", "sums", "gates"],
        default="none",
        help="take less area and more clocks: one counter for all class sums, or the gates as a "
        "program in memory (default: none)",
    )
    build.add_argument(
        "--fold-width",
        type=int,
        metavar="N",
        help="terms or gates worked on in a clock (default: 16 terms, 1 gate)",
    )
    build.add_argument(
        "--reuse",
        choices=["none", "column", "row", "position"],
        default="none",
        help="let the positions of convolutions take turns at the same gates: a column, a row or "
        "one position of an image per clock (default: none)",
    )
    build.add_argument(
        "--front",
        choices=["whole", "slices", "rows"],
        default="whole",
        help="how a sample comes to a front end: all at once, or one index of the first axis a "
        "clock, such as a time slice; how an image comes to a sparse CNN: whole, or one row a "
        "clock (default: whole)",
    )
    build.add_argument(
        "--rows-per-clock",
        type=int,
        metavar="N",
        help="rows of a whole image in which a sparse CNN looks for active pixels (default: 1)",
    )
    build.add_argument(
        "--pixels-per-clock",
        type=int,
        metavar="N",
        help="with --front rows, pixels that come in a clock: a divisor of those of a row "
        "(default: all of them)",
    )
    build.add_argument(
        "--slots-per-clock",
        metavar="N[,BLOCK=N...]",
        help="active pixels that the layers of a sparse CNN work on (default: enough to keep up "
        "with the image), and other numbers for single blocks",
    )
    build.add_argument(
        "--constants",
        choices=["digits", "alkaid"],
        default="digits",
        help="how dense layers of a sparse CNN that take a whole vector in a clock are made: "
        "products one by one, or additions that alkaid shares (default: digits)",
    )
    on_board = build.add_argument_group("on a board")
    on_board.add_argument(
        "--board",
        metavar="NAME",
        help="make a bitstream for icebreaker, hx8k, ulx3s, tangnano9k, a Vivado project for "
        "arty_a7, or either for package.module:Class",
    )
    on_board.add_argument(
        "--fit", action="store_true", help="fold as much as the board needs, from --fold on"
    )
    on_board.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="try N placements, keep the fastest"
    )
    on_board.add_argument(
        "--allow-timing-fail", action="store_true", help="keep a result that misses the clock"
    )
    on_board.add_argument("--baud", type=int, metavar="N", help="of the serial port")
    on_board.add_argument(
        "--pnr-timeout",
        type=float,
        metavar="SECONDS",
        help="limit for place and route (default: none; 1800 with --fit)",
    )
    silicon = build.add_argument_group("as standard cells (--target sky130)")
    silicon.add_argument(
        "--mapping",
        choices=["optimised", "delay", "one-to-one"],
        default="optimised",
        help="restructure the gates for small area, or for few levels and glitches, or make each "
        "trained gate one cell (default: optimised)",
    )
    silicon.add_argument(
        "--pdk-root",
        type=Path,
        metavar="DIR",
        help="where the PDK is, or a folder with its Liberty file (default: PDK_ROOT, ~/.ciel)",
    )
    silicon.add_argument(
        "--wire-ff",
        type=float,
        default=0.0,
        metavar="F",
        help="estimate of the wire to each pin in fF, for timing and power (default: 0)",
    )
    silicon.add_argument(
        "--handoff",
        choices=["netlist", "rtl", "tinytapeout", "none"],
        default="netlist",
        help="what LibreLane begins with, in the folder librelane; or a Tiny Tapeout project "
        "(default: netlist)",
    )
    silicon.add_argument(
        "--name",
        default="lgn_top",
        metavar="NAME",
        dest="macro_name",
        help="of the design there (default: lgn_top)",
    )
    build.add_argument("--no-argmax", action="store_true", help="scores only, no class index")
    build.add_argument(
        "--counters",
        choices=["full-adders", "counters"],
        help="what the class sums are made of (default: by target)",
    )
    build.add_argument(
        "--samples",
        type=Path,
        metavar="NPZ",
        help="samples x and labels y for the vectors and the accuracy",
    )
    build.add_argument(
        "--vectors",
        type=int,
        metavar="N",
        help="test vectors to write (default: 512, for a sparse CNN 40)",
    )
    build.add_argument("--seed", type=int, default=0, metavar="N")
    build.add_argument(
        "--prove",
        action="store_true",
        help="prove that the hardware is the network, for every input (needs Yosys)",
    )

    sim = commands.add_parser("sim", help="simulate a build against PyTorch in cocotb")
    sim.add_argument("folder", type=Path, metavar="DIR")
    sim.add_argument("--samples", type=Path, metavar="NPZ", help="instead of the build's vectors")
    sim.add_argument("--seed", type=int, default=0, metavar="N", help="of the back-pressure")
    other = sim.add_mutually_exclusive_group()
    other.add_argument(
        "--uart",
        action="store_true",
        help="the device of a board, through its serial pins, damaged frames included",
    )

    other.add_argument(
        "--gates",
        action="store_true",
        help="the netlist of standard cells instead of the Verilog before it",
    )

    infer = commands.add_parser("infer", help="let a board classify samples, and compare")
    infer.add_argument("samples", type=Path, metavar="NPZ", help="samples x, and labels y if known")
    infer.add_argument("--port", required=True, help="serial port, such as /dev/ttyUSB0")
    infer.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="the build's folder or network.lgn: every answer is compared with it",
    )
    infer.add_argument("--baud", type=int, default=None, metavar="N")
    infer.add_argument("-o", "--output", type=Path, metavar="NPZ", help="write the answers")

    info = commands.add_parser("info", help="say what a model is")
    _model_arguments(info)

    for command in (build, sim, infer, info):
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help=".lgn, a state_dict of torchlogix, difflogic or torch-dwn, a gate list "
        "(.pth, .npz, .csv), or a SparsePixels model (.keras, .weights.h5)",
    )
    parser.add_argument(
        "--groups", type=int, metavar="K", help="number of classes, where the file does not tell it"
    )
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="NPZ",
        help="thresholds of inputs that are not bits, where the file does not hold them",
    )
    parser.add_argument("--inputs", type=int, metavar="N", help="number of input bits, likewise")
    parser.add_argument(
        "--arch",
        type=Path,
        metavar="JSON",
        help="architecture of a torchlogix state_dict or a .weights.h5 (default: the .json beside "
        "it)",
    )
    parser.add_argument(
        "--indices",
        type=Path,
        metavar="FILE",
        help="connections of a difflogic state_dict (default: the .indices.npz beside it)",
    )
    parser.add_argument(
        "--slots",
        type=int,
        metavar="N",
        help="active pixels that a SparsePixels model keeps (its n_max_pixels)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="pixels of a SparsePixels model above this are active (default: 0)",
    )
    parser.add_argument(
        "--input-format",
        metavar="FMT",
        help="of real inputs, such as 'ufixed<8,0>' or 'fixed<16,6>'",
    )
    parser.add_argument("--classes", metavar="A,B,...", help="names of the classes")
