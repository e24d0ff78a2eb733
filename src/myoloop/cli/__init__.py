"""The command line: a thin layer over the calls that Python users make.

Nothing here may import NumPy, Numba or Matplotlib before a command runs: ``--help`` must be quick.
"""

from ._main import main

__all__ = ["main"]
