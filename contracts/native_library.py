"""The shared libraries that the build makes: where one is, and what to type when it is missing."""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from .errors import SetupError

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class NativeLibrary:
    """A shared library of this project.

    Attributes:
        name: file name, `libsubgrid_….so`.
        variable: environment variable that names the file or its folder.
        subject: what the messages call it.
    """

    name: str
    variable: str
    subject: str

    def find(self, root: Path = ROOT) -> Path:
        """The one that the variable names, else the release build under `root`, else the newest other build.

        Raises:
            SetupError: nothing is there; the sentence says what to type.
        """
        named = os.environ.get(self.variable)
        if named:
            path = Path(named) / self.name if Path(named).is_dir() else Path(named)
            if not path.is_file():
                raise SetupError(
                    f"{path}, the {self.subject} library that {self.variable} names, is not there; "
                    "correct the path."
                )
            return path.resolve()
        depths = ("", "*/", "*/*/", "*/*/*/")
        built = [path for depth in depths for path in root.glob(f"_build/{depth}{self.name}")]
        if not built:
            raise SetupError(
                f"The {self.subject} library {self.name} is not built: run 'make build' in the checkout of "
                f"subgrid, or set {self.variable} to the path of an installed one."
            )
        return max(built, key=lambda path: ("release" in path.parts, path.stat().st_mtime))

    def load(self) -> ctypes.CDLL:
        """The opened library; `SetupError` when it cannot be found or opened."""
        path = self.find()
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            raise SetupError(
                f"The {self.subject} library {path} cannot be loaded ({error}); build it again."
            ) from error
