"""Strict JAX for every test, set before it is imported: 64-bit on, no silent rank promotion.

Strict dtype promotion stays off: it forbids real × complex, of which spectral solvers are made; tests of the solvers
assert the kind of their results instead.
"""

import os

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
