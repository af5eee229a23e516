"""The one exception family: every message says what is wrong, where, and what to do.

The command line prints the message and exits with status 2; only a bug shows a traceback.
"""

from __future__ import annotations

__all__ = [
    "BuildError",
    "FormatError",
    "LgnError",
    "LinkError",
    "NetworkError",
    "ToolError",
    "VerifyError",
]


class LgnError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : str
        What was found and what was expected, in one sentence.
    where : str, optional
        The file, layer or option the sentence is about.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None):
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text

    def at(self, where: str) -> LgnError:
        """Return the same error with `where` put in front of its place."""
        place = f"{where}: {self.where}" if self.where else where
        return type(self)(self.what, where=place, hint=self.hint)


class FormatError(LgnError):
    """A file that cannot be read: broken, unknown, or not what it claims to be."""


class NetworkError(LgnError):
    """A network that is not well formed, or a layer that is not supported."""


class BuildError(LgnError):
    """Options that do not fit the network or the target."""


class ToolError(LgnError):
    """An outside tool that is missing or failed."""


class LinkError(LgnError):
    """A port that cannot be used, or a board that does not answer as it should."""


class VerifyError(LgnError):
    """Two computations of the same thing disagree."""
