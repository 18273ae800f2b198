"""Forced two-dimensional turbulence on a beta-plane, as JAX, NumPy and Fortran twins."""
