"""report.md: the same report for people."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from .document import Report

__all__ = ["to_markdown"]


def to_markdown(report: Report) -> str:
    """Render the report as GitHub-flavoured Markdown."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["thousands"] = lambda n: f"{n:,}"
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    template = files("lgn_hdl.report").joinpath("report.md.jinja").read_text()
    return environment.from_string(template).render(r=report)
