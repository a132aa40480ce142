"""The same as serve.py, for `python -m aws` with tests/ on the path."""

from .main import main

main()
