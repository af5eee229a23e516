"""`--prove`: what is right is proved, what is changed is refuted with a sample that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutations import EXAMPLES, SmallBuild, altered, mutated
from networks import bits_only, classifier, every_layer

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.compiler import emit
from lgn_hdl.compiler.design import Design, plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.errors import LgnError, VerifyError
from lgn_hdl.flow import synthesize
from lgn_hdl.logic import evaluate, evaluate_signals
from lgn_hdl.logic.lower import lower
from lgn_hdl.network import FixedPoint, LutLayer, Node
from lgn_hdl.proof import Claim, Counterexample, Refuted, prove

SMALL = FixedPoint(6, 4, signed=True)


def rtl_of(design: Design, folder: Path) -> Path:
    """The RTL of a design as a build writes it."""
    path = folder / "top.il"
    path.write_text(emit._rtlil(design))
    return path


def proof_of(design: Design, rtl: Path, **options: object) -> list[Claim]:
    """Prove the RTL against the network of a design."""
    return prove(
        design.network,
        design.program,
        design.pipeline,
        rtl,
        rtl.parent / "proof",
        argmax=design.options.argmax,
        **options,  # pyright: ignore[reportArgumentType]
    )


def refuted(design: Design, rtl: Path, **options: object) -> Refuted:
    with pytest.raises(Refuted) as info:
        proof_of(design, rtl, **options)
    return info.value


def check_counterexample(found: Counterexample | None, right: Design, wrong: Design) -> None:
    """Expected and found, evaluated without anything of the proof."""
    assert found is not None
    sample = found.features[None]
    for design, values in ((right, found.expected), (wrong, found.found)):
        program = lower(design.network) if design is right else design.program
        bits, scores = evaluate(program, sample)
        results = [*scores[0].tolist(), *bits[0].tolist()]
        if design.options.argmax:
            results.insert(0, int(scores[0].argmax()))
        assert values.tolist() == results
    assert not np.array_equal(found.expected, found.found)


VARIANTS = {
    "pipelined": (classifier(element=SMALL), {"levels_per_stage": 1}),
    "combinational": (classifier(element=SMALL), {"combinational": True}),
    "fused for 4-input LUTs": (classifier(element=SMALL), {"target": "lut4"}),
    "fused for 6-input LUTs": (classifier(element=SMALL, classes=7), {"target": "lut6"}),
    "bits": (bits_only(), {"levels_per_stage": 1}),
    "bits without registers": (bits_only(), {"combinational": True}),
    "one class": (classifier(element=SMALL, classes=1), {"levels_per_stage": 1}),
    "scores only": (classifier(element=SMALL), {"argmax": False, "levels_per_stage": 2}),
    "every layer": (every_layer(FixedPoint(4)), {"levels_per_stage": 1}),
    "scaled numbers": (classifier(element=FixedPoint.parse("fixed<8,4>*1/7")), {}),
    "unsigned numbers": (classifier(element=FixedPoint.parse("ufixed<7,2>")), {}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_right_build_is_proved(name: str, tmp_path: Path) -> None:
    network, options = VARIANTS[name]
    result = lgn_hdl.build(
        lgn_hdl.Model(network), tmp_path / "out", vectors=64, prove=True, **options
    )
    proof = result.report.proof
    assert proof.status.startswith("proved: for every input")
    claims = {check["what"]: check for check in proof.checks}
    assert all("no answer" not in check["result"] for check in proof.checks)
    assert "proved for all inputs" in claims["RTL = scheduled program"]["result"]
    assert ("LUTs = RTL" in claims) == ("target" in options)
    assert (
        "argmax = first of the largest scores" in claims
        or "class" not in network.outputs
        or (not options.get("argmax", True))
    )
    assert any("sim" in text for text in proof.not_proved)
    assert "proof: RTL = scheduled program" in result.report.seconds


@pytest.mark.parametrize("kind", ["table bit", "wire", "weight"])
@pytest.mark.parametrize("where", ["program", "RTL"])
def test_a_change_is_refuted(
    kind: str, where: str, small_build: SmallBuild, tmp_path: Path
) -> None:
    design = small_build.design
    with np.load(small_build.path / "vectors.npz") as arrays:
        wrong = mutated(design, kind, arrays["features"])
    rtl = rtl_of(wrong, tmp_path)
    error = refuted(wrong if where == "program" else design, rtl)
    claim = {"program": "weighted sums = counts of the network", "RTL": "RTL = scheduled program"}
    assert error.claim == claim[where]
    check_counterexample(error.counterexample, design, wrong)
    assert re.search(
        r"for (x\[\d\] = .*|every feature 0) the hardware gives .*expected", str(error)
    )


def test_a_threshold_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    design = small_build.design
    threshold = design.program.input_threshold.copy()
    threshold[3] -= 1
    wrong = altered(design, program=replace(design.program, input_threshold=threshold))
    error = refuted(wrong, rtl_of(wrong, tmp_path))
    check_counterexample(error.counterexample, design, wrong)


def _dropped_leaf(design: Design, features: np.ndarray) -> Design:
    """A compressor tree in which one counter reads a constant in place of a leaf that is used."""
    first, *others = design.pipeline.sums
    ones = evaluate_signals(design.program, features, design.program.roots).any(axis=0)
    leaves = 2 + np.flatnonzero(ones[first.root] & ~first.inverted)
    counters = list(first.tree.counters)
    number = next(n for n, counter in enumerate(counters) if counter.inputs[0] in leaves)
    counters[number] = replace(counters[number], inputs=(0, *counters[number].inputs[1:]))
    sums = (replace(first, tree=replace(first.tree, counters=tuple(counters))), *others)
    return altered(design, pipeline=replace(design.pipeline, sums=sums))


def test_a_compressor_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    design = small_build.design
    with np.load(small_build.path / "vectors.npz") as arrays:
        wrong = _dropped_leaf(design, arrays["features"])
    rtl = rtl_of(wrong, tmp_path)
    in_schedule, in_rtl = refuted(wrong, rtl), refuted(design, rtl)
    assert in_schedule.claim == "compressor trees = weighted sums"
    assert re.match(r"class 0: bit \d+ of the tree has the weight \d and is", in_schedule.fault)
    assert in_rtl.claim == "RTL = scheduled program"
    for error in (in_schedule, in_rtl):
        assert error.counterexample is not None
        assert "score 0 = " in str(error)
        _, expected = evaluate(lower(design.network), error.counterexample.features[None])
        assert error.counterexample.expected[1:].tolist() == expected[0].tolist()


#: A register as Amaranth writes it, and as the vector blocks do; d is what it takes on.
_REGISTERS = (
    r"^  process \$\d+\n    assign (\$\d+) .*?switch .*?case 1'1\n"
    r"        assign \1 \[\d+:0\] (?P<d>.*?)\n.*?^  end\n\n"
    r"  cell \$dff .*?connect \\Q (?P<q>\S+)\n  end\n",
    r"^  cell \$dffe .*?connect \\D (?P<d>.*?)\n.*?connect \\Q (?P<q>\S+)\n.*?^  end\n",
)


def _without_register(text: str, module: str) -> str:
    """RTLIL in which the first register of a module is a wire."""
    body = re.search(rf"^module \\{module}\n.*?^end\n", text, re.M | re.S)
    assert body
    cells = (re.search(form, body[0], re.M | re.S) for form in _REGISTERS)
    cell = next((found for found in cells if found), None)
    assert cell, f"module {module} has no register"
    wire = f"  connect {cell['q']} {cell['d']}\n"
    return text.replace(body[0], body[0].replace(cell[0], wire))


@pytest.mark.parametrize("module", ["top", "top_gates", "top_groupsum_class1", "top_argmax"])
def test_a_missing_register_is_refuted(
    module: str, small_build: SmallBuild, tmp_path: Path
) -> None:
    design = small_build.design
    rtl = rtl_of(design, tmp_path)
    rtl.write_text(_without_register(rtl.read_text(), module))
    error = refuted(design, rtl)
    latency = design.pipeline.latency
    assert error.claim == "registers of the RTL keep samples apart"
    assert re.match(
        rf"o__(payload\[\d+\]|valid) is reached through {latency - 1} registers, expected "
        rf"{latency}",
        error.fault,
    )
    assert re.search(r": i__(payload\[\d+\]|valid)( -> \S+)+$", error.fault)


def test_a_register_that_does_not_wait_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    rtl = rtl_of(small_build.design, tmp_path)
    text = rtl.read_text()
    changed = re.sub(
        r"(module \\top_argmax\n.*?switch )\\enable \[0\]", r"\1 1'1", text, count=1, flags=re.S
    )
    assert changed != text
    rtl.write_text(changed)
    error = refuted(small_build.design, rtl)
    assert "does not stand still with the pipeline" in error.fault


def test_a_tie_to_the_wrong_side_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    rtl = rtl_of(small_build.design, tmp_path)
    rtl.write_text(rtl.read_text().replace("cell $gt ", "cell $ge ", 1))
    error = refuted(small_build.design, rtl)
    assert error.counterexample is not None
    names, found = error.counterexample.names, error.counterexample
    (differs,) = np.flatnonzero(found.expected != found.found)
    assert names[differs] == "class"
    scores = found.expected[1:]
    assert scores[found.expected[0]] == scores[found.found[0]]


def test_a_wrong_handshake_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    rtl = rtl_of(small_build.design, tmp_path)
    text = rtl.read_text()
    changed = re.sub(r"connect \\A \\o__ready \[0\]", r"connect \\A 1'1", text, count=1)
    assert changed != text
    rtl.write_text(changed)
    error = refuted(small_build.design, rtl)
    assert error.claim == "handshake of the RTL"
    assert error.fault == "i__ready is another function of i__valid and o__ready"


def test_a_wrong_reset_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    rtl = rtl_of(small_build.design, tmp_path)
    text = rtl.read_text()
    latency = small_build.design.pipeline.latency
    ones = re.sub(rf"{latency}'0+$", f"{latency}'" + "1" * latency, text, flags=re.M)
    assert ones != text
    rtl.write_text(ones)
    error = refuted(small_build.design, rtl)
    assert error.claim == "rst empties the pipeline of the RTL"
    assert error.fault == "o__valid is not cleared by rst"


def test_a_wrong_lut_is_refuted(tmp_path: Path) -> None:
    model = lgn_hdl.Model(classifier(element=SMALL))
    design = plan(model.network, BuildOptions(target="lut4", levels_per_stage=2).resolved())
    rtl = rtl_of(design, tmp_path)
    mapped = synthesize(rtl, "lut4", tmp_path, by_block=False).generic_luts
    assert mapped is not None
    assert proof_of(design, rtl, mapped=mapped)[-1].proved
    text = mapped.read_text()
    table = re.search(r"parameter \\LUT 16'([01]{16})", text)
    assert table
    flipped = table[1].translate(str.maketrans("01", "10"))
    mapped.write_text(text.replace(table[1], flipped, 1))
    error = refuted(design, rtl, mapped=mapped)
    assert error.claim == "LUTs = RTL"


def test_a_rare_difference_is_found_by_the_solver(tmp_path: Path) -> None:
    """One input of 2^24 differs: no random sample finds it."""
    network = bits_only(inputs=24, outputs=1)
    layers = []
    width = 24
    rng = np.random.default_rng(0)
    while width > 1:
        pairs = rng.permutation(width)[: width // 2 * 2].reshape(2, -1).astype(np.int32)
        layers.append(pairs)
        width //= 2
    nodes, last = [], "x"
    for number, pairs in enumerate(layers):
        table = np.full(pairs.shape[1], 0b1000, np.uint64)
        nodes.append(Node(f"and{number}", LutLayer(pairs, table), (last,)))
        last = f"and{number}"
    network = replace(network, nodes=tuple(nodes), outputs=(last,)).validate()
    design = plan(network, BuildOptions(argmax=False, combinational=True).resolved())
    assert all(claim.proved for claim in proof_of(design, rtl_of(design, tmp_path)))
    program = replace(design.program, bits=np.zeros(1, np.int32))  # never true
    wrong = altered(design, program=program)
    error = refuted(design, rtl_of(wrong, tmp_path))
    assert error.counterexample is not None
    assert error.counterexample.features.sum() >= 16
    assert "bit 0 = 0, expected 1" in str(error)


def test_a_refuted_build_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in the RTL emission, as the user would meet it."""
    right: Callable[[Design], str] = emit._rtlil
    monkeypatch.setattr(
        emit, "_rtlil", lambda design: right(design).replace("cell $and ", "cell $or ", 1)
    )
    out = tmp_path / "out"
    arguments = ["build", str(EXAMPLES / "digits.lgn"), "-o", str(out), "--prove"]
    assert main([*arguments, "--vectors", "8"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("lgn_hdl: error: RTL = scheduled program: refuted: for x[")
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_proves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["build", str(EXAMPLES / "digits.lgn"), "-o", str(out), "--prove", "--json"]
    assert main([*arguments, "--vectors", "8", "--target", "rtlil"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["proof"]["status"].startswith("proved: for every input")
    assert report["options"]["prove"] is True
    assert "yosys" in report["tools"]


def test_no_answer_is_not_a_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "CLAIM_SECONDS", 1e-3)
    model = lgn_hdl.load(EXAMPLES / "digits.lgn")
    report = lgn_hdl.build(model, tmp_path / "out", prove=True, vectors=8).report
    assert "claims proved, no answer on the rest" in report.proof.status
    assert any("no answer in" in text for text in report.proof.not_proved)
    assert any(check["result"].startswith("no answer") for check in report.proof.checks)


def test_a_loop_is_refuted(small_build: SmallBuild, tmp_path: Path) -> None:
    rtl = rtl_of(small_build.design, tmp_path)
    text = rtl.read_text()
    loop = re.sub(
        r"(module \\top_argmax\n.*?cell \$gt .*?connect \\A )[^\n]*",
        r"\1 { 2'00 \\o [0] }",
        text,
        count=1,
        flags=re.S,
    )
    assert loop != text
    rtl.write_text(loop)
    with pytest.raises(LgnError) as info:
        proof_of(small_build.design, rtl)
    assert isinstance(info.value, VerifyError)
