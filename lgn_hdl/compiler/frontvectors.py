"""Test vectors of a front end: answers of PyTorch, and what goes over its input step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import VerifyError
from ..hdl.front import FIRST, feature_terms
from ..network import FixedPoint, Network
from .front import FrontedCore

__all__ = ["front_answers", "front_steps"]


def front_answers(
    network: Network, core: FrontedCore, inputs: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features (n, F) and outputs of the torch reference, for stored integers of each input.

    Raises
    ------
    VerifyError
        If the sums that the adder trees are made for are not those of the reference.
    """
    from ..reference import Reference

    x = {name: _number(network, name).to_real(values) for name, values in inputs.items()}
    features = Reference(core.front.network)(x).numpy()
    features = features.reshape(len(features), -1)
    elements = [values.reshape(len(values), -1) for values in inputs.values()]
    summed = feature_terms(core.front).evaluate(np.concatenate(elements, axis=1))
    if not np.array_equal(features, summed):
        sample, feature = np.argwhere(features != summed)[0]
        raise VerifyError(
            f"front end and PyTorch reference disagree on feature {feature} of sample {sample}",
            hint="this is a bug in lgn-hdl; please report it with the model",
        )
    answers = Reference(network).outputs(x)
    return features, {name: value.numpy() for name, value in answers.items()}


def front_steps(core: FrontedCore, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays `payload`, `completes` and `front_latency` of vectors.npz.

    With slices, noise is where nothing is read: y0 and the like but in the first slice. Here and
    there a sample is broken off, or a slice follows that belongs to none.
    """
    plan, latency = core.plan, np.array(core.plan.latency)
    count = len(next(iter(inputs.values())))
    if plan.sliced is None:
        return {
            "payload": plan.pack(inputs),
            "completes": np.arange(count),
            "front_latency": latency,
        }
    rng = np.random.default_rng(count)
    sample, time = _slices(plan.slices, count, rng)
    # Slice -1 is one that belongs to no sample.
    step = {FIRST: time == 0}
    for name, tensor in plan.inputs.items():
        number = _number(core.front.network, name)
        shape = (len(time), *tensor.shape)
        values = rng.integers(number.min_int, number.max_int, shape, endpoint=True)
        sliced = inputs[name].ndim > values.ndim
        known = time >= 0 if sliced else time == 0
        values[known] = inputs[name][(sample[known], time[known]) if sliced else sample[known]]
        step[name] = values
    last = time == plan.slices - 1
    return {
        "payload": plan.pack(step),
        "completes": np.where(last, sample, -1),
        "front_latency": latency,
    }


def _slices(slices: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sample and time of every step, in order."""
    steps: list[tuple[int, int]] = []
    for number in range(count):
        if slices > 1 and rng.random() < 0.1:  # a sample that is never completed
            steps += [(number, time) for time in range(rng.integers(1, slices))]
        steps += [(number, time) for time in range(slices)]
        if rng.random() < 0.1:
            steps += [(number, -1)] * int(rng.integers(1, 4))
    sample, time = np.array(steps).T
    return sample, time


def _number(network: Network, name: str) -> FixedPoint:
    number = network.inputs[name].element
    assert isinstance(number, FixedPoint), "checked by front_of"
    return number
