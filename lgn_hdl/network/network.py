"""A trained network as a graph of named, typed tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import LgnError, NetworkError
from .layers import ArgMax, GroupSum, Layer
from .tensors import TensorType

__all__ = ["Network", "Node"]


@dataclass(frozen=True, eq=False)
class Node:
    """One layer in the graph: it reads the tensors `inputs` and defines the tensor `name`."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A directed acyclic graph of layers over named tensors.

    Parameters
    ----------
    inputs : mapping of str to TensorType
        The tensors that come from outside, in port order.
    nodes : tuple of Node
        In topological order.
    outputs : tuple of str
        The tensors that go outside, in port order.
    classes : tuple of str
        A name for every score, or empty.
    meta : mapping of str to JSON value
        Provenance and remarks for the report; nothing is computed from it.
    """

    inputs: Mapping[str, TensorType]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """Type of every tensor; computing it is what `validate` does.

        Raises
        ------
        NetworkError
            At the first node that is not well formed, naming it.
        """
        if not self.inputs:
            raise NetworkError("the network has no input")
        types = dict(self.inputs)
        for node in self.nodes:
            where = f"layer {node.name!r}"
            if node.name in types:
                raise NetworkError("this name is taken already", where=where)
            missing = [name for name in node.inputs if name not in types]
            if missing:
                raise NetworkError(
                    f"reads {missing[0]!r}, which no earlier layer or input defines", where=where
                )
            if not node.inputs or node.layer.arity not in (-1, len(node.inputs)):
                raise NetworkError(
                    f"reads {len(node.inputs)} tensors, expected {node.layer.arity}", where=where
                )
            try:
                types[node.name] = node.layer.infer(*(types[name] for name in node.inputs))
            except LgnError as error:
                raise error.at(where) from None
        for name in self.outputs:
            if name not in types:
                raise NetworkError(f"output {name!r} is not a tensor of the network")
        if not self.outputs:
            raise NetworkError("the network has no output")
        scores = self.scores
        if self.classes and (scores is None or types[scores].size != len(self.classes)):
            found = "no scores" if scores is None else f"{types[scores].size} scores"
            raise NetworkError(f"{len(self.classes)} class names are given for {found}")
        if len(set(self.classes)) < len(self.classes) or "" in self.classes:
            names = ", ".join(self.classes)
            raise NetworkError(f"class names must differ and not be empty, found {names}")
        return types

    def validate(self) -> Network:
        """Check every layer and type; return the network itself.

        Raises
        ------
        NetworkError
            With the layer, what was found and what was expected.
        """
        _ = self.types
        return self

    @property
    def scores(self) -> str | None:
        """Name of the tensor of class scores: the last group sum, or else what the argmax reads."""
        names = [node.name for node in self.nodes if isinstance(node.layer, GroupSum)]
        read = [node.inputs[0] for node in self.nodes if isinstance(node.layer, ArgMax)]
        return (names or read or [None])[-1]

    @property
    def group_sum(self) -> GroupSum | None:
        """The layer that makes the scores, if there is one."""
        layers = [node.layer for node in self.nodes if isinstance(node.layer, GroupSum)]
        return layers[-1] if layers else None

    def with_input(self, **types: TensorType) -> Network:
        """Return the network with the type of some inputs replaced, such as a number format."""
        unknown = set(types) - set(self.inputs)
        if unknown:
            raise NetworkError(f"{sorted(unknown)[0]!r} is not an input of the network")
        return replace(self, inputs={**self.inputs, **types}).validate()
