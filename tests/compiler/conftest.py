"""Builds that several tests look at: made once, changed only in copies."""

from __future__ import annotations

import pytest
from mutations import EXAMPLES, SmallBuild
from networks import classifier

import lgn_hdl
from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.network import FixedPoint

FORM = FixedPoint(6, 4, signed=True)


@pytest.fixture(scope="session")
def small_build(tmp_path_factory: pytest.TempPathFactory) -> SmallBuild:
    """Random vectors, a register after every level."""
    options = BuildOptions(levels_per_stage=1, vectors=150)
    model = lgn_hdl.Model(classifier(element=FORM, names=("left", "middle", "right")))
    path = tmp_path_factory.mktemp("small") / "out"
    result = lgn_hdl.build(model, path, levels_per_stage=1, vectors=150)
    return SmallBuild(path, model, plan(model.network, options.resolved()), result)


@pytest.fixture(scope="session")
def digits() -> lgn_hdl.Model:
    """The trained example."""
    return lgn_hdl.load(EXAMPLES / "digits.lgn")
