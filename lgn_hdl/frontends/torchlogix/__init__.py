"""torchlogix networks: live modules, or a state_dict with a small description of the layers.

The library itself is never imported. A live module is described first (`architecture`), then built
from its state_dict exactly as a checkpoint would be: there is one way in.
"""

from .architecture import architecture
from .build import convert, from_state_dict

__all__ = ["architecture", "convert", "from_state_dict"]
