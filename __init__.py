"""Learned subgrid physics inside simulators: trained in JAX, proven offline, run from Fortran without Python."""
