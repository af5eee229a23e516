"""Builds that are folded: the same results in less area and more clocks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from mutations import with_text
from networks import bits_only, classifier

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.compiler.options import BuildOptions, folds_from
from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.network import FixedPoint, write_network
from lgn_hdl.report import schema

FORM = FixedPoint(6, 4, signed=True)


@pytest.fixture(scope="module")
def model() -> lgn_hdl.Model:
    return lgn_hdl.Model(classifier(element=FORM, names=("left", "middle", "right")))


@pytest.fixture(scope="module")
def builds(model: lgn_hdl.Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One build for every way to fold."""
    folder = tmp_path_factory.mktemp("folds")
    for fold in ("none", "sums", "gates"):
        lgn_hdl.build(model, folder / fold, fold=fold, fold_width=2 if fold != "none" else None)
    return {fold: folder / fold for fold in ("none", "sums", "gates")}


def report_of(build: Path) -> dict:
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, schema())
    return report


@pytest.mark.parametrize("fold", ["sums", "gates"])
def test_simulation_equals_pytorch(builds: dict[str, Path], fold: str) -> None:
    outcome = lgn_hdl.simulate(builds[fold])
    interval = report_of(builds[fold])["pipeline"]["initiation_interval"]
    assert outcome.samples == 512
    assert outcome.cycles >= 512 * interval
    assert outcome.stalls > 0


def test_other_samples_are_simulated(builds: dict[str, Path]) -> None:
    x = np.random.default_rng(3).uniform(-1.5, 1.5, (20, 4))
    assert lgn_hdl.simulate(builds["sums"], x).samples == 20


def test_the_result_has_the_same_fields_however_it_is_folded(builds: dict[str, Path]) -> None:
    ports = [report_of(build)["pipeline"]["ports"] for build in builds.values()]
    assert ports[0] == ports[1] == ports[2]


def test_the_report_says_how_it_is_folded(builds: dict[str, Path]) -> None:
    pipelines = {fold: report_of(build)["pipeline"] for fold, build in builds.items()}
    assert pipelines["none"]["initiation_interval"] == 1
    for fold in ("sums", "gates"):
        interval = pipelines[fold]["initiation_interval"]
        assert interval == pipelines[fold]["latency_cycles"] > 3
        timing = report_of(builds[fold])["timing"]
        assert timing["samples_per_second"] == pytest.approx(1e8 / interval, rel=1e-6)
        assert f"one sample in {interval} clocks" in (builds[fold] / "report.md").read_text()
    assert "take turns at one counter of 2 bits" in pipelines["sums"]["folding"]
    assert "a program in memory" in pipelines["gates"]["folding"]


def test_a_term_that_is_counted_wrongly_is_caught(builds: dict[str, Path], tmp_path: Path) -> None:
    text = (builds["sums"] / "top.v").read_text()
    # The complements of the terms are the one XOR with a constant wider than a bit.
    broken = re.sub(r"(\} \^ \d\d+'h)([0-9a-f]+)", _other_digit, text, count=1)
    assert broken != text
    folder = with_text(builds["sums"], tmp_path / "broken", broken)
    with pytest.raises(VerifyError, match="block result"):
        lgn_hdl.simulate(folder)


def _other_digit(match: re.Match[str]) -> str:
    return match[1] + format(int(match[2], 16) ^ 1, "x")


_LATE = """
module top(input clk, input rst, input [23:0] i__payload, input i__valid, output i__ready,
           output [{high}:0] o__payload, output reg o__valid, input o__ready);
  wire valid;
  inner inner(.clk(clk), .rst(rst), .i__payload(i__payload), .i__valid(i__valid),
    .i__ready(i__ready), .o__payload(o__payload), .o__valid(valid), .o__ready(o__ready));
  always @(posedge clk) o__valid <= valid & ~rst;
endmodule
"""


def test_a_result_that_is_one_clock_late_is_caught(builds: dict[str, Path], tmp_path: Path) -> None:
    text = (builds["sums"] / "top.v").read_text()
    fields = report_of(builds["sums"])["pipeline"]["ports"]["o__payload"]
    wrapper = _LATE.format(high=fields[-1]["low"] + fields[-1]["width"] - 1)
    late = re.sub(r"\bmodule top\(", "module inner(", text) + wrapper
    folder = with_text(builds["sums"], tmp_path / "late", late)
    with pytest.raises(VerifyError, match="block stream"):
        lgn_hdl.simulate(folder)


def test_bits_leave_the_gates_of_a_program_in_memory(tmp_path: Path) -> None:
    lgn_hdl.build(lgn_hdl.Model(bits_only()), tmp_path / "b", fold="gates", argmax=False)
    assert lgn_hdl.simulate(tmp_path / "b").samples == 512


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fold", "sums", "--prove"], "--prove knows pipelines only"),
        (["--fold", "sums", "--combinational"], "--fold and --combinational exclude"),
        (["--fold", "gates", "--levels-per-stage", "1"], "--fold and --levels-per-stage exclude"),
        (["--fold", "sums", "--fold-width", "0"], "--fold-width is 0"),
        (["--fold-width", "4"], "--fold-width is for"),
        (["--fold", "gates", "--target", "lut4"], "has no memory"),
        (["--fit"], "--fit needs a --board"),
        (["--seeds", "3"], "--seeds needs a --board"),
        (["--baud", "9600"], "--baud needs a --board"),
        (["--allow-timing-fail"], "--allow-timing-fail needs a --board"),
    ],
)
def test_options_that_contradict_each_other(
    model: lgn_hdl.Model, tmp_path: Path, capsys, arguments: list[str], message: str
) -> None:
    write_network(model.network, tmp_path / "m.lgn")
    assert main(["build", str(tmp_path / "m.lgn"), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sums_cannot_be_folded_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no class sums"):
        lgn_hdl.build(lgn_hdl.Model(bits_only()), tmp_path / "b", fold="sums", argmax=False)


def test_fit_goes_on_from_the_fold_that_is_given() -> None:
    assert [o.fold for o in folds_from(BuildOptions())] == ["none", "sums", "gates"]
    later = folds_from(BuildOptions(fold="sums", fold_width=8))
    assert [(o.fold, o.fold_width) for o in later] == [("sums", 8), ("gates", None)]
