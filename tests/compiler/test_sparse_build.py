"""Sparse CNNs from network to simulated Verilog."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from networks import bits_only
from sparse_networks import sparse_classifier, sparse_decision, sparse_images

from lgn_hdl import Model, simulate
from lgn_hdl.compiler import Samples, build, sparse
from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.compiler.sparse import SparseCore
from lgn_hdl.compiler.sparseimages import random_images
from lgn_hdl.errors import BuildError, ToolError, VerifyError
from lgn_hdl.hdl.sparse import plan_sparse
from lgn_hdl.logic.frames import kept_pixels
from lgn_hdl.network import FixedPoint, InputReduce, Network, Quantize, SparseConv2d
from lgn_hdl.report import schema

FORMS: list[dict[str, Any]] = [
    {"front": "rows"},
    {"front": "rows", "slots_per_clock": "2,conv1=4"},
    {"front": "rows", "pixels_per_clock": 3},
    {"front": "rows", "pixels_per_clock": 1, "slots_per_clock": 1},
    {"rows_per_clock": 3, "slots_per_clock": 4},
    {"rows_per_clock": 7, "slots_per_clock": 2},
]


def sparse_core(network: Network, **options: Any) -> SparseCore:
    core = plan(network, BuildOptions(**options).resolved()).core
    assert isinstance(core, SparseCore)
    return core


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(map(str, form.values())))
def test_every_block_is_simulated(form: dict[str, Any], tmp_path: Path) -> None:
    model = Model(sparse_classifier(slots=4, seed=6))
    result = build(model, tmp_path / "b", vectors=40, **form)
    pipeline = result.report.pipeline
    assert simulate(tmp_path / "b", seed=1).samples == 40
    images = sparse_images(np.random.default_rng(5), 12, (2, 7, 9), 0.08)
    assert simulate(tmp_path / "b", images).samples == 12
    document = json.loads((tmp_path / "b" / "report.json").read_text())
    jsonschema.validate(document, schema())
    sparse = document["sparse"]
    assert sparse["form"] == form.get("front", "whole")
    assert sum(b["latency"] for b in sparse["blocks"]) == pipeline.latency_cycles
    assert max(b["interval"] for b in sparse["blocks"]) == pipeline.initiation_interval
    assert sparse["pixels"] is None
    with np.load(tmp_path / "b" / "vectors.npz") as vectors:
        assert list(vectors["blocks"]) == [
            *("reduce", "conv1", "relu1", "pool", "conv2", "relu2", "dense", "result")
        ]


def test_decision_samples_and_picture(tmp_path: Path) -> None:
    model = Model(sparse_decision(slots=4))
    images = sparse_images(np.random.default_rng(3), 40, (1, 7, 9), 0.1)
    labels = model.predict(images)
    labels[:10] = 1 - labels[:10]
    result = build(
        model,
        tmp_path / "b",
        samples=Samples(images, labels),
        vectors=20,
        input_format="ufixed<3,2>",
    )
    accuracy = result.report.model.accuracy
    assert accuracy is not None
    assert (accuracy["trained_accuracy"], accuracy["samples"]) == (0.75, 40)
    coarse = Model(
        model.network.with_input(
            x=sparse_core(model.network, input_format="ufixed<3,2>").plan.source
        )
    )
    assert accuracy["accuracy"] == np.mean(coarse.predict(images) == labels)
    assert result.report.model.classes == ["background", "signal"]
    assert simulate(tmp_path / "b").samples == 20 + 8  # with random ones
    ports = {p["name"]: p["format"] for p in result.report.pipeline.ports["o__payload"]}
    assert list(ports) == ["scores", "bits"]
    assert ports["scores"].startswith("1 x fixed<")

    pixels = result.report.sparse.pixels
    number = FixedPoint(3, 1)
    active, _ = kept_pixels(number.quantize(images), model.network.nodes[0].layer, number)
    counts = active.sum(axis=(1, 2))
    assert pixels == {
        "images": 40,
        "empty": int((counts == 0).sum()),
        "overflowing": int((counts > 4).sum()),
        "most_active": int(counts.max()),
    }
    assert pixels["empty"] >= 10
    assert pixels["overflowing"] >= 5
    tree = ET.parse(tmp_path / "b" / "event.svg")
    drawn = [r.get("fill") for r in tree.iter("{http://www.w3.org/2000/svg}rect")]
    assert (drawn.count("#08519c"), drawn.count("#cb181d")) == (4, int(counts.max()) - 4)
    assert "event.svg" in (tmp_path / "b" / "report.md").read_text()


def changed(network: Network, name: str) -> Network:
    """One constant of a layer is another."""
    nodes = []
    for node in network.nodes:
        layer = node.layer
        if node.name == name and isinstance(layer, SparseConv2d):
            kernel = layer.kernel.copy()
            kernel[0, 0, 1, 1] += 1 if kernel[0, 0, 1, 1] < layer.kernel_format.max_int else -1
            layer = replace(layer, kernel=kernel)
        elif node.name == name and isinstance(layer, Quantize):
            layer = replace(layer, format=replace(layer.format, fraction=layer.format.fraction + 1))
        nodes.append(replace(node, layer=layer))
    return replace(network, nodes=tuple(nodes)).validate()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sparse") / "b"
    build(Model(sparse_classifier(slots=4, seed=6)), folder, vectors=20, front="rows")
    return folder


@pytest.mark.parametrize("name", ["conv1", "relu1", "conv2"])
def test_a_wrong_constant_is_found_in_its_block(name: str, built: Path, tmp_path: Path) -> None:
    network = changed(sparse_classifier(slots=4, seed=6), name)
    build(Model(network), tmp_path / "b", vectors=20, front="rows")
    (tmp_path / "b" / "vectors.npz").write_bytes((built / "vectors.npz").read_bytes())
    with pytest.raises(VerifyError, match=rf"block {name}, bits \d+.*: expected 0x"):
        simulate(tmp_path / "b")


@pytest.mark.parametrize(
    ("what", "where"),
    [("latency", "stream"), ("interval", "stream"), ("relu1_latency", "relu1")],
)
def test_wrong_times_are_found(what: str, where: str, built: Path, tmp_path: Path) -> None:
    for file in built.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with np.load(built / "vectors.npz") as vectors:
        arrays = dict(vectors)
    arrays[what] = arrays[what] + 1
    np.savez(tmp_path / "vectors.npz", **arrays)
    with pytest.raises(VerifyError, match=rf"block {where}.*results in the clocks"):
        simulate(tmp_path)


def test_an_image_that_waits_is_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form behind a board's link, which takes an image when it has searched it."""
    network = sparse_classifier(slots=4, seed=6)
    for board, waits in ((None, 0), ("ulx3s", 2)):
        core = sparse_core(network, board=board, rows_per_clock=3)
        assert (core.plan.latched, core.plan.waits) == (board is None, waits)
    monkeypatch.setattr(
        sparse, "plan_sparse", lambda *args, **o: plan_sparse(*args, **{**o, "latched": False})
    )
    report = build(Model(network), tmp_path / "b", vectors=10, rows_per_clock=3).report
    assert report.pipeline.latency_cycles == core.latency
    assert simulate(tmp_path / "b").samples == 10


