"""The bridge: bundles inside Fortran and NumPy hosts through the PJRT C API, without Python in the loop."""
