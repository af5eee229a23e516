"""Test vectors as a device sees them: framed samples in, framed results out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import BuildError
from ..host.payload import pack_samples
from ..link import Identity

__all__ = ["link_vectors"]


def link_vectors(arrays: Mapping[str, np.ndarray], identity: Identity) -> dict[str, np.ndarray]:
    """What `sim.board.run` reads.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of vectors.npz; see `sim.vectors`. Their results are those of the PyTorch reference.
    identity : Identity
        Of the device that was built.

    Returns
    -------
    dict of str to ndarray of uint8
        `samples` (n, sample bytes), `results` (n, result bytes) and `identity` (bytes,), the body
        of the identification.

    Raises
    ------
    BuildError
        If the vectors are not those of the device.
    """
    features, width = arrays["features"], int(arrays["feature_width"])
    results = np.packbits(arrays["result_bits"], axis=1, bitorder="little")
    found = (features.shape[1], width, arrays["result_bits"].shape[1])
    expected = (identity.features, identity.feature_width, identity.result_bits)
    if found != expected:
        raise BuildError(
            f"the vectors have {found[0]} features of {found[1]} bits and {found[2]} bits of "
            f"result, the device {expected[0]}, {expected[1]} and {expected[2]}"
        )
    return {
        "samples": pack_samples(features, width),
        "results": results,
        "identity": np.frombuffer(identity.encode(), np.uint8),
    }
