"""One table bit, one wire, one weight, one register changed: each check catches each of them."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutations import SmallBuild, altered, mutated, rebuilt, with_text, without_register

import lgn_hdl
from lgn_hdl.compiler.vectors import checked_answers
from lgn_hdl.errors import ToolError, VerifyError
from lgn_hdl.logic import verify
from lgn_hdl.network import LutLayer, read_network, write_network

BLOCK = {"table bit": "gates", "wire": "gates", "weight": "groupsum"}


@pytest.fixture(scope="module")
def features(small_build: SmallBuild) -> np.ndarray:
    with np.load(small_build.path / "vectors.npz") as arrays:
        return arrays["features"]


@pytest.mark.parametrize("kind", BLOCK)
def test_verify_catches_it(kind: str, small_build: SmallBuild, features: np.ndarray) -> None:
    design = small_build.design
    wrong = mutated(design, kind, features)
    verify(design.program, design.program, "nothing")
    with pytest.raises(VerifyError, match=r"the pass 'wrong' changes score \d of probe sample"):
        verify(design.program, wrong.program, "wrong")


@pytest.mark.parametrize("kind", BLOCK)
def test_the_comparison_with_pytorch_catches_it(
    kind: str, small_build: SmallBuild, features: np.ndarray
) -> None:
    design = small_build.design
    wrong = mutated(design, kind, features)
    checked_answers(design.network, design.program, features)
    with pytest.raises(VerifyError, match=r"evaluator and PyTorch reference disagree on the score"):
        checked_answers(design.network, wrong.program, features)


@pytest.mark.parametrize("kind", BLOCK)
def test_the_simulation_catches_it_in_the_right_block(
    kind: str, small_build: SmallBuild, features: np.ndarray, tmp_path: Path
) -> None:
    folder = rebuilt(mutated(small_build.design, kind, features), small_build.path, tmp_path / "b")
    with pytest.raises(
        VerifyError, match=rf"sample \d+, block {BLOCK[kind]}, bits \d+.*: expected"
    ):
        lgn_hdl.simulate(folder)


@pytest.mark.parametrize(
    ("module", "block"),
    [
        ("top_gates", "gates"),
        ("top_groupsum_class1", "groupsum"),
        ("top_argmax", "argmax"),
        ("top", "result"),
    ],
)
def test_a_missing_register_is_caught(
    module: str, block: str, small_build: SmallBuild, tmp_path: Path
) -> None:
    verilog = without_register((small_build.path / "top.v").read_text(), module)
    folder = with_text(small_build.path, tmp_path / "b", verilog)
    with pytest.raises(VerifyError, match=rf"sample \d+, block {block}, bits"):
        lgn_hdl.simulate(folder)


def test_another_latency_is_caught(small_build: SmallBuild, tmp_path: Path) -> None:
    """The whole pipeline one stage longer: every result is right, but too late."""
    design = small_build.design
    later = tuple(stage + 1 for stage in design.pipeline.argmax_stage)
    longer = altered(
        design,
        pipeline=replace(design.pipeline, argmax_stage=later),
    )
    folder = rebuilt(longer, small_build.path, tmp_path / "b")
    with pytest.raises(VerifyError, match=r"sample \d, block (argmax|stream)"):
        lgn_hdl.simulate(folder)


def test_a_table_bit_of_the_stored_network_is_caught(
    small_build: SmallBuild, tmp_path: Path
) -> None:
    """network.lgn changed, top.v not: they are compared on given samples."""
    folder = tmp_path / "b"
    shutil.copytree(small_build.path, folder)
    network = read_network(folder / "network.lgn")
    x = np.random.default_rng(0).uniform(-2, 2, (200, 4))
    right = lgn_hdl.Model(network).scores(x)
    for node in network.nodes:
        if not isinstance(node.layer, LutLayer) or node.name != "more":
            continue
        for gate in range(len(node.layer.tables)):
            tables = node.layer.tables.copy()
            tables[gate] ^= np.uint64(1)
            layer = LutLayer(node.layer.connections, tables)
            nodes = tuple(replace(n, layer=layer) if n is node else n for n in network.nodes)
            changed = replace(network, nodes=nodes)
            if not np.array_equal(lgn_hdl.Model(changed).scores(x), right):
                write_network(changed, folder / "network.lgn")
                break
    assert lgn_hdl.simulate(small_build.path, x).samples == 200
    with pytest.raises(VerifyError, match="block"):
        lgn_hdl.simulate(folder, x)


def test_a_threshold_is_caught(small_build: SmallBuild, tmp_path: Path) -> None:
    program = small_build.design.program
    threshold = program.input_threshold.copy()
    threshold[0] += 1
    wrong = altered(small_build.design, program=replace(program, input_threshold=threshold))
    with pytest.raises(VerifyError, match=r"block binarizer, bits 0:"):
        lgn_hdl.simulate(rebuilt(wrong, small_build.path, tmp_path / "b"))


def test_a_handshake_that_ignores_the_consumer_is_caught(
    small_build: SmallBuild, tmp_path: Path
) -> None:
    verilog = (small_build.path / "top.v").read_text()
    changed, count = re.subn(
        r"assign i__ready = o__ready \| (\w+);", r"assign i__ready = 1'b1;", verilog
    )
    assert count == 1
    with pytest.raises(VerifyError, match="block"):
        lgn_hdl.simulate(with_text(small_build.path, tmp_path / "b", changed))


def test_verilog_that_does_not_compile_is_a_tool_error(
    small_build: SmallBuild, tmp_path: Path
) -> None:
    with pytest.raises(ToolError):
        lgn_hdl.simulate(with_text(small_build.path, tmp_path / "b", "module top(; endmodule"))
