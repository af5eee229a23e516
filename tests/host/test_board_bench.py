"""The bench that drives a device through its pins: it accepts what is right, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from networks import classifier
from simulated import BAUD, CLOCK_HZ, Simulated, compile_device, write_device

from lgn_hdl.compiler.linkvectors import link_vectors
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.errors import BuildError
from lgn_hdl.network import FixedPoint
from sim.board import run, run_compiled
from sim.damage import CHECKS

FORM = FixedPoint(6, 4, signed=True)
FOLDS = {
    "pipeline": BuildOptions(levels_per_stage=2),
    "combinational": BuildOptions(combinational=True),
    "sums": BuildOptions(fold="sums", fold_width=3),
    "gates": BuildOptions(fold="gates"),
}


@pytest.mark.parametrize("options", FOLDS.values(), ids=FOLDS)
def test_every_kind_of_hardware_passes(options: BuildOptions, tmp_path: Path) -> None:
    made = compile_device(classifier(element=FORM), tmp_path, options)
    made.write_vectors(tmp_path / "vectors.npz", 30)
    outcome = run_compiled(tmp_path, tmp_path / "vectors.npz", tmp_path)
    assert outcome["mismatch"] is None
    assert outcome["samples"] == 30
    assert outcome["checks"].keys() == {check.__name__ for check in CHECKS}
    assert all(outcome["checks"].values())
    # Back to back the line is the limit: 10 bytes for each sample, and twice that at window 1.
    limit = BAUD / 100
    assert 0.45 * limit < outcome["samples_per_second"] <= 1.01 * limit
    assert outcome["clocks"] == pytest.approx(
        30 * CLOCK_HZ / outcome["samples_per_second"], rel=0.01
    )


def named_pins(simulated: Simulated, folder: Path) -> Path:
    """A top with ports of other names, and a reset that is active low."""
    text = """
        module board(input clk12, input btn_n, input rx_pin, output tx_pin);
            wire unused_busy, unused_error;
            device chip(.clk(clk12), .rst(~btn_n), .rx(rx_pin), .tx(tx_pin),
                .busy(unused_busy), .error(unused_error));
        endmodule"""
    (folder / "board.v").write_text(text)
    return folder / "board.v"


@pytest.mark.parametrize("error", [-0.015, 0.015])
def test_pins_of_a_board_and_a_line_that_is_a_little_off(
    simulated: Simulated, tmp_path: Path, error: float
) -> None:
    simulated.write_vectors(tmp_path / "vectors.npz", 20)
    outcome = run(
        [named_pins(simulated, tmp_path), simulated.folder / "device.v"],
        "board",
        tmp_path / "vectors.npz",
        tmp_path,
        clock_hz=CLOCK_HZ,
        baud=BAUD * (1 + error),
        pins={"clk": "clk12", "rst": "~btn_n", "rx": "rx_pin", "tx": "tx_pin"},
        seed=3,
    )
    assert outcome["mismatch"] is None
    assert outcome["samples"] == 20


def test_a_device_without_reset(simulated: Simulated, tmp_path: Path) -> None:
    text = """
        module board(input clk, input rx, output tx);
            device chip(.clk(clk), .rst(1'b0), .rx(rx), .tx(tx));
        endmodule"""
    (tmp_path / "board.v").write_text(text)
    simulated.write_vectors(tmp_path / "vectors.npz", 5)
    outcome = run(
        [tmp_path / "board.v", simulated.folder / "device.v"],
        "board",
        tmp_path / "vectors.npz",
        tmp_path,
        clock_hz=CLOCK_HZ,
        baud=BAUD,
        pins={"clk": "clk", "rx": "rx", "tx": "tx"},
    )
    assert outcome["mismatch"] is None
    assert [name for name, tried in outcome["checks"].items() if not tried] == [
        "reset_in_a_frame",
        "reset_before_the_result",
        "reset_in_a_result",
    ]


@pytest.mark.parametrize("what", ["results", "identity"])
def test_one_wrong_bit_is_found(simulated: Simulated, tmp_path: Path, what: str) -> None:
    simulated.write_vectors(tmp_path / "vectors.npz", 12)
    with np.load(tmp_path / "vectors.npz") as data:
        arrays = dict(data)
    if what == "results":
        arrays["results"][7, 1] ^= 4
    else:
        arrays["identity"] = arrays["identity"].copy()
        arrays["identity"][10] ^= 1
    np.savez(tmp_path / "wrong.npz", **arrays)
    outcome = run_compiled(simulated.folder, tmp_path / "wrong.npz", tmp_path)
    mismatch = outcome["mismatch"]
    assert mismatch["check"] == ("sample 7" if what == "results" else "identification")
    assert mismatch["expected"] != mismatch["found"]


#: What is broken in which module of the Verilog, and where the bench notices it.
BROKEN = {
    "no gap timer": ("receiver_bytes", r"assign gap = .*;", "assign gap = 0;", "damaged_headers"),
    "no CRC": ("receiver", r"\bdamaged <= .*;", "damaged <= 0;", "flipped_bits"),
    "never busy": ("receiver", r"\bbusy <= .*;", "busy <= 0;", "too_many_at_once"),
    "no stop bit": ("receiver_bytes", r"\bgood <= .*;", "good <= 1;", "missing_stop_bits"),
    "dead": ("transmitter_bytes", r"\btx <= .*;", "tx <= 1;", "identification"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_hardware_is_found(simulated: Simulated, tmp_path: Path, broken: str) -> None:
    module, pattern, replacement, check = BROKEN[broken]
    text = (simulated.folder / "device.v").read_text()
    begin = text.index(f"module device_{module}(")
    end = text.index("endmodule", begin)
    changed, count = re.subn(pattern, replacement, text[begin:end])
    assert count
    (tmp_path / "device.v").write_text(text[:begin] + changed + text[end:])
    simulated.write_vectors(tmp_path / "vectors.npz", 5)
    outcome = run(
        [tmp_path / "device.v"],
        "device",
        tmp_path / "vectors.npz",
        tmp_path,
        clock_hz=CLOCK_HZ,
        baud=BAUD,
    )
    assert outcome["mismatch"]["check"] == check


def test_a_wrong_gate_is_found(simulated: Simulated, tmp_path: Path) -> None:
    """Another network behind the same identification."""
    other = write_device(
        classifier(element=FORM, seed=1), tmp_path, digest=simulated.identity.digest.hex()
    )
    with pytest.raises(BuildError, match="the vectors have"):
        link_vectors(
            {
                "features": np.zeros((1, 3), int),
                "feature_width": np.array(6),
                "result_bits": np.zeros((1, 11), int),
            },
            other.identity,
        )
    simulated.write_vectors(tmp_path / "vectors.npz", 40)
    with np.load(tmp_path / "vectors.npz") as data:
        arrays = {**data, "identity": np.frombuffer(other.identity.encode(), np.uint8)}
    np.savez(tmp_path / "vectors.npz", **arrays)
    outcome = run(
        [tmp_path / "device.v"],
        "device",
        tmp_path / "vectors.npz",
        tmp_path,
        clock_hz=CLOCK_HZ,
        baud=BAUD,
    )
    assert outcome["mismatch"]["check"].startswith("sample ")


def test_what_does_not_end_by_itself(simulated: Simulated, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"bench failed|simulator stopped"):
        run_compiled(simulated.folder, tmp_path / "absent.npz", tmp_path)
