"""Solvers and physics: two-dimensional turbulence, closures, column physics."""
