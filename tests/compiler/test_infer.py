"""`infer` against the simulated device: counts, comparison, files, and every kind of refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from networks import bits_only, classifier
from simulated import BAUD, OPTIONS, Simulated, compile_device, write_device

from lgn_hdl import Model
from lgn_hdl.compiler.asbuilt import network_on_board
from lgn_hdl.compiler.infer import infer
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.samples import Samples
from lgn_hdl.errors import BuildError, LgnError, NetworkError, VerifyError
from lgn_hdl.host import LinkError
from lgn_hdl.network import FixedPoint, Network, write_network
from lgn_hdl.network.storage import network_digest
from sim.pty_device import PtyDevice

X = np.random.default_rng(2).uniform(-1.5, 1.5, (80, 4))
FORMAT = "fixed<7,2>"


@dataclass(frozen=True)
class Board:
    """A device on its port, and the model as it was trained."""

    port: str
    simulated: Simulated
    trained: Model

    @property
    def model(self) -> Model:
        """As it was built."""
        return self.simulated.model


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Trained on real numbers, built with a number format: two different files."""
    folder = tmp_path_factory.mktemp("board")
    trained = Model(classifier(names=("left", "middle", "right")))
    made = compile_device(trained.network, folder, replace(OPTIONS, input_format=FORMAT))
    with PtyDevice(folder, folder) as device:
        yield Board(device.path, made, trained)


