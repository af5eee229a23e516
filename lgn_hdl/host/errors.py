"""What can go wrong between the host and a board."""

from __future__ import annotations

from ..errors import LgnError

__all__ = ["LinkError"]


class LinkError(LgnError):
    """A port that cannot be used, or a board that does not answer as it should."""
