"""Where a PDK is looked for: folders as version managers make them, plain folders, and none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lgn_hdl.errors import BuildError
from lgn_hdl.flow.pdk import PDK_VERSION, find_pdk

HASH = "0fe599b2afb6708d281543108caf8310912f54af"
CORNERS = ("ff_n40C_1v95", "ss_100C_1v60", "tt_025C_1v80")


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def make_pdk(folder: Path, library: str = "sky130_fd_sc_hd") -> Path:
    """Empty files, placed as open_pdks places them."""
    cells = folder / "libs.ref" / library
    for corner in CORNERS:
        touch(cells / "lib" / f"{library}__{corner}.lib")
    for kind in ("min", "nom", "max"):
        touch(cells / "techlef" / f"{library}__{kind}.tlef")
    touch(cells / "lef" / f"{library}.lef")
    touch(cells / "verilog" / f"{library}.v")
    touch(cells / "verilog" / "primitives.v")
    return cells


def fetched(root: Path, version: str, *, manager: str = "ciel", name: str = "sky130A") -> Path:
    """A version that is there but not enabled."""
    folder = root / manager / "sky130" / "versions" / version / name
    make_pdk(folder)
    return folder


def enabled(root: Path, version: str = HASH, *, manager: str = "ciel") -> Path:
    """A version that is enabled: ciel links its folder into the root."""
    folder = fetched(root, version, manager=manager)
    (root / manager / "sky130" / "current").write_text(f"{version}\n")
    (root / "sky130A").symlink_to(folder.relative_to(root))
    return root


def test_the_layout_of_ciel(tmp_path: Path) -> None:
    root = enabled(tmp_path)
    found = find_pdk(environ={"PDK_ROOT": str(root)})
    cells = root / "sky130A/libs.ref/sky130_fd_sc_hd"
    assert found.liberty == cells / "lib/sky130_fd_sc_hd__tt_025C_1v80.lib"
    assert found.lef == (
        cells / "techlef/sky130_fd_sc_hd__nom.tlef",
        cells / "lef/sky130_fd_sc_hd.lef",
    )
    assert [file.name for file in found.verilog] == ["primitives.v", "sky130_fd_sc_hd.v"]
    assert (found.name, found.library, found.root) == ("sky130A", "sky130_fd_sc_hd", root)
    assert found.corner == "tt_025C_1v80"


@pytest.mark.parametrize(("home", "manager"), [(".ciel", "ciel"), (".volare", "volare")])
def test_the_home_folder(tmp_path: Path, home: str, manager: str) -> None:
    root = enabled(tmp_path / home, manager=manager)
    assert find_pdk(environ={"HOME": str(tmp_path)}).root == root


def test_ciel_comes_before_volare(tmp_path: Path) -> None:
    enabled(tmp_path / ".volare", manager="volare")
    root = enabled(tmp_path / ".ciel")
    assert find_pdk(environ={"HOME": str(tmp_path)}).root == root


def test_the_argument_comes_before_the_variable(tmp_path: Path) -> None:
    one, other = enabled(tmp_path / "one"), enabled(tmp_path / "other")
    assert find_pdk(one, environ={"PDK_ROOT": str(other)}).root == one
    assert find_pdk(environ={"PDK_ROOT": str(other), "HOME": str(tmp_path)}).root == other


def test_a_root_that_is_wrong_is_not_replaced_by_the_home_folder(tmp_path: Path) -> None:
    enabled(tmp_path / ".ciel")
    environ = {"PDK_ROOT": str(tmp_path / "elsewhere"), "HOME": str(tmp_path)}
    with pytest.raises(BuildError, match=r"elsewhere: there is no sky130_fd_sc_hd of sky130A"):
        find_pdk(environ=environ)


def test_the_folder_of_the_pdk_itself(tmp_path: Path) -> None:
    make_pdk(tmp_path / "sky130A")
    found = find_pdk(tmp_path / "sky130A", environ={})
    assert found.root == tmp_path


def test_a_version_that_librelane_fetched_but_nobody_enabled(tmp_path: Path) -> None:
    folder = fetched(tmp_path, HASH)
    assert find_pdk(tmp_path, environ={}).root == folder.parent


def test_of_several_versions_the_current_one(tmp_path: Path) -> None:
    fetched(tmp_path, "a" * 40)
    folder = fetched(tmp_path, HASH)
    with pytest.raises(BuildError, match=rf"2 versions .*--pdk-family sky130 {'a' * 40}"):
        find_pdk(tmp_path, environ={})
    (tmp_path / "ciel/sky130/current").write_text(HASH)
    assert find_pdk(tmp_path, environ={}).root == folder.parent


def test_of_several_versions_the_one_librelane_asks_for(tmp_path: Path) -> None:
    fetched(tmp_path, HASH)
    folder = fetched(tmp_path, PDK_VERSION)
    assert find_pdk(tmp_path, environ={}).root == folder.parent


def test_a_link_to_a_removed_version(tmp_path: Path) -> None:
    enabled(tmp_path)
    shutil.rmtree(tmp_path / "ciel/sky130/versions")
    with pytest.raises(BuildError, match=r"sky130A: the link leads nowhere.*ciel enable"):
        find_pdk(tmp_path, environ={})


def test_variant_and_library_by_the_environment(tmp_path: Path) -> None:
    make_pdk(tmp_path / "sky130B", "sky130_fd_sc_hs")
    environ = {"PDK_ROOT": str(tmp_path), "PDK": "sky130B", "STD_CELL_LIBRARY": "sky130_fd_sc_hs"}
    found = find_pdk(environ=environ)
    assert found.liberty.name == "sky130_fd_sc_hs__tt_025C_1v80.lib"
    with pytest.raises(BuildError, match=r"no sky130_fd_sc_hd of sky130B.*--pdk-family sky130 "):
        find_pdk(environ=environ, library="sky130_fd_sc_hd")


def test_another_corner(tmp_path: Path) -> None:
    found = find_pdk(enabled(tmp_path), environ={}, corner="ss_100C_1v60")
    assert found.liberty.name == "sky130_fd_sc_hd__ss_100C_1v60.lib"
    with pytest.raises(BuildError, match=r"0 of 3 Liberty files are of the corner tt_100C_1v80"):
        find_pdk(tmp_path, environ={}, corner="tt_100C_1v80")


def test_a_plain_folder(shared: Path) -> None:
    found = find_pdk(shared / "pdk/sky130hd", environ={})
    assert found.liberty.name == "sky130_fd_sc_hd__tt_025C_1v80.lib"
    assert [file.name for file in found.lef] == [
        "sky130_fd_sc_hd.tlef",
        "sky130_fd_sc_hd_merged.lef",
    ]
    assert (found.root, found.corner) == (None, "tt_025C_1v80")
    assert (found.name, found.library) == ("sky130hd", "sky130_fd_sc_hd")


def test_a_plain_folder_with_several_liberty_files(tmp_path: Path) -> None:
    for corner in CORNERS:
        touch(tmp_path / f"cells__{corner}.lib")
    assert find_pdk(tmp_path, environ={}).liberty.name == "cells__tt_025C_1v80.lib"
    (tmp_path / "cells__tt_025C_1v80.lib").unlink()
    with pytest.raises(BuildError, match=r"0 of 2 .*: cells__ff_n40C_1v95\.lib, cells__ss"):
        find_pdk(tmp_path, environ={})


def test_a_plain_folder_with_one_liberty_file_of_any_name(tmp_path: Path) -> None:
    touch(tmp_path / "mine.lib")
    found = find_pdk(tmp_path, environ={})
    assert (found.liberty, found.lef, found.corner) == (tmp_path / "mine.lib", (), "mine")


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        find_pdk(environ={"HOME": str(tmp_path)})
    message = str(caught.value)
    assert f"{tmp_path}/.ciel and {tmp_path}/.volare: there is no sky130_fd_sc_hd" in message
    command = f"pip install ciel && ciel enable --pdk-family sky130 {PDK_VERSION}"
    assert command in message
    assert "PDK_ROOT" in message


def test_a_library_without_liberty_files(tmp_path: Path) -> None:
    (tmp_path / "sky130A/libs.ref/sky130_fd_sc_hd/lib").mkdir(parents=True)
    with pytest.raises(BuildError, match=r"sky130_fd_sc_hd/lib: there is no Liberty file"):
        find_pdk(tmp_path, environ={})
