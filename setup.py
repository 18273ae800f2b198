"""Maps the repository root onto the package `subgrid`: the folder `sims/` is imported as `subgrid.sims`."""

from setuptools import find_packages, setup

FOLDERS = ("contracts", "envs", "fortran_bridge", "jax_models", "sims", "validation", "workflows")
PACKAGES = [
    package for package in find_packages(".") if package.split(".")[0] in FOLDERS
]

setup(
    packages=["subgrid", *(f"subgrid.{package}" for package in PACKAGES)],
    package_dir={"subgrid": "."},
    # Of the repository root only these modules belong to the package (setup.py itself does not).
    package_data={"subgrid": ["py.typed"], "subgrid.validation": ["templates/*.html"]},
)
