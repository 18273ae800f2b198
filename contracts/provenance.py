"""What every output says about its origin: when, by which versions, from which revision of the sources."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("subgrid", "numpy", "scipy", "netCDF4", "jax", "jaxlib", "flax", "optax")


def provenance() -> dict[str, str]:
    """`created` (UTC, ISO 8601), `git_revision`, `python`, and the version of each installed one of PACKAGES.

    `git_revision` ends in `-dirty` when tracked files differ from it, and is `unknown` outside a checkout.
    SOURCE_DATE_EPOCH, where set, is the time of creation: two runs then write the same bytes.
    """
    return {"created": created(), "git_revision": git_revision(), **versions()}


def created() -> str:
    """The time now (or SOURCE_DATE_EPOCH), UTC, ISO 8601 to the second."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, str]:
    """Versions from the packages' metadata; nothing is imported."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # not needed by this host, hence not part of the origin
    return found


@cache
def git_revision() -> str:
    """Revision of the checkout that this package runs from."""
    root = Path(__file__).resolve().parents[1]
    # An installed copy may lie inside somebody else's repository: its revision is not ours.
    if not (root / ".git").exists():
        return "unknown"
    revision = git(root, "rev-parse", "HEAD")
    if revision is None:
        return "unknown"
    return f"{revision}-dirty" if git(root, "status", "--porcelain", "--untracked-files=no") else revision


def git(root: Path, *arguments: str) -> str | None:
    """Output of a git command in `root`; None without git or where git refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
