"""`python -m lgn_hdl`."""

import sys

from .cli import main

sys.exit(main())