def test_fewer_clocks_for_more_slots() -> None:
    network = sparse_classifier(slots=5)
    slow, fast = sparse_core(network), sparse_core(network, rows_per_clock=7, slots_per_clock="5")
    # By default the layers just keep up with the seven clocks of the image.
    assert [b.parallel for b in slow.plan.blocks] == [1, 1, 0, 1, 1, 0, 1, 0]
    assert (slow.interval, fast.interval) == (7, 1)
    assert fast.latency < slow.latency


def test_random_images_are_of_all_kinds() -> None:
    core = sparse_core(sparse_classifier(slots=5))
    images = random_images(core, 200, seed=1)
    active, kept = kept_pixels(images, core.reduce, core.number)
    counts = active.sum(axis=(1, 2))
    assert counts[:3].tolist() == [0, 63, 1]
    assert 20 < (counts > 5).sum() < 180
    assert (kept.sum(axis=(1, 2)) == np.minimum(counts, 5)).all()
    limit = core.number.floor_int(core.reduce.threshold)
    assert {limit, limit + 1} <= set(images[:, 0].ravel().tolist())
    assert np.array_equal(images, random_images(core, 200, seed=1))


def test_names_that_would_collide(tmp_path: Path) -> None:
    network = sparse_decision(slots=2)
    names = ["i", "table0", "o", "a-b", "a_b", "result", "ä", "module", "1st"]
    renamed = dict(zip([n.name for n in network.nodes], names, strict=True))
    nodes = tuple(
        replace(n, name=renamed[n.name], inputs=tuple(renamed.get(x, x) for x in n.inputs))
        for n in network.nodes
    )
    made = Network(network.inputs, nodes, ("1st", "module")).validate()
    core = sparse_core(made)
    found = [block.name for block in core.plan.blocks]
    assert found == [
        *("layer_i", "layer_table0", "layer_o", "layer_result", "layer__", "module", "layer_1st")
    ]
    build(Model(made), tmp_path / "b", vectors=10, front="rows")
    assert simulate(tmp_path / "b").samples == 10


