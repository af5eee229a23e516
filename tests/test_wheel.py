"""The wheel, installed away from the checkout, builds and simulates on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object, cwd: Path) -> str:
    """Run a command without what the surrounding shell would add to the import path."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV", "COCOTB"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (path,) = folder.glob("lgn_hdl-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the wheel, and our dependencies by reference."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    packages = Path(site.strip())
    # What an installer does for a pure wheel. A plain path in a .pth file adds the dependencies,
    # but does not read the .pth files there: the editable install of the checkout stays out.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_what_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in (
        "lgn_hdl/report/report.schema.json",
        "lgn_hdl/report/report.md.jinja",
        "lgn_hdl/sim/bench.py",
        "lgn_hdl/boards/__init__.py",
        "lgn_hdl/boards/icebreaker.py",
        "lgn_hdl/sim/pty_device.py",
    ):
        assert name in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lgn_hdl"}
    assert not [name for name in names if name.endswith((".lgn", ".npz", ".pt"))]


def test_it_is_the_wheel_that_is_imported(installed: Path, tmp_path: Path) -> None:
    script = (
        "import lgn_hdl.sim.runner, lgn_hdl.boards, lgn_hdl.api, importlib.util as u;"
        "print(*(m.__file__ for m in (lgn_hdl, lgn_hdl.sim, lgn_hdl.boards, lgn_hdl.api)));"
        "assert u.find_spec('sim') is None"
    )
    files = run(installed, "-c", script, cwd=tmp_path).split()
    assert len(files) == 4
    for file in files:
        assert Path(file).is_relative_to(installed.parents[1])
        assert not Path(file).is_relative_to(ROOT)


def test_build_and_sim(installed: Path, tmp_path: Path) -> None:
    model = ROOT / "examples" / "digits.lgn"
    out = run(
        installed, "-m", "lgn_hdl", "build", model, "-o", "out", "--vectors", "70", cwd=tmp_path
    )
    assert "Written to out: network.lgn" in out
    out = run(installed, "-m", "lgn_hdl", "sim", "out", cwd=tmp_path)
    assert out.startswith("70 samples: ")
    assert "equal to PyTorch" in out


def test_it_knows_the_boards(installed: Path, tmp_path: Path) -> None:
    script = (
        "import inspect; from lgn_hdl.flow import find_board;"
        "board = find_board('icebreaker'); print(board.name, inspect.getfile(type(board)))"
    )
    name, file = run(installed, "-c", script, cwd=tmp_path).split()
    assert name == "icebreaker"
    assert Path(file).is_relative_to(installed.parents[1])
    assert not Path(file).is_relative_to(ROOT)


def test_infer_is_there(installed: Path, tmp_path: Path) -> None:
    text = run(installed, "-m", "lgn_hdl", "infer", "--help", cwd=tmp_path)
    assert "--port" in text
    assert "--model" in text
