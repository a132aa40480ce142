"""The same as serve.py, for `python -m aws` with tests/ on the path."""

import sys

from .main import main

sys.exit(main())