def test_the_model_of_the_build(board: Board, tmp_path: Path) -> None:
    labels = board.model.predict(X)
    labels[:20] = (labels[:20] + 1) % 3
    np.savez(tmp_path / "samples.npz", x=X.astype(np.float32), y=labels)
    (tmp_path / "build").mkdir()
    write_network(board.model.network, tmp_path / "build" / "network.lgn")
    seen: list[tuple[int, int]] = []
    result = infer(
        board.port,
        tmp_path / "samples.npz",
        tmp_path / "build",
        baud=BAUD,
        output=tmp_path / "answers.npz",
        timeout=5,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert result.samples == 80
    assert result.compared
    assert result.accuracy == 0.75
    assert result.retransmissions == 0
    assert result.board == "simulated"
    assert result.model == network_digest(board.model.network)
    assert result.input_format == FORMAT
    assert result.samples_per_second == pytest.approx(80 / result.seconds, rel=1e-2)
    assert seen == [(done, 80) for done in range(1, 81)]
    assert json.loads(json.dumps(result.as_dict())) == result.as_dict()
    with np.load(tmp_path / "answers.npz", allow_pickle=False) as answers:
        assert set(answers.files) == {"model", "class", "scores"}
        assert str(answers["model"]) == result.model
        assert np.array_equal(answers["class"], board.model.predict(X.astype(np.float32)))
        assert np.array_equal(answers["scores"], board.model.scores(X.astype(np.float32)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "answers.npz",
        "build",
        "samples.npz",
    ]


def test_the_trained_model(board: Board) -> None:
    """What the build made of it has the board's hash, and that is what is compared."""
    labels = board.trained.predict(X)
    result = infer(board.port, Samples(X, labels), board.trained)
    assert result.compared
    assert result.accuracy == np.mean(board.model.predict(X) == labels)


def test_without_a_model(board: Board) -> None:
    result = infer(board.port, Samples(X.reshape(80, 2, 2), board.model.predict(X)))
    assert not result.compared
    assert result.accuracy == 1.0


def test_without_labels(board: Board) -> None:
    assert infer(board.port, Samples(X), board.model).accuracy is None


@pytest.mark.parametrize(
    "changed", [classifier(seed=1), classifier(), bits_only()], ids=["gates", "names", "bits"]
)
def test_another_model_is_an_error(board: Board, changed: Network) -> None:
    with pytest.raises(LinkError, match="holds the model") as caught:
        infer(board.port, Samples(X), Model(changed))
    assert board.simulated.identity.digest.hex() in str(caught.value)
    assert network_digest(changed) in str(caught.value)


@pytest.mark.parametrize("argmax", [True, False])
@pytest.mark.parametrize("form", [None, "fixed<7,2>*1/3", "ufixed<5,1>"])
def test_the_built_network_is_found_from_the_trained_one(
    argmax: bool, form: str | None, tmp_path: Path
) -> None:
    options = BuildOptions(levels_per_stage=1, input_format=form, argmax=argmax)
    network = classifier(element=FixedPoint.parse(form)) if form else classifier()
    made = write_device(network, tmp_path, options)
    found = network_on_board(network, made.identity)
    assert network_digest(found) == made.identity.digest.hex()
    with pytest.raises(LinkError):
        network_on_board(classifier(seed=4), made.identity)


@pytest.mark.parametrize(
    ("x", "labels", "kind", "message"),
    [
        (X[:0], None, BuildError, "there are no samples"),
        (X[:, :3], None, NetworkError, r"shape \(80, 3\), expected \(n, 4\)"),
        (X * np.nan, None, NetworkError, "NaN"),
        (X, np.full(80, 3), BuildError, "labels run from 3 to 3, expected 0 to 2"),
    ],
)
def test_samples_that_do_not_fit(board: Board, x, labels, kind, message) -> None:
    with pytest.raises(kind, match=message) as caught:
        infer(board.port, Samples(x, labels, "file.npz"), board.model)
    assert "file.npz" in str(caught.value)


def test_without_a_model_samples_must_fit_the_board(board: Board) -> None:
    with pytest.raises(NetworkError, match="expected"):
        infer(board.port, Samples(X[:, :3]))


def test_files_that_are_none(board: Board, tmp_path: Path) -> None:
    with pytest.raises(LgnError, match="absent"):
        infer(board.port, tmp_path / "absent.npz", board.model)
    np.savez(tmp_path / "x.npz", x=X)
    with pytest.raises(LgnError, match=r"network\.lgn: there is no such file"):
        infer(board.port, tmp_path / "x.npz", tmp_path)
    for output in (tmp_path, tmp_path / "absent" / "answers.npz"):
        with pytest.raises(BuildError, match="cannot write there"):
            infer(board.port, Samples(X), board.model, output=output)
    with pytest.raises(LinkError, match="cannot be opened"):
        infer("/dev/no-such-port", Samples(X), board.model)


def test_wrong_hardware_is_an_error(tmp_path: Path) -> None:
    """A device that claims to be a network and computes another: one wrong answer is enough."""
    form = FixedPoint(6, 4, signed=True)
    claimed = Model(classifier(element=form))
    compile_device(
        classifier(element=form, seed=1), tmp_path, digest=network_digest(claimed.network)
    )
    with (
        PtyDevice(tmp_path, tmp_path) as device,
        pytest.raises(VerifyError, match=r"gives sample \d+ the \w+ .*, the model .*differ"),
    ):
        infer(device.path, Samples(X), claimed, output=tmp_path / "answers.npz")
    assert not (tmp_path / "answers.npz").exists()


def test_bits(tmp_path: Path) -> None:
    made = compile_device(bits_only(), tmp_path, replace(OPTIONS, argmax=False))
    x = np.random.default_rng(0).integers(0, 2, (30, 6))
    with PtyDevice(tmp_path, tmp_path) as device:
        result = infer(device.path, Samples(x), made.model, output=tmp_path / "answers.npz")
        assert result.compared
        assert result.accuracy is None
        assert infer(device.path, Samples(x)).samples == 30
        with pytest.raises(NetworkError, match="bits"):
            infer(device.path, Samples(x + 1), made.model)
        with pytest.raises(NetworkError, match="integers from 0 to 1"):
            infer(device.path, Samples(x + 1))
    with np.load(tmp_path / "answers.npz", allow_pickle=False) as answers:
        assert np.array_equal(answers["bits"], made.model.bits(x))
