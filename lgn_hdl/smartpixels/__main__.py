"""`python -m lgn_hdl.smartpixels`."""

import sys

from .cli import main

sys.exit(main())
