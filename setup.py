"""Maps the repository root onto the package `subgrid`: the folder `sims/` is imported as `subgrid.sims`."""

from setuptools import find_packages, setup

FOLDERS = ("contracts", "envs", "fortran_bridge", "jax_models", "sims", "validation", "workflows")
PACKAGES = [package for package in find_packages(".") if package.split(".")[0] in FOLDERS]

setup(
    packages=["subgrid", *(f"subgrid.{package}" for package in PACKAGES)],
    package_dir={"subgrid": "."},
    # Only what is listed: with the root as a package, everything in the repository would pass for its data.
    include_package_data=False,
    package_data={"subgrid": ["py.typed"], "subgrid.validation": ["templates/*.html"]},
)
