"""Walks a live module layer by layer, for libraries that are never imported."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from torch import nn

from ..errors import NetworkError

__all__ = ["kind_of", "leaves"]

#: Layers that change nothing when a network is evaluated.
TRANSPARENT = {"Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"}


def kind_of(module: nn.Module) -> str:
    """Name of the class whose `forward` runs: a subclass that keeps it is the same layer.

    Where a private base class has the `forward`, as that of all convolutions of a library may, the
    kind is the first public class made from it.
    """
    derived: list[str] = []
    for cls in type(module).__mro__:
        derived.append(cls.__name__)
        if "forward" in vars(cls):
            break
    return next((name for name in reversed(derived) if name[0] != "_"), derived[0])


def leaves(
    module: nn.Module,
    known: Container[str],
    unsupported: Callable[[str, str], NetworkError],
    path: str = "",
) -> Iterator[tuple[str, str, nn.Module]]:
    """The layers of a Sequential (nested ones included) in the order in which they run.

    A module whose only child is a Sequential, and that has no parameters of its own, counts as
    that child.

    Parameters
    ----------
    module : torch.nn.Module
    known : container of str
        Kinds of layers that the library has.
    unsupported : callable
        Makes the error about a layer of a class and at a path.
    path : str
        Path of `module` itself.

    Yields
    ------
    tuple of str, str, torch.nn.Module
        Path, kind and layer; layers that change nothing are left out.
    """
    kind = kind_of(module)
    if kind in TRANSPARENT:
        return
    # _modules, not named_children(): a layer that stands twice in a Sequential runs twice.
    children = {name: m for name, m in module._modules.items() if m is not None}
    if kind == "Sequential":
        for name, child in children.items():
            yield from leaves(child, known, unsupported, f"{path}.{name}" if path else name)
    elif kind in known:
        yield path, kind, module
    elif len(children) == 1 and not module._parameters:
        ((name, child),) = children.items()
        if not isinstance(child, nn.Sequential) and not child._modules:
            raise unsupported(type(module).__name__, path)
        yield from leaves(child, known, unsupported, f"{path}.{name}" if path else name)
    else:
        raise unsupported(type(module).__name__, path)
