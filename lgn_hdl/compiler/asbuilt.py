"""Which network a board holds: that of the build, or what the build makes of the trained one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import LinkError
from ..link import Identity
from ..network import FixedPoint, Network
from ..network.storage import network_digest
from .design import as_built
from .options import BuildOptions

__all__ = ["network_on_board"]


def network_on_board(network: Network, identity: Identity) -> Network:
    """The network with exactly the board's hash.

    Parameters
    ----------
    network : Network
        That of the build, or the trained one: then it gets the number format and the argmax that
        the board says it has, and its hash is compared again.
    identity : Identity

    Raises
    ------
    LinkError
        If neither has the board's hash.
    """
    wanted = identity.digest.hex()
    for candidate in _candidates(network, identity):
        if network_digest(candidate) == wanted:
            return candidate
    raise LinkError(
        f"the board {identity.board!r} holds the model {wanted}, "
        f"the local model is {network_digest(network)}",
        hint="give the network.lgn of the build that the board is configured with",
    )


def _candidates(network: Network, identity: Identity) -> Iterator[Network]:
    yield network
    if len(network.inputs) != 1:
        return
    (tensor,) = network.inputs.values()
    formats: list[str | None] = [None]
    if not tensor.is_bits:
        said = FixedPoint(
            identity.feature_width, identity.feature_fraction, signed=identity.feature_signed
        )
        formats.append(str(said))
        if isinstance(tensor.element, FixedPoint):  # whose scale the board does not know
            formats.append(str(replace(said, scale=tensor.element.scale)))
    for form in formats:
        options = BuildOptions(input_format=form, argmax=identity.class_width > 0)
        yield as_built(network, options)[0]
