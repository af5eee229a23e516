"""Cuts a network into its front end, which is arithmetic, and the logic behind it.

The front end is what stands before the thermometers: sums over axes, and the arranging of numbers.
It ends in one tensor of fixed-point numbers, the features. The logic begins there and has them as
its only input, under the name `FEATURES`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ..errors import NetworkError
from .fixed import FixedPoint
from .layers import Thermometer
from .network import Network, Node
from .shaping import AxisSum, Concat, Permute, Reshape, Slice
from .tensors import REAL, TensorType

__all__ = ["FEATURES", "Front", "front_of", "with_front"]

#: Name of the logic's input behind a front end.
FEATURES = "features"
_LAYERS = (AxisSum, Concat, Permute, Reshape, Slice)


@dataclass(frozen=True, eq=False)
class Front:
    """A front end.

    Parameters
    ----------
    network : Network
        Fixed-point numbers in; its one output are the features, in row-major order.
    """

    network: Network

    @property
    def output(self) -> TensorType:
        """Type of the features."""
        return self.network.types[self.network.outputs[0]]

    @property
    def features(self) -> int:
        """Number of features."""
        return self.output.size

    @property
    def number(self) -> FixedPoint:
        """Number format of every feature."""
        assert isinstance(self.output.element, FixedPoint), "checked by front_of"
        return self.output.element


def front_of(network: Network) -> tuple[Front | None, Network]:
    """Cut a network in two before its thermometers.

    Parameters
    ----------
    network : Network

    Returns
    -------
    front : Front or None
        None if there is one input, and no sum before the thermometers: arranging the numbers of
        one input takes no hardware, and `logic` does it.
    logic : Network
        The network itself, or the rest of it, whose input `features` has shape (F,).

    Raises
    ------
    NetworkError
        If the thermometers are not all fed from one tensor, an input holds no fixed-point
        numbers, something of the front end leaves as an output, or a layer before the
        thermometers is none of a front end.
    """
    read = [node.inputs[0] for node in network.nodes if isinstance(node.layer, Thermometer)]
    before = _ancestors(network, read)
    summed = any(isinstance(node.layer, AxisSum) for node in before)
    if not read or (len(network.inputs) == 1 and not summed):
        return None, network
    _check(network, before)
    cut = _cut(network, before, read)
    inside = _ancestors(network, [cut])
    front = Front(Network(dict(network.inputs), tuple(inside), (cut,)).validate())
    return front, _logic_network(network, front, cut)


def with_front(front: Network, model: Network) -> Network:
    """Put a front end before a trained network.

    Parameters
    ----------
    front : Network
        Its one output are the features, as fixed-point numbers.
    model : Network
        With one input, of as many real numbers, or of numbers of the same format.

    Returns
    -------
    Network
        Inputs of `front`; outputs, classes and names of `model`. Where a name is taken, the
        tensor inside the front end gets another one; so does one of `model` that is called like an
        input of `front`.

    Raises
    ------
    NetworkError
        If the two do not fit together.
    """
    if len(front.outputs) != 1 or len(model.inputs) != 1:
        raise NetworkError(
            f"a front end of {len(front.outputs)} outputs and a network of {len(model.inputs)} "
            "inputs, expected one and one"
        )
    features = front.types[front.outputs[0]]
    ((name, expected),) = model.inputs.items()
    where = f"input {name!r}"
    if not isinstance(features.element, FixedPoint):
        raise NetworkError(f"the front end gives {features}, expected fixed-point numbers")
    if features.size != expected.size or features.masked or expected.masked:
        raise NetworkError(f"the front end gives {features}, expected {expected}", where=where)
    if expected.element not in (REAL, features.element):
        raise NetworkError(
            f"the front end gives {features.element}, the network takes {expected.element}",
            where=where,
        )
    taken = {*front.inputs, *model.types}
    renamed = _renamed(front.nodes, taken, model.types)
    renamed_model = _renamed(model.nodes, taken, front.inputs)
    first = [_with_names(node, renamed) for node in front.nodes]
    source = renamed.get(front.outputs[0], front.outputs[0])
    if features.shape != expected.shape:
        shaped = _free(source, taken)
        first.append(Node(shaped, Reshape(expected.shape), (source,)))
        source = shaped
    names = {**renamed_model, name: source}
    return replace(
        model,
        inputs=dict(front.inputs),
        nodes=(*first, *(_with_names(node, names) for node in model.nodes)),
        outputs=tuple(names.get(output, output) for output in model.outputs),
        meta={**front.meta, **model.meta},
    ).validate()


def _ancestors(network: Network, names: Collection[str], but: str = "") -> list[Node]:
    """The nodes that make some tensors, in order; the search does not go beyond `but`."""
    needed = set(names)
    found = []
    for node in reversed(network.nodes):
        if node.name in needed and node.name != but:
            found.append(node)
            needed.update(node.inputs)
    return found[::-1]


def _check(network: Network, before: list[Node]) -> None:
    """Refuse what no front end is made of."""
    for node in before:
        if not isinstance(node.layer, _LAYERS):
            raise NetworkError(
                f"{type(node.layer).__name__} stands before a thermometer",
                where=f"layer {node.name!r}",
            )
    for name, tensor in network.inputs.items():
        if not isinstance(tensor.element, FixedPoint):
            raise NetworkError(
                f"holds {tensor.element} elements, expected fixed-point numbers for a front end",
                where=f"input {name!r}",
            )
    names = {node.name for node in before} | set(network.inputs)
    if leaving := [name for name in network.outputs if name in names]:
        raise NetworkError(
            f"the output {leaving[0]!r} is a tensor of the front end, expected bits, scores, class"
        )


def _cut(network: Network, before: list[Node], read: list[str]) -> str:
    """The last tensor that all thermometers are fed from, one without further axes if there is."""
    cuts = []
    for node in before:
        behind = _ancestors(network, read, but=node.name)
        sources = {name for other in behind for name in other.inputs} | set(read)
        sources -= {other.name for other in behind}
        if sources == {node.name} and not any(isinstance(n.layer, AxisSum) for n in behind):
            cuts.append(node.name)
    if not cuts:
        raise NetworkError(
            f"the thermometers read {', '.join(map(repr, sorted(set(read))))}, which are not "
            "arranged from one tensor",
            hint="join the features with a Concat",
        )
    flat = [name for name in cuts if len(network.types[name].shape) == 1]
    return (flat or cuts)[-1]


def _logic_network(network: Network, front: Front, cut: str) -> Network:
    """The rest, which reads the features under one name; what nothing reads falls away."""
    rest, known = [], {cut}
    inside = {node.name for node in front.network.nodes}
    for node in network.nodes:
        if node.name not in inside and known.issuperset(node.inputs):
            rest.append(node)
            known.add(node.name)
    names = _renamed(rest, {*network.types}, (FEATURES,))
    shape = front.output.shape
    if shape == (front.features,):
        names[cut] = FEATURES
        nodes = []
    else:
        # The tensor that was cut keeps its name and shape, as a view of the features.
        names[cut] = cut if cut != FEATURES else _free(cut, {*network.types})
        nodes = [Node(names[cut], Reshape(shape), (FEATURES,))]
    return replace(
        network,
        inputs={FEATURES: TensorType((front.features,), front.number)},
        nodes=(*nodes, *(_with_names(node, names) for node in rest)),
        outputs=tuple(names.get(output, output) for output in network.outputs),
    ).validate()


def _renamed(own: Iterable[Node], taken: set[str], others: Collection[str]) -> dict[str, str]:
    """New names for nodes whose name `others` hold too; `taken` grows by them."""
    return {node.name: _free(node.name, taken) for node in own if node.name in others}


def _free(name: str, taken: set[str]) -> str:
    """A name like `name` that is not taken, and from now on is."""
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"


def _with_names(node: Node, names: dict[str, str]) -> Node:
    return Node(
        names.get(node.name, node.name),
        node.layer,
        tuple(names.get(name, name) for name in node.inputs),
    )
