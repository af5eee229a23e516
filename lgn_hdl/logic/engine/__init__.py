"""A logic program folded in time: the contents of a gate engine's memories, and their meaning."""

from .assemble import assemble
from .code import EngineCode, Runs
from .execute import check_distances, execute
from .fit import fit
from .memory import RAMS, BlockRam, Memory, blocks, check_fits, memories, memory_bits

__all__ = [
    "RAMS",
    "BlockRam",
    "EngineCode",
    "Memory",
    "Runs",
    "assemble",
    "blocks",
    "check_distances",
    "check_fits",
    "execute",
    "fit",
    "memories",
    "memory_bits",
]
