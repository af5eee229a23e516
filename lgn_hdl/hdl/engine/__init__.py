"""A classifier whose gates take turns: the program of `logic.engine` in block RAM."""

from .engine import Engine, check_engine, engine_layout

__all__ = ["Engine", "check_engine", "engine_layout"]
