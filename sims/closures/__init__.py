"""Turbulence closures, one per file; every file exports the same names."""
