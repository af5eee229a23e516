"""Everything that is decided before hardware is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import BuildError
from ..hdl import probe_names
from ..hdl.front import FEATURE_WIRE
from ..logic.absorb import absorb
from ..logic.lower import lower
from ..logic.passes import PassResult, measure, optimize
from ..logic.program import LogicProgram
from ..logic.schedule import Pipeline
from ..logic.verify import Probe
from ..network import ArgMax, FixedPoint, Network, Node, Thermometer
from ..network.chain import sparse_chain
from ..network.partition import front_of
from .cores import (
    EngineCore,
    FoldedCore,
    PipelinedCore,
    make_core,
)
from .front import FrontedCore, check_front_options, with_front_end
from .options import SILICON, BuildOptions
from .sparse import (
    InputNumbers,
    SparseCore,
    check_sparse_options,
    make_sparse_core,
    sparse_warnings,
)
from .streamed import StreamedCore, make_streamed_core

__all__ = ["Design", "as_built", "plan"]

#: Test vectors; a sample of a sparse CNN takes many clocks of a large design to simulate.
VECTORS, SPARSE_VECTORS = 512, 40


@dataclass(frozen=True, eq=False)
class Design:
    """A network with its number format, its simplified program, and what is built of that.

    Parameters
    ----------
    options : BuildOptions
        Resolved: every default is filled in.
    warnings : list of str
        Remarks for the reader of the report.
    """

    network: Network
    passes: list[PassResult]
    core: PipelinedCore | FoldedCore | EngineCore | StreamedCore | FrontedCore | SparseCore
    options: BuildOptions
    warnings: list[str]

    @property
    def logic(self) -> PipelinedCore | FoldedCore | EngineCore | StreamedCore | SparseCore:
        """The core itself, behind a front end if there is one."""
        return self.core.core if isinstance(self.core, FrontedCore) else self.core

    @property
    def program(self) -> LogicProgram:
        """The simplified program; of a streamed core, what sees the last image whole."""
        assert not isinstance(self.logic, SparseCore), "a sparse CNN is no logic program"
        return self.logic.program

    @property
    def inputs(self) -> LogicProgram | InputNumbers:
        """Number format and features of a sample; its comparisons, if there are any."""
        return self.logic.inputs

    @property
    def vectors(self) -> int:
        """How many test vectors there are to be."""
        assert self.options.vectors is not None, "filled in by plan"
        return self.options.vectors

    @property
    def sparse(self) -> bool:
        """Whether this is a sparse CNN, which has no gates to simplify."""
        return isinstance(self.core, SparseCore)

    @property
    def wires(self) -> list[str]:
        """Wires of the top that a simulation looks at."""
        if isinstance(self.core, SparseCore):
            return self.core.wires
        return [*probe_names(self.program), FEATURE_WIRE]

    @property
    def pipeline(self) -> Pipeline:
        """The schedule of a design that is not folded."""
        assert isinstance(self.core, PipelinedCore), "the design is folded"
        return self.core.pipeline


def plan(
    network: Network,
    options: BuildOptions,
    progress: Callable[[str], None] = lambda step: None,
) -> Design:
    """Choose the number format, simplify, fold or schedule; `options` are resolved ones."""
    sparse = sparse_chain(network) is not None
    check_sparse_options(options, sparse=sparse)
    network, warnings = as_built(network, options)
    if sparse:
        core = make_sparse_core(network, options)
        vectors = options.vectors or SPARSE_VECTORS
        options = replace(options, input_format=str(core.number), vectors=vectors)
        warnings += sparse_warnings(core, options)
        return Design(network, [], core, options, warnings)
    options = replace(options, vectors=options.vectors or VECTORS)
    argmax = options.argmax and network.scores is not None
    front, logic = front_of(network)
    if options.reuse != "none":
        core, passes = make_streamed_core(logic, options, argmax=argmax, progress=progress)
        options = replace(options, argmax=argmax, input_format=str(core.inputs.format))
    else:
        program, passes = _simplified(logic, options, progress)
        options = replace(options, argmax=argmax, input_format=str(program.format))
        core = make_core(program, options)
    if front is not None:
        core = with_front_end(front, core, options)
    return Design(network, passes, core, options, warnings)


def _simplified(
    logic: Network, options: BuildOptions, progress: Callable[[str], None]
) -> tuple[LogicProgram, list[PassResult]]:
    """The gates that hardware is made of, and what each pass left."""
    program = lower(logic)
    if options.mapping == "one-to-one":
        progress("absorb")
        start = time.perf_counter()
        kept, _ = absorb(program)
        Probe(program, seed=options.seed).check(kept.check(), "absorb")
        seconds = time.perf_counter() - start
        return kept, [measure("network", program), measure("absorb", kept, seconds)]
    return optimize(
        program,
        fuse=options.fused_inputs,
        positive=options.target == SILICON,
        seed=options.seed,
        progress=progress,
    )


def as_built(network: Network, options: BuildOptions) -> tuple[Network, list[str]]:
    """The network that hardware is made of, and remarks on it: with a number format on its input,
    and with the outputs that the hardware has.
    """
    network, warnings = _with_format(network, options)
    if network.scores is not None and network.scores not in network.outputs:
        # The hardware always gives the scores, whatever the model calls its outputs.
        network = replace(network, outputs=(*network.outputs, network.scores)).validate()
    _check_outputs(network)
    if network.decision is not None:
        return network, warnings
    argmax = options.argmax and network.scores is not None
    return (_with_argmax(network) if argmax else _without_argmax(network)), warnings


def _with_format(network: Network, options: BuildOptions) -> tuple[Network, list[str]]:
    """The network with a number format on its input, and a note if it was chosen here."""
    warnings = [str(text) for text in network.meta.get("warnings", ())]
    if "warp_min_abs_sum" in network.meta:
        warnings.append(
            "The truth tables are signs of Walsh sums, taken in the order of the trained module's "
            f"own evaluation; the smallest |sum| met is {network.meta['warp_min_abs_sum']:.3g}."
        )
    front, _ = front_of(network)
    check_front_options(front, options)
    if front is not None:
        return network, warnings
    ((name, tensor),) = network.inputs.items()
    if tensor.is_bits:
        if options.input_format not in (None, "bit"):
            raise BuildError(
                "the network takes bits, it has no number format to choose", where="--input-format"
            )
        return network, warnings
    if options.input_format is not None:
        number = FixedPoint.parse(options.input_format)
        return network.with_input(**{name: replace(tensor, element=number)}), warnings
    if isinstance(tensor.element, FixedPoint):
        return network, warnings
    thresholds = [
        n.layer.thresholds.ravel() for n in network.nodes if isinstance(n.layer, Thermometer)
    ]
    number = FixedPoint.around(np.concatenate(thresholds))
    warnings.append(
        f"No input format was given: {number} was chosen to cover all thresholds. Inputs are "
        f"rounded to steps of {float(number.step):g}; choose yours with --input-format."
    )
    return network.with_input(**{name: replace(tensor, element=number)}), warnings


def _check_outputs(network: Network) -> None:
    """Refuse what the hardware has no field for.

    Raises
    ------
    BuildError
        If an output is neither bits, nor the scores, nor the class of these scores.
    """
    nodes = {node.name: node for node in network.nodes}
    for name in network.outputs:
        if network.types[name].is_bits or name == network.scores:
            continue
        node = nodes.get(name)
        if node is None or not isinstance(node.layer, ArgMax) or node.inputs != (network.scores,):
            raise BuildError(
                f"the output {name!r} is neither bits, nor the scores {network.scores!r}, "
                "nor their argmax",
                hint="the hardware gives one group of scores: those of the last GroupSum",
            )


def _with_argmax(network: Network) -> Network:
    """The network with the class of its scores among its outputs."""
    assert network.scores is not None
    found = [
        node.name
        for node in network.nodes
        if isinstance(node.layer, ArgMax) and node.inputs == (network.scores,)
    ]
    if found:
        if any(name in network.outputs for name in found):
            return network
        return replace(network, outputs=(found[0], *network.outputs)).validate()
    name = "class" if "class" not in network.types else "class_index"
    node = Node(name, ArgMax(), (network.scores,))
    outputs = (name, *network.outputs)
    return replace(network, nodes=(*network.nodes, node), outputs=outputs).validate()


def _without_argmax(network: Network) -> Network:
    dropped = {node.name for node in network.nodes if isinstance(node.layer, ArgMax)}
    nodes = tuple(node for node in network.nodes if node.name not in dropped)
    outputs = tuple(name for name in network.outputs if name not in dropped)
    return replace(network, nodes=nodes, outputs=outputs).validate()
