"""The features as a front end: sums of ADC counts that stand before the network, in hardware.

`with_front(front_network(14), model.network)` is the network from pixels to decision. What it is
fed with are counts and y0, as `front_inputs` makes them from clusters.
"""

from __future__ import annotations

import numpy as np

from ..errors import LgnError
from ..network import (
    AxisSum,
    Concat,
    FixedPoint,
    Layer,
    Network,
    Node,
    Permute,
    Reshape,
    Slice,
    TensorType,
)
from .dataset import COLUMNS, ROWS, Clusters
from .features import CENTRAL_ROWS, EARLY_SLICES, FEATURES, Digitiser

__all__ = ["front_inputs", "front_network"]


def front_network(features: int = 14, digitiser: Digitiser | None = None) -> Network:
    """Counts of a cluster and its y0 to the features, in the order of `features`.

    Parameters
    ----------
    features : int
        9 or 14, of one slice, or 105, of the first eight.
    digitiser : Digitiser, optional

    Returns
    -------
    Network
        Inputs `charges`, of shape (13, 21) or (8, 13, 21), and `y0`, of shape (1,); output
        `features`. The counts have the digitiser's width, or more bits where the sum would
        otherwise have fewer than y0 needs: features are of one format.

    Raises
    ------
    LgnError
        If there is no such vector.
    """
    digitiser = digitiser or Digitiser()
    if features not in FEATURES:
        raise LgnError(f"there is no vector of {features} features, expected one of {FEATURES}")
    count, early = _count_format(digitiser), features == FEATURES[2]
    shape = (EARLY_SLICES, ROWS, COLUMNS) if early else (ROWS, COLUMNS)
    inputs = {"charges": TensorType(shape, count), "y0": TensorType((1,), digitiser.format)}
    layers: list[tuple[str, Layer]]
    if early:
        layers = [
            ("sums", AxisSum((2,))),
            ("rows", Permute((1, 0))),
            ("profiles", Reshape((ROWS * EARLY_SLICES,))),
        ]
    elif features == FEATURES[0]:
        rows = CENTRAL_ROWS
        layers = [("rows", Slice(0, rows.start, rows.stop)), ("profile", AxisSum((1,)))]
    else:
        layers = [("profile", AxisSum((1,)))]
    nodes, source = [], "charges"
    for name, layer in layers:
        nodes.append(Node(name, layer, (source,)))
        source = name
    joined = ("y0", source) if early else (source, "y0")
    nodes.append(Node("features", Concat(0), joined))
    meta = {"front": f"{features} features of {digitiser}"}
    return Network(inputs, tuple(nodes), ("features",), meta=meta).validate()


def front_inputs(
    clusters: Clusters, features: int = 14, digitiser: Digitiser | None = None
) -> dict[str, np.ndarray]:
    """What the front end of so many features is fed with.

    Returns
    -------
    dict of str to ndarray of uint16
        `charges`, ADC counts of shape (n, 13, 21) or (n, 8, 13, 21), and `y0` of shape (n, 1).

    Raises
    ------
    LgnError
        If there is no such vector, or the clusters lack time slices.
    """
    digitiser = digitiser or Digitiser()
    if features not in FEATURES:
        raise LgnError(f"there is no vector of {features} features, expected one of {FEATURES}")
    charges = clusters.charges[:, -1]
    if features == FEATURES[2]:
        charges = clusters.charges[:, :EARLY_SLICES]
        if charges.shape[1] < EARLY_SLICES:
            raise LgnError(
                f"the clusters have {charges.shape[1]} time slice(s), {EARLY_SLICES} are needed",
                hint="the 105 features need 3D data",
            )
    return {"charges": digitiser.counts(charges), "y0": digitiser.y0(clusters.y0)[:, None]}


def _count_format(digitiser: Digitiser) -> FixedPoint:
    """The format of a count whose sums over x have the format of the features."""
    count = FixedPoint(digitiser.adc_bits)
    while _summed(count).width < digitiser.format.width:
        count = FixedPoint(count.width + 1)
    return count


def _summed(count: FixedPoint) -> FixedPoint:
    return FixedPoint.covering(0, COLUMNS * count.max_int)
