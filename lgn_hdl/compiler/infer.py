"""Send samples to a board and compare what it answers with the model, bit by bit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BuildError, FormatError, LgnError, VerifyError
from ..host import DEFAULT_BAUD, Answers, HardwareModel
from ..model import Model, as_samples
from .asbuilt import network_on_board
from .samples import Samples, read_samples

__all__ = ["InferResult", "infer"]


@dataclass(frozen=True)
class InferResult:
    """What a board did with samples.

    Parameters
    ----------
    samples : int
    seconds : float
        From the first sample sent to the last answer.
    samples_per_second : float
    retransmissions : int
        Frames sent again because the line had damaged or lost something.
    model : str
        Hash of the network on the board.
    board : str
        Its name.
    input_format : str
        That the samples were rounded to.
    compared : bool
        Whether every class, score and bit was compared with the local model and found equal.
    accuracy : float or None
        If labels are given and the board classifies.
    """

    samples: int
    seconds: float
    samples_per_second: float
    retransmissions: int
    model: str
    board: str
    input_format: str
    compared: bool
    accuracy: float | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def infer(
    port: str,
    samples: Samples | str | Path,
    model: Model | str | Path | None = None,
    *,
    baud: int = DEFAULT_BAUD,
    output: str | Path | None = None,
    timeout: float = 1.0,
    retries: int = 8,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> InferResult:
    """Let a board classify samples.

    Parameters
    ----------
    port : str
        Serial port, such as /dev/ttyUSB0.
    samples : Samples, str or Path
        Or an .npz of them: `x`, and labels `y` if they are known.
    model : Model, str or Path, optional
        The model that was built, its .lgn, or the build's folder. Its hash must be that of the
        board, and every answer is compared with it. Without it nothing is compared, and samples
        are rounded to the format that the board states.
    baud : int
    output : str or Path, optional
        An .npz for `class`, `scores` and `bits`, as far as the board gives them, and `model`, the
        hash.
    timeout, retries : float, int
        See `HardwareModel`.
    progress : callable
        Told how many samples are answered, and of how many.

    Returns
    -------
    InferResult

    Raises
    ------
    VerifyError
        If an answer is not the model's, with the sample.
    LgnError
        If the board holds another model or does not answer, or the samples do not fit.
    """
    if isinstance(samples, (str, Path)):
        samples = read_samples(samples)
    if not len(samples.x):
        raise BuildError("there are no samples", where=samples.source)
    if isinstance(model, (str, Path)):
        model = _read(Path(model))
    output = None if output is None else Path(output)
    if output is not None and (output.is_dir() or not output.parent.is_dir()):
        raise BuildError("cannot write there", where=str(output), hint="name a file")
    with HardwareModel.open(port, baud=baud, timeout=timeout, retries=retries) as hardware:
        features, model = _features(hardware, samples, model)
        _check_labels(samples, hardware.identity.class_count)
        begin = time.perf_counter()
        answers = hardware.infer(features, lambda done: progress(done, len(features)))
        seconds = time.perf_counter() - begin
        identity, statistics = hardware.identity, hardware.statistics
        number = hardware.input_format
    if model is not None:
        _compare(answers, model, samples, port)
    if output is not None:
        _write(output, answers, identity.digest.hex())
    return InferResult(
        samples=len(features),
        seconds=round(seconds, 6),
        samples_per_second=round(len(features) / seconds, 3),
        retransmissions=statistics.retransmissions,
        model=identity.digest.hex(),
        board=identity.board,
        input_format=str(number),
        compared=model is not None,
        accuracy=_accuracy(answers, samples.labels, decides=identity.decides),
    )


def _read(path: Path) -> Model:
    path = path / "network.lgn" if path.is_dir() else path
    if not path.is_file():
        raise FormatError("there is no such file", where=str(path))
    return Model.read(path)


def _features(
    hardware: HardwareModel, samples: Samples, model: Model | None
) -> tuple[np.ndarray, Model | None]:
    """Stored integers of the samples; the model as it is on the board."""
    if model is not None:
        model = Model(network_on_board(model.network, hardware.identity), model.origin)
        hardware.check(model)
    try:
        if model is not None:
            return hardware.quantize(as_samples(model.network, samples.x)), model
        x, number = samples.x.reshape(len(samples.x), -1), hardware.input_format
        return x if number.width == 1 else number.quantize(x), None
    except LgnError as error:
        raise error.at(samples.source) from None


def _check_labels(samples: Samples, classes: int) -> None:
    labels = samples.labels
    if labels is not None and classes and not ((labels >= 0) & (labels < classes)).all():
        raise BuildError(
            f"labels run from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}",
            where=samples.source,
        )


def _compare(answers: Answers, model: Model, samples: Samples, port: str) -> None:
    """Every class, score and bit against the model's own.

    Raises
    ------
    VerifyError
        At the first sample that differs.
    """
    pairs: list[tuple[str, np.ndarray, np.ndarray]] = []
    if answers.classes is not None:
        pairs.append(("class", answers.classes[:, None], model.predict(samples.x)[:, None]))
    if answers.scores is not None:
        pairs.append(("scores", answers.scores, model.scores(samples.x)))
    if answers.bits is not None:
        pairs.append(("bits", answers.bits, model.bits(samples.x)))
    for what, found, expected in pairs:
        wrong = (found != expected).any(axis=1)
        if wrong.any():
            sample = int(np.argmax(wrong))
            raise VerifyError(
                f"the board gives sample {sample} the {what} {_shown(found[sample])}, the model "
                f"{_shown(expected[sample])}; {int(wrong.sum())} of {len(wrong)} samples differ",
                where=port,
                hint="the hardware does not work, perhaps its clock is too fast",
            )


def _shown(values: np.ndarray) -> str:
    text = ", ".join(str(int(value)) for value in values[:32])
    return text + (", ..." if len(values) > 32 else "")


def _accuracy(answers: Answers, labels: np.ndarray | None, *, decides: bool) -> float | None:
    classes = answers.classes
    if decides and answers.bits is not None:
        classes = answers.bits[:, 0]
    elif classes is None and answers.scores is not None:
        classes = np.argmax(answers.scores, axis=1)
    if classes is None or labels is None:
        return None
    return float(np.mean(classes == labels))


def _write(path: Path, answers: Answers, digest: str) -> None:
    """The answers as an .npz that appears whole or not at all."""
    arrays: dict[str, np.ndarray] = {"model": np.array(digest)}
    for name, array in (
        ("class", answers.classes),
        ("scores", answers.scores),
        ("bits", answers.bits),
    ):
        if array is not None:
            arrays[name] = array
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        os.replace(temporary, path)
    except OSError as error:
        raise BuildError(f"cannot write there: {error.strerror}", where=str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
