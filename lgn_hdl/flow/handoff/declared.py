"""Compares a configuration with the variables that LibreLane itself declares; needs no PDK.

LibreLane has to be importable. Where it lives in an environment of its own, that environment's
Python runs this file, which imports nothing of this package: `python declared.py config.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["check_config", "declared_variables"]


def declared_variables(flow: str = "Classic") -> dict[str, Any]:
    """Return the variables of a flow and of all its steps by name, those of the PDK among them.

    Raises
    ------
    ImportError
        If LibreLane is not installed.
    LookupError
        If it has no such flow.
    """
    found = import_module("librelane.flows").Flow.factory.get(flow)
    if found is None:
        raise LookupError(flow)
    return {variable.name: variable for variable in found.get_all_config_variables(found)}


def check_config(path: Path) -> list[str]:
    """Return what LibreLane would not take of a configuration, in sentences; empty if nothing.

    Every key has to be declared under this name, not an older one; its value has to be of the
    declared type, by LibreLane's own strict check; the files that it names have to exist.

    Parameters
    ----------
    path : Path
        `config.json`; `dir::` in it means its folder.

    Raises
    ------
    ImportError
        If LibreLane is not installed.
    """
    module = import_module("librelane.config")
    config: dict[str, Any] = json.loads(path.read_text(), parse_float=Decimal)
    problems = []
    try:
        meta = module.Meta.from_dict(config.pop("meta", {}))
    except TypeError as error:
        return [f"meta: {error}"]
    if meta.version < 2:
        problems.append(f"meta: types are not checked in version {meta.version}")
    try:
        variables = declared_variables(meta.flow or "Classic")
    except LookupError:
        return [*problems, f"meta: there is no flow {meta.flow!r}"]
    old = {name: new for new in variables.values() for name in _old_names(new)}
    for key, value in config.items():
        if key in old:
            problems.append(f"{key}: is the old name of {old[key].name}")
        elif key not in variables:
            problems.append(f"{key}: is not declared by the flow {meta.flow or 'Classic'}")
        else:
            problems += [f"{key}: {text}" for text in _problems(variables[key], value, path.parent)]
    missing = [
        name
        for name, variable in variables.items()
        if not variable.pdk and _is_required(variable) and name not in config
    ]
    # These two are for LibreLane to find out, not for a configuration to say.
    problems += [
        f"{name}: is missing" for name in missing if name not in ("DESIGN_DIR", "PDK_ROOT")
    ]
    return problems


def _old_names(variable: Any) -> list[str]:
    names = variable.deprecated_names or []
    return [name if isinstance(name, str) else name[0] for name in names]


def _is_required(variable: Any) -> bool:
    try:
        variable.compile(_dictionary({}), [])
    except ValueError:
        return True
    return False


def _problems(variable: Any, value: Any, folder: Path) -> list[str]:
    """What the variable's own check says of a value."""
    warnings: list[str] = []
    resolved = import_module("librelane.config.preprocessor").preprocess_dict(
        {variable.name: value}, design_dir=str(folder.resolve()), pdk="", pdkpath="", scl=""
    )
    try:
        variable.compile(_dictionary(resolved), warnings)
    except ValueError as error:
        return [str(error)]
    return warnings


def _dictionary(values: Mapping[str, Any]) -> Any:
    return import_module("librelane.common").GenericDict(values)


if __name__ == "__main__":
    found = check_config(Path(sys.argv[1]))
    print(json.dumps(found))
    sys.exit(bool(found))
