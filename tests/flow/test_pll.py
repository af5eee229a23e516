"""PLL settings against the families' own calculators."""

import re
from fractions import Fraction

import pytest

from lgn_hdl.errors import BuildError
from lgn_hdl.flow.pll import choose_clock
from lgn_hdl.flow.programs import find_program

FREQUENCIES = [16, 18, 20, 24, 27, 30, 33, 36, 40, 48, 50, 60, 72, 75, 96, 100, 120, 150, 180]


def settings_of(tool, arguments, workdir):
    """Run a calculator; return the numbers in the Verilog that it writes."""
    find_program(tool).run(arguments, workdir, log=f"{tool}.log", outputs=["pll.v"])
    text = (workdir / "pll.v").read_text()
    found = {}
    for name, value in re.findall(r"\.(\w+)\(([0-9'bh]+)\)", text):
        width, binary, digits = value.partition("'b")
        if binary or width.isdigit():
            found[name] = int(digits, 2) if binary else int(width)
    return found


@pytest.mark.parametrize("mhz", FREQUENCIES[1:])  # for 16 MHz, icepll goes below the least, 16
def test_ice40_settings_are_those_of_icepll(mhz, tmp_path):
    arguments = ["-q", "-i", "12", "-o", str(mhz), "-m", "-f", "pll.v"]
    theirs = settings_of("icepll", arguments, tmp_path)
    ours = choose_clock("ice40", 12_000_000, mhz, where="board")
    assert ours.pll is not None
    assert {name: theirs[name] for name in ours.pll.parameters} == ours.pll.parameters
    made = Fraction(12_000_000 * (theirs["DIVF"] + 1), (theirs["DIVR"] + 1) * 2 ** theirs["DIVQ"])
    assert ours.hz == made


@pytest.mark.parametrize("mhz", FREQUENCIES)
def test_ecp5_settings_are_as_near_as_those_of_ecppll(mhz, tmp_path):
    theirs = settings_of("ecppll", ["-i", "25", "-o", str(mhz), "-f", "pll.v"], tmp_path)
    their_mhz = Fraction(25 * theirs["CLKFB_DIV"], theirs["CLKI_DIV"])
    clock = choose_clock("ecp5", 25_000_000, mhz, where="board")
    if clock.pll is None:
        assert mhz == 25
        return
    ours = clock.pll.parameters
    vco = Fraction(25_000_000 * ours["CLKFB_DIV"] * ours["CLKOP_DIV"], ours["CLKI_DIV"])
    assert 400_000_000 <= vco <= 800_000_000
    assert clock.hz == vco / ours["CLKOS_DIV"]
    assert abs(clock.hz - mhz * 10**6) <= abs(their_mhz - mhz) * 10**6


@pytest.mark.parametrize("mhz", [mhz for mhz in FREQUENCIES if mhz != 27])
def test_gowin_settings_are_as_near_as_those_of_gowin_pll(mhz, tmp_path):
    arguments = ["-d", "GW1NR-LV9QN88PC6/I5", "-i", "27", "-o", str(mhz), "-f", "pll.v"]
    theirs = settings_of("gowin_pll", arguments, tmp_path)
    their_mhz = Fraction(27 * (theirs["FBDIV_SEL"] + 1), theirs["IDIV_SEL"] + 1)
    try:
        clock = choose_clock("gowin", 27_000_000, mhz, where="board")
    except BuildError:
        assert abs(their_mhz - mhz) > Fraction(mhz, 100)
        return
    assert clock.pll is not None
    ours = clock.pll.parameters
    assert clock.hz == Fraction(27_000_000 * (ours["FBDIV_SEL"] + 1), ours["IDIV_SEL"] + 1)
    assert 400_000_000 <= clock.hz * ours["ODIV_SEL"] <= 1_200_000_000
    assert abs(clock.hz - mhz * 10**6) <= abs(their_mhz - mhz) * 10**6


@pytest.mark.parametrize("mhz", [*FREQUENCIES, 12.5, 6.25, 400])
def test_xilinx_settings_are_within_the_data_sheet(mhz):
    clock = choose_clock("xilinx", 100_000_000, mhz, where="board")
    if clock.pll is None:
        assert mhz == 100
        return
    ours = clock.pll.parameters
    vco = Fraction(100_000_000 * ours["CLKFBOUT_MULT"], ours["DIVCLK_DIVIDE"])
    assert 800_000_000 <= vco <= 1_600_000_000
    assert 19_000_000 <= Fraction(100_000_000, ours["DIVCLK_DIVIDE"]) <= 450_000_000
    assert 2 <= ours["CLKFBOUT_MULT"] <= 64
    assert 1 <= ours["CLKOUT0_DIVIDE"] <= 128
    assert clock.hz == vco / ours["CLKOUT0_DIVIDE"]
    assert abs(clock.mhz - mhz) <= mhz / 100


def test_the_crystal_needs_no_pll():
    for mhz in (None, 12, 12.0):
        clock = choose_clock("ice40", 12_000_000, mhz, where="board")
        assert (clock.hz, clock.pll) == (12_000_000, None)
    # Near enough, and the PLL comes no nearer.
    assert choose_clock("ice40", 12_000_000, 12.1, where="board").pll is None


@pytest.mark.parametrize(
    ("family", "crystal", "mhz", "nearest"),
    [
        ("ice40", 12, 13, "12.000"),
        ("ice40", 12, 1, "12.000"),
        ("ice40", 12, 400, "270.000"),
        ("ecp5", 25, 2, "3.125"),
        ("ecp5", 25, 900, "400.000"),
        ("gowin", 27, 20, "20.250"),
        ("xilinx", 100, 2, "6.250"),
    ],
)
def test_a_frequency_that_cannot_be_made_is_refused(family, crystal, mhz, nearest):
    message = (
        rf"board: cannot make a clock of {mhz} MHz from {crystal} MHz \(the nearest is {nearest}"
    )
    with pytest.raises(BuildError, match=message):
        choose_clock(family, crystal * 10**6, mhz, where="board")


def test_nonsense_is_refused():
    for mhz in (-3, 0, float("nan"), float("inf")):
        with pytest.raises(BuildError, match=f"board: there is no clock of {mhz:g} MHz"):
            choose_clock("ice40", 12_000_000, mhz, where="board")
    with pytest.raises(BuildError, match="has no PLL, only its clock of 12 MHz"):
        choose_clock("lut6", 12_000_000, 24, where="board")
