"""A compressor tree adds up right because every counter does, and every bit is counted once."""

from __future__ import annotations

import numpy as np

from ..logic.compressor import FIRST_LEAF, Counter
from ..logic.program import LogicProgram
from ..logic.schedule import ClassSum, Pipeline
from .program import count_table

__all__ = ["tree_faults"]


def tree_faults(program: LogicProgram, pipeline: Pipeline) -> list[str]:
    """What is wrong with the trees of a pipeline; empty if they compute the program's sums.

    For each tree, these hold together only if its result is the weighted sum of its leaves plus
    its constant:

    - each counter's outputs are the number of ones among its inputs, for every pattern of them,
      modulo the weight that the tree has no column for;
    - each bit is read in columns whose weights add up to its own weight;
    - the sum is smaller than that modulus.

    Returns
    -------
    list of str
        One sentence for each fault.
    """
    faults = []
    if len(pipeline.sums) != len(program.sums):
        return [f"there are {len(pipeline.sums)} trees for {len(program.sums)} classes"]
    kinds: dict[tuple[int, int], str | None] = {}
    for c, class_sum in enumerate(pipeline.sums):
        found = _leaf_fault(program, c, class_sum)
        for counter in class_sum.tree.counters:
            shape = len(counter.inputs), len(counter.outputs)
            if shape not in kinds:
                kinds[shape] = _counter_fault(counter)
            found = found or kinds[shape]
        found = found or _weight_fault(class_sum)
        if found:
            faults.append(f"class {c}: {found}")
    return faults


def _leaf_fault(program: LogicProgram, c: int, class_sum: ClassSum) -> str | None:
    """Leaves and constant of the tree against the terms of the class."""
    sums = program.sums
    terms = slice(sums.start[c], sums.start[c + 1])
    weight = sums.weight[terms]
    signal = program.roots[class_sum.root]
    if not np.array_equal(signal, sums.signal[terms]):
        return "the leaves of the tree are not the signals of the class"
    # -w · x = w · not x - w
    if not np.array_equal(np.where(class_sum.inverted, -1, 1) * class_sum.tree.weights, weight):
        return "the leaves of the tree have other weights than the signals of the class"
    constant = int(sums.constant[c] + weight[class_sum.inverted].sum())
    if class_sum.tree.constant != constant:
        return f"the tree adds the constant {class_sum.tree.constant}, expected {constant}"
    return None


def _counter_fault(counter: Counter) -> str | None:
    """Every pattern of inputs: weighted outputs = number of ones."""
    inputs, outputs = len(counter.inputs), len(counter.outputs)
    tables = [count_table(inputs, place) for place in range(outputs)]
    for pattern in range(1 << inputs):
        counted = sum((table >> pattern & 1) << place for place, table in enumerate(tables))
        if (counted - pattern.bit_count()) % (1 << outputs):
            return f"a {counter.kind} counts {counted} ones in {pattern:0{inputs}b}"
    return None


def _weight_fault(class_sum: ClassSum) -> str | None:
    """Every bit is read with its whole weight, and nothing is lost at the top."""
    tree = class_sum.tree
    width = len(tree.result)
    weight = [0, tree.constant, *tree.weights.tolist()]
    weight += [0] * (len(tree.arrival) - len(weight))
    if min(weight) < 0:
        return f"the weight {min(weight)} is negative"
    if sum(weight) >> width:
        return f"the sum can be {sum(weight)}, which {width} bits cannot hold"
    read = [0] * len(weight)
    for place, bit in enumerate(tree.result):
        read[bit] += 1 << place
    made = FIRST_LEAF + len(tree.weights)
    for counter in tree.counters:
        top = counter.column + len(counter.outputs)
        lost = len(counter.outputs) < len(counter.inputs).bit_length() and top < width
        if lost or any(bit >= min(counter.outputs) for bit in counter.inputs):
            return f"a {counter.kind} in column {counter.column} is not connected as it should be"
        for bit in counter.inputs:
            read[bit] += 1 << counter.column
        for place, bit in enumerate(counter.outputs):
            if bit != made:
                return f"bit {bit} of the tree is made twice, or never"
            weight[bit], made = 1 << counter.column + place, made + 1
    wrong = [b for b in range(1, len(weight)) if (read[b] - weight[b]) % (1 << width)]
    if wrong:
        bit = wrong[0]
        return (
            f"bit {bit} of the tree has the weight {weight[bit]} and is counted {read[bit]} times"
        )
    return None
