"""Finished parts of a long evaluation on disk, so that an interrupted one continues."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ...contracts.errors import FileError
from ...contracts.files import remove, writing


@dataclass(frozen=True)
class PartStore:
    """Parts by name in `directory` (made when the first one is put; None: nothing is kept).

    origin: all that determines the parts, as text; parts of another origin are refused.
    """

    directory: Path | None
    origin: str

    def get(self, name: str) -> dict[str, np.ndarray] | None:
        """The arrays of a part, None if it is not there; FileError for a damaged one or another origin."""
        path = self.directory and self._path(name)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path) as content:
                arrays = {key: content[key] for key in content.files}
            origin = str(arrays.pop("origin"))
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise FileError(f"{path} cannot be read ({error}): delete it to run that part again.") from error
        if origin != self.origin:
            raise FileError(
                f"{path} belongs to an evaluation with other closures, reference or settings; give another "
                f"directory, or delete {self.directory}."
            )
        return arrays

    def put(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a part."""
        if self.directory is None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        with writing(self._path(name), overwrite=True) as temporary:
            np.savez(temporary, origin=self.origin, **arrays)

    def clear(self) -> None:
        """Forget all parts."""
        if self.directory is not None:
            remove(self.directory)

    def _path(self, name: str) -> Path:
        readable = "".join(c if c.isalnum() or c in "-." else "_" for c in name)[:60]
        return self.directory / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.npz"


def content_digest(path: Path) -> str:
    """SHA-256 over the names and bytes of a file or of all files of a directory."""
    checksum = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            checksum.update(file.name.encode() + file.read_bytes())
    return checksum.hexdigest()


LAYOUT = 2
"""Of the arrays in a part; raised when they change, so that parts of an earlier layout are not taken up."""


def origin_text(**parts: object) -> str:
    """One text of everything that determines an evaluation."""
    return json.dumps(
        {name: str(part) for name, part in (parts | {"layout": LAYOUT}).items()}, sort_keys=True
    )
