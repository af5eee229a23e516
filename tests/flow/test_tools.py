"""Finding and running Yosys."""

import os
import stat
from pathlib import Path

import pytest

from lgn_hdl.errors import ToolError
from lgn_hdl.flow import Yosys, find_yosys, run_script

WRITE = "read_verilog <<end\nmodule m; endmodule\nend\nwrite_rtlil m.il\n"


def fake_yosys(folder: Path, version: str, body: str = "exit 0") -> Path:
    program = folder / "yosys"
    program.write_text(f'#!/bin/sh\nif [ "$1" = -V ]; then echo "{version}"; exit; fi\n{body}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_default_is_native_to_this_machine(monkeypatch):
    monkeypatch.delenv("LGN_HDL_YOSYS", raising=False)
    yosys = find_yosys()
    assert yosys.kind in ("native", "pyosys", "yowasp")
    assert yosys.version[0].isdigit()
    assert str(yosys) == f"Yosys {yosys.version} ({yosys.kind})"


def test_new_enough_program_on_path_comes_first(monkeypatch, tmp_path):
    monkeypatch.delenv("LGN_HDL_YOSYS", raising=False)
    program = fake_yosys(tmp_path, "Yosys 0.46+11 (git sha1 1234)")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_yosys() == Yosys("native", "0.46+11", (str(program), "-s"))


def test_old_program_on_path_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.delenv("LGN_HDL_YOSYS", raising=False)
    fake_yosys(tmp_path, "Yosys 0.23 (git sha1 7ce5011c24b)")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_yosys().kind in ("pyosys", "yowasp")


def test_old_program_that_is_asked_for_is_refused(monkeypatch, tmp_path):
    program = fake_yosys(tmp_path, "Yosys 0.23 (git sha1 7ce5011c24b)")
    monkeypatch.setenv("LGN_HDL_YOSYS", str(program))
    with pytest.raises(ToolError, match=r"is Yosys 0\.23, expected 0\.45 or newer"):
        find_yosys()


def test_program_that_is_not_yosys_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("LGN_HDL_YOSYS", str(fake_yosys(tmp_path, "Icarus Verilog version 11.0")))
    with pytest.raises(ToolError, match="does not say that it is Yosys: 'Icarus"):
        find_yosys()


def test_missing_program_is_an_error(monkeypatch):
    monkeypatch.setenv("LGN_HDL_YOSYS", "/nowhere/yosys")
    with pytest.raises(ToolError, match="LGN_HDL_YOSYS: is '/nowhere/yosys'"):
        find_yosys()


@pytest.mark.parametrize("kind", ["pyosys", "yowasp"])
def test_missing_package_is_an_error(monkeypatch, kind):
    from lgn_hdl.flow import tools

    monkeypatch.setattr(tools, "_package", lambda kind: None)
    tools._find.cache_clear()
    monkeypatch.setenv("LGN_HDL_YOSYS", kind)
    with pytest.raises(ToolError, match=f"asks for {kind}, which is not installed"):
        find_yosys()
    monkeypatch.delenv("LGN_HDL_YOSYS")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match=r"no Yosys was found \(pip install"):
        find_yosys()


def test_script_and_log_are_kept(tmp_path):
    text = find_yosys().run(WRITE, tmp_path, name="job", expect=("m.il",))
    assert (tmp_path / "job.ys").read_text() == WRITE
    assert (tmp_path / "job.log").read_text() == text
    assert "module \\m" in (tmp_path / "m.il").read_text()


def test_run_script_uses_the_chosen_yosys(tmp_path):
    run_script(WRITE, tmp_path / "new folder")
    assert (tmp_path / "new folder" / "m.il").exists()


def test_error_of_yosys_is_shown(tmp_path):
    with pytest.raises(ToolError, match=r"ERROR: No such command: nonsense .*the log is"):
        run_script("nonsense\n", tmp_path)


def test_missing_result_is_an_error_even_if_one_is_there_already(tmp_path):
    (tmp_path / "m.il").write_text("from an earlier run")
    with pytest.raises(ToolError, match=r"did not write m\.il"):
        find_yosys().run("# nothing\n", tmp_path, expect=("m.il",))


def test_time_limit_stops_the_children_too(monkeypatch, tmp_path):
    mark = tmp_path / "mark"
    body = f"(sleep 1; touch {mark}) & sleep 5"
    monkeypatch.setenv("LGN_HDL_YOSYS", str(fake_yosys(tmp_path, "Yosys 0.50", body)))
    with pytest.raises(ToolError, match=r"took longer than 0\.2 s"):
        run_script("", tmp_path, timeout=0.2)
    import time

    time.sleep(1.2)
    assert not mark.exists()


def test_slow_first_run_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    assert Yosys("yowasp", "0.70", ()).first_run_is_slow
    assert not Yosys("pyosys", "0.70", ()).first_run_is_slow
