"""Evaluation of turbulence closures: rows of the table, long runs, scores, survival, policy maps."""