def test_without_argmax(tmp_path: Path) -> None:
    model = Model(sparse_classifier(slots=2))
    result = build(model, tmp_path / "b", vectors=8, front="rows", argmax=False)
    assert [p["name"] for p in result.report.pipeline.ports["o__payload"]] == ["scores"]
    assert simulate(tmp_path / "b").samples == 8


def test_more_results_than_samples_are_found(built: Path, tmp_path: Path) -> None:
    for file in built.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with np.load(built / "vectors.npz") as vectors:
        arrays = dict(vectors)
    # Nobody expects a result of the last image, whose rows come all the same.
    arrays["completes"][-1] = -1
    for name in arrays:
        if name.endswith(("_bits", "_care")):
            arrays[name] = arrays[name][:-1]
    np.savez(tmp_path / "vectors.npz", **arrays)
    with pytest.raises(ToolError, match="the simulator stopped"):
        simulate(tmp_path)
    log = (tmp_path / "sim.log").read_text()
    assert "gives more results than there were samples" in log


def test_remarks_on_what_changes_nothing() -> None:
    network = sparse_decision()
    design = plan(network, BuildOptions(constants="alkaid").resolved())
    assert any("--constants alkaid changes nothing" in text for text in design.warnings)
    whole = BuildOptions(constants="alkaid", slots_per_clock="1,last=5").resolved()
    assert not plan(network, whole).warnings
    nodes = (replace(network.nodes[0], layer=InputReduce(4, 99.0)), *network.nodes[1:])
    design = plan(replace(network, nodes=nodes), BuildOptions().resolved())
    assert any("No number of ufixed<6,2> is above" in text for text in design.warnings)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fold": "sums"}, "--fold is for logic-gate networks"),
        ({"reuse": "row"}, "--reuse is for logic-gate networks"),
        ({"combinational": True}, "--combinational is for logic-gate networks"),
        ({"levels_per_stage": 3}, "--levels-per-stage is for logic-gate networks"),
        ({"front": "slices"}, "--front slices is for logic-gate networks"),
        ({"prove": True}, "--prove knows no sparse CNNs"),
        ({"front": "rows", "rows_per_clock": 2}, "2 rows in a clock, expected one"),
        ({"front": "rows", "pixels_per_clock": 4}, "4 pixels in a clock, expected a divisor of 9"),
        ({"front": "rows", "pixels_per_clock": 0}, "0 pixels in a clock, expected a divisor of 9"),
        ({"pixels_per_clock": 3}, "an image that comes whole comes in one clock"),
        ({"rows_per_clock": 8}, "8 rows in a clock, expected 1 to 7"),
        ({"rows_per_clock": 0}, "0 rows in a clock, expected 1 to 7"),
        ({"slots_per_clock": 6}, "6 slots in a clock, expected 1 to 5"),
        ({"slots_per_clock": 0}, "0 slots in a clock, expected 1 to 5"),
        ({"slots_per_clock": "conv1=9"}, "conv1=9: 9 in a clock, expected 1 to 5"),
        ({"slots_per_clock": "conv9=2"}, "conv9=2 is for no block, expected one of conv1, pool"),
        ({"slots_per_clock": "many"}, "--slots-per-clock is 'many', expected a number"),
        ({"slots_per_clock": "2,3"}, "--slots-per-clock is '2,3', expected a number"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=words):
        build(Model(sparse_classifier(slots=5)), tmp_path / "b", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [{"front": "rows"}, {"rows_per_clock": 1}, {"slots_per_clock": 2}, {"pixels_per_clock": 2}],
)
def test_options_of_sparse_networks_alone(options: dict[str, Any], tmp_path: Path) -> None:
    network = bits_only()
    with pytest.raises(BuildError, match="for sparse CNNs, and this network is none"):
        build(Model(network), tmp_path / "b", **options)


def test_mapped_block_by_block(tmp_path: Path) -> None:
    model = Model(sparse_decision(slots=3))
    report = build(model, tmp_path / "b", target="xcup", front="rows", vectors=10).report
    assert report.resources is not None
    blocks = report.resources.by_block
    assert set(blocks) == {"reduce", "conv", "relu", "dense", "relu2", "last", "decision"}
    assert all(block.lut for block in blocks.values())
    assert report.resources.dsp == report.resources.bram == 0
    assert report.resources.depth is not None
    assert 3 <= report.resources.depth <= 8
    (proof,) = (check for check in report.proof.checks if check["what"].startswith("LUTs ="))
    assert proof["proved"] is True
