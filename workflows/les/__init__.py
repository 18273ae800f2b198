"""`subgrid run les`: one large-eddy simulation in a Fortran, NumPy or JAX host."""
