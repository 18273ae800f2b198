"""Maps the repository root onto the package `subgrid`: the folder `sims/` is imported as `subgrid.sims`."""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

FOLDERS = ("contracts", "envs", "fortran_bridge", "jax_models", "sims", "validation", "workflows")
PACKAGES = [package for package in find_packages(".") if package.split(".")[0] in FOLDERS]


class BuildPackages(build_py):
    """Of the files in the root only `__init__.py` is a module of the package; this script is none."""

    def find_package_modules(self, package, package_dir):
        """(package, module, file) of each module in a package."""
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if package != "subgrid" or module[1] == "__init__"]


setup(
    packages=["subgrid", *(f"subgrid.{package}" for package in PACKAGES)],
    package_dir={"subgrid": "."},
    cmdclass={"build_py": BuildPackages},
    # Only what is listed: with the root as a package, everything in the repository would pass for its data.
    include_package_data=False,
    package_data={"subgrid": ["py.typed"], "subgrid.validation": ["templates/*.html"]},
)
