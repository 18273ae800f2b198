"""Outputs appear whole or not at all: written under a temporary name, renamed when complete."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FileError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
FOLDERS = ("manifest.txt", "scores.json", "ymd")  # one of which a bundle, a report, a store of columns holds
NEARLY_NOTHING = (
    1 << 20
)  # bytes; NetCDF reports a full disk as "HDF error", so the free space is the evidence


@contextmanager
def writing(path: str | os.PathLike, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to (a file, or a directory that the block makes).

    When the block ends normally, what it wrote is renamed to `path`; when it raises, it is removed. The
    suffix of `path` is kept, because some writers judge by it. Call `require_absent` before a long run.

        with writing("flow.nc") as temporary:
            dataset.to_netcdf(temporary)

    Raises `FileError` if `path` exists (unless `overwrite`), is write-protected, its folder is missing or
    read-only, or the disk is full.
    """
    path = Path(path)
    require_absent(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
    try:
        remove(temporary)
        yield temporary
        if not temporary.exists():
            raise FileError(f"Nothing was written for {path}: the writer left no file at its temporary name.")
        require_absent(path, overwrite=overwrite)
        replace(temporary, path)
    except BaseException as error:
        full = is_full_disk(error, path.parent)
        remove(temporary)
        if full:
            raise FileError(
                f"Cannot write {path}: the disk is full; free some space and run again "
                "(nothing was left under the final name)."
            ) from error
        raise


def require_absent(
    path: str | os.PathLike, *, overwrite: bool = False, inputs: Iterable[str | os.PathLike] = ()
) -> None:
    """Refuse now, before the work, what `writing` would refuse after it, and to replace one of `inputs`."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileError(f"Cannot write {path}: the folder {path.parent} does not exist; create it first.")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"Cannot write {path}: no permission to write in the folder {path.parent}.")
    if any(holds(path, source) for source in inputs):
        raise FileError(f"The output {path} is, or holds, an input of the same run; choose another name.")
    if not overwrite and os.path.lexists(path):
        raise FileError(f"The output {path} already exists; choose another name, or say --overwrite.")
    if path.is_dir() and any(path.iterdir()) and not any((path / name).exists() for name in FOLDERS):
        raise FileError(
            f"The output {path} is a folder with other things than an earlier output (one of "
            f"{', '.join(FOLDERS)}); it is not replaced: choose another name."
        )
    # By the mode bits: os.access lets the superuser write what he protected.
    if path.is_file() and not path.stat().st_mode & 0o222:
        raise FileError(f"The output {path} exists and is write-protected; choose another name.")


def holds(path: Path, source: str | os.PathLike) -> bool:
    """Whether `source` is the existing file or folder `path`, or lies in it."""
    found, inside = path.resolve(), Path(source).resolve()
    return path.exists() and inside.exists() and (found == inside or found in inside.parents)


def is_full_disk(error: BaseException, folder: Path) -> bool:
    """Whether `error` is how the operating system, or NetCDF, says that nothing more fits into `folder`."""
    if isinstance(error, FileError) or not isinstance(error, OSError | RuntimeError):
        return False
    return getattr(error, "errno", None) in FULL_DISK or shutil.disk_usage(folder).free < NEARLY_NOTHING


def replace(source: Path, target: Path) -> None:
    """Rename, also over an existing directory (which a plain rename refuses unless it is empty)."""
    if not target.is_dir() or target.is_symlink():
        os.replace(source, target)
        return
    retired = target.with_name(f".{target.name}.retired-{os.getpid()}")
    os.replace(target, retired)
    os.replace(source, target)
    remove(retired)


def remove(path: Path) -> None:
    """Remove a file or a directory tree, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
