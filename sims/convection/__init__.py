"""The multi-scale Kain-Fritsch convection scheme: Fortran kernels, called from NumPy and JAX."""
