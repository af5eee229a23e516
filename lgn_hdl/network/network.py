"""A trained network as a graph of named, typed tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import LgnError, NetworkError
from .arithmetic import Dense, Quantize
from .layers import ArgMax, GroupSum, Layer, Thermometer
from .sparse import InputReduce
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
        self._check_classes(types)
        return types

    def _check_classes(self, types: Mapping[str, TensorType]) -> None:
        scores = self.scores
        named = 0 if scores is None else types[scores].size
        # One number that is compared with a threshold tells two classes apart.
        what = f"{named} scores" if named else "no scores"
        if named == 1 and self.decision is not None:
            named, what = 2, "a decision between 2"
        if self.classes and len(self.classes) != named:
            raise NetworkError(f"{len(self.classes)} class names are given for {what}")
        if len(set(self.classes)) < len(self.classes) or "" in self.classes:
            names = ", ".join(self.classes)
            raise NetworkError(f"class names must differ and not be empty, found {names}")

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
        """Name of the tensor of class scores: the last group sum, or else what the argmax reads, or
        else the last numbers of a sparse CNN.
        """
        names = [node.name for node in self.nodes if isinstance(node.layer, GroupSum)]
        read = [node.inputs[0] for node in self.nodes if isinstance(node.layer, ArgMax)]
        return (names or read or self._numbers or [None])[-1]

    @property
    def decision(self) -> str | None:
        """Name of the output bits that compare a dense layer's numbers with a threshold, as a
        sigmoid's one half.
        """
        for node in reversed(self.nodes):
            if isinstance(node.layer, Thermometer) and node.inputs[0] in self._numbers:
                return node.name if node.name in self.outputs else None
        return None

    @property
    def _numbers(self) -> list[str]:
        """Vectors of a sparse CNN: what its dense layers give, rounded or not."""
        if not any(isinstance(node.layer, InputReduce) for node in self.nodes):
            return []
        kinds = [type(node.layer) for node in self.nodes]
        begin = kinds.index(Dense) if Dense in kinds else len(kinds)
        return [n.name for n in self.nodes[begin:] if isinstance(n.layer, (Dense, Quantize))]

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for every class: the trained ones, or "0", "1", ...; empty without scores."""
        if self.classes or self.scores is None:
            return self.classes
        scores = self.types[self.scores].size
        return tuple(map(str, range(2 if scores == 1 and self.decision else scores)))

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
