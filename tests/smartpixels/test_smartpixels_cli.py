"""The commands: outputs whole or not at all; bad input is one message and exit status 2."""

from __future__ import annotations

import csv
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from lgn_hdl.frontends.assemble import chain, gate_tables, input_type
from lgn_hdl.network import GroupSum, LutLayer, Thermometer, write_network
from lgn_hdl.smartpixels import CLASSES, commands
from lgn_hdl.smartpixels.cli import main
from lgn_hdl.smartpixels.files import find_tags, read_tag
from lgn_hdl.smartpixels.filters import load_filter
from lgn_hdl.smartpixels.plots import _styles


def small_lgn(path: Path, classes: tuple[str, ...] = CLASSES, features: int = 9) -> Path:
    """A network with two gates per class on the first feature and y0."""
    thresholds = np.tile(np.array([10.5, 200.5]), (features, 1))
    wires = np.array([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]], np.int32)
    source = input_type((features,), bits=False, input_format="uint11")
    layers = [
        ("bits", Thermometer(thresholds, 0)),
        ("gates", LutLayer(wires, gate_tables(np.array([7, 6, 1, 14, 8, 3])))),
        ("scores", GroupSum(3, 2.0)),
    ]
    write_network(chain(source, layers, classes=classes), path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smartpixels") / "data"
    arguments = ["generate", "-o", str(folder), "-n", "250", "--per-file", "100", "--seed", "7"]
    assert main(arguments) == 0
    return folder


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail; its one line on standard error."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(lines) == 1
    return lines[0]


def test_generate(data: Path) -> None:
    # 250 clusters come in one chunk, so in one pair of files.
    assert sum(len(read_tag(data, tag)) for tag in find_tags(data)) == 250
    report = json.loads((data / "report.json").read_text())
    assert (report["clusters"], report["seed"]) == (250, 7)
    assert report["sensor"]["pitch_y"] == 12.5


def test_train_and_evaluate_a_baseline(data: Path, tmp_path: Path) -> None:
    file, samples = tmp_path / "mlp.pt", tmp_path / "s.npz"
    arguments = ["train", "mlp", "-o", file, "--data", data, "--epochs", 2]
    arguments += ["--samples", samples, "--sample-count", 20]
    assert main([str(a) for a in arguments]) == 0
    with np.load(samples) as found:
        assert found["x"].shape == (20, 14)
        assert found["x"].dtype == np.uint16
    assert load_filter(file).features == 14
    out = tmp_path / "out"
    lgn = small_lgn(tmp_path / "little.lgn")
    assert main(["evaluate", str(file), str(lgn), "--data", str(data), "-o", str(out)]) == 0
    names = {"acceptance.png", "acceptance.csv", "accuracy_y0.png", "accuracy_y0.csv"}
    assert {p.name for p in out.iterdir()} == names | {"scores.md", "report.json"}
    assert (out / "acceptance.png").read_bytes()[:4] == b"\x89PNG"
    report = json.loads((out / "report.json").read_text())
    assert report["tracks"] == 250
    assert set(report["scores"]) == {"mlp", "little"}
    rows = table(out / "acceptance.csv")
    assert {row["filter"] for row in rows} == {"mlp", "little"}
    assert sum(int(row["tracks"]) for row in rows if row["filter"] == "mlp") == 250
    # The figure of the report is the one of the curve.
    above = [r for r in rows if r["filter"] == "mlp" and float(r["|pT| in GeV from"]) >= 2]
    passed, total = (sum(int(r[k]) for r in above) for k in ("passed", "tracks"))
    assert report["scores"]["mlp"]["efficiency"] == pytest.approx(passed / total)


def test_the_curves_hold_the_interval_that_is_drawn(data: Path, tmp_path: Path) -> None:
    """Wilson's, which is not symmetric: below 1 where all pass, and never above it."""
    lgn, out = small_lgn(tmp_path / "little.lgn"), tmp_path / "out"
    assert main(["evaluate", str(lgn), "--data", str(data), "-o", str(out)]) == 0
    for row in table(out / "acceptance.csv"):
        passed, total = int(row["passed"]), int(row["tracks"])
        ends = [float(row[name]) for name in ("share low", "share high")]
        share, half = passed / total, np.sqrt(passed * (total - passed) / total + 0.25)
        wilson = [(passed + 0.5 + sign * half) / (total + 1) for sign in (-1, 1)]
        assert ends == pytest.approx(wilson, abs=1e-5)
        assert float(row["share"]) == pytest.approx(share, abs=1e-5)


def test_a_filter_looks_the_same_in_every_plot() -> None:
    everything = ["mlp", "cnn", "smartpixels_dense", "smartpixels_conv"]
    styles = _styles(everything)
    assert len(set(styles.values())) == 4
    for some in (["smartpixels_conv"], ["mine", "smartpixels_conv", "mlp"]):
        found = _styles(some)
        assert all(found[name] == styles[name] for name in some if name != "mine")
        assert len(set(found.values())) == len(some)
    assert len(set(_styles([*everything, "a", "b", "c"]).values())) == 7
    assert len(_styles("abcdefghijkl")) == 12


def test_reproduce(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lgn = small_lgn(tmp_path / "little.lgn")
    out = tmp_path / "out"
    arguments = ["reproduce", "-o", out, "-n", 1200, "--test-clusters", 400, "--models", lgn]
    assert main([*map(str, arguments), "--no-luts", "--no-cells"]) == 0
    rows = table(out / "gates.csv")
    assert [row["Network"] for row in rows][:3] == ["mlp", "cnn", "little"]
    assert rows[2]["Trained gates"] == "6"
    assert int(rows[2]["After simplification"]) <= 6
    assert "| cnn | 105 | 83,331 | 415,136 |" in (out / "gates.md").read_text()
    assert "83,331" in capsys.readouterr().out


def test_logic_gates_need_torchlogix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchlogix", None)
    for network in ("dense", "conv"):
        line = refused(capsys, "train", network, "-o", tmp_path / "x.lgn")
        assert "needs torchlogix" in line
        assert "smartpixels-train" in line
    assert not list(tmp_path.iterdir())


def test_no_liberty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lgn = small_lgn(tmp_path / "little.lgn")
    rest = ("--models", lgn, "-o", tmp_path / "out", "--liberty", tmp_path / "x.lib")
    assert "no such Liberty file" in refused(capsys, "reproduce", *rest)
    assert "no such file" in refused(
        capsys, "reproduce", "--models", tmp_path / "y.lgn", "-o", tmp_path / "out"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["little.lgn"]


def test_wrong_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ends in .pt" in refused(capsys, "train", "mlp", "-o", tmp_path / "x.lgn")
    assert "no such folder" in refused(capsys, "train", "mlp", "-o", tmp_path / "no" / "x.pt")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    assert "not empty" in refused(capsys, "generate", "-o", taken, "-n", 10)
    assert (taken / "mine.txt").read_text() == "mine"


def test_nothing_is_left_of_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert "number of clusters is 0" in refused(capsys, "generate", "-o", out, "-n", 0)
    assert "noise is -5" in refused(capsys, "generate", "-o", out, "--noise", -5)
    assert "--per-file is 0" in refused(capsys, "generate", "-o", out, "--per-file", 0)
    lgn = small_lgn(tmp_path / "little.lgn")
    line = refused(capsys, "evaluate", lgn, "--data", tmp_path / "nowhere", "-o", out)
    assert "not a folder" in line
    line = refused(capsys, "evaluate", lgn, "-n", 10, "--boundary", "-1", "-o", out)
    assert "boundary is -1" in line
    assert [p.name for p in tmp_path.iterdir()] == ["little.lgn"]


def test_nothing_is_left_of_a_command_that_was_terminated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: object, folder: Path, tag: str) -> None:
        (folder / f"recon2D{tag}.parquet.part").touch()
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(commands, "write_tag", stopped)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit, match="143"):
            main(["generate", "-o", str(tmp_path / "out"), "-n", "10"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not list(tmp_path.iterdir())


def test_a_number_of_clusters_and_a_folder_of_them(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lgn = small_lgn(tmp_path / "little.lgn")
    rest = ("--data", data, "-n", 100, "-o")
    for command in (("train", "mlp", *rest, tmp_path / "x.pt"), ("evaluate", lgn, *rest, "out")):
        assert "100 clusters were asked for" in refused(capsys, *command)
    assert [p.name for p in tmp_path.iterdir()] == ["little.lgn"]


def test_wrong_models(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    rest = ("--data", data, "-o", out)
    assert "no such file" in refused(capsys, "evaluate", tmp_path / "x.lgn", *rest)
    unnamed = small_lgn(tmp_path / "unnamed.lgn", classes=())
    assert "expected high pT, low pT-, low pT+" in refused(capsys, "evaluate", unnamed, *rest)
    wide = small_lgn(tmp_path / "wide.lgn", features=10)
    assert "takes [10] features" in refused(capsys, "evaluate", wide, *rest)
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"not a checkpoint")
    assert "is not a baseline" in refused(capsys, "evaluate", broken, *rest)
    (tmp_path / "twice").mkdir()
    one, two = (small_lgn(p / "same.lgn") for p in (tmp_path, tmp_path / "twice"))
    assert "two models are called same" in refused(capsys, "evaluate", one, two, *rest)
    assert not out.exists()


def test_wrong_training_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.pt"
    rest = ("-n", 50, "-o", out)
    assert "0 epochs" in refused(capsys, "train", "mlp", "--epochs", 0, *rest)
    assert "boundary is 0" in refused(capsys, "train", "mlp", "--boundary", 0, *rest)
    missing = ("--samples", tmp_path / "no" / "s.npz")
    assert "no such folder" in refused(capsys, "train", "mlp", *missing, *rest)
    assert "--sample-count is 0" in refused(capsys, "train", "mlp", "--sample-count", 0, *rest)
    assert "time is -1" in refused(capsys, "train", "mlp", "--minutes", "-1", *rest)
    assert not out.exists()
