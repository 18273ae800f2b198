"""The checkpoint of a DNS run: all of its progress in one NumPy archive, replaced in one rename."""

import json
import os
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..contracts.errors import FileError
from ..contracts.files import writing
from ..sims.turbulence2d import jax_solver
from ..sims.turbulence2d.statistics import BlockMeans, SnapshotReservoir
from .dns_plan import Plan
from .dns_run import DnsRun, Progress

CHECKPOINT_SCHEMA = "subgrid-dns-checkpoint 1"


def save_checkpoint(path: os.PathLike, run: DnsRun) -> None:
    """Write all of a run's progress to `path` (NumPy npz), replacing an older checkpoint in one rename."""
    progress = run.progress
    header = {
        "schema": CHECKPOINT_SCHEMA,
        "identity": run.plan.identity,
        "stage": progress.stage,
        "chunk": progress.chunk,
        "seconds": progress.seconds,
    }
    arrays = {f"means.{name}": value for name, value in progress.means.to_arrays().items()}
    arrays |= {f"snapshots.{name}": value for name, value in progress.snapshots.to_arrays().items()}
    arrays |= {f"state.{name}": np.asarray(value) for name, value in vars(progress.state).items()}
    arrays |= {
        "times": np.array(progress.times),
        "log_enstrophy": np.array(progress.log_enstrophy, np.float32),
    }
    with writing(path, overwrite=True) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, header=np.array(json.dumps(header)), **arrays)


def load_checkpoint(path: os.PathLike, plan: Plan) -> DnsRun:
    """The run that `save_checkpoint` wrote; FileError if it is damaged or of a run with other choices."""
    path = Path(path)
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(str(arrays.pop("header")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(
            f"The checkpoint {path} cannot be read ({error}); remove it to start the run anew."
        ) from error
    if header.get("schema") != CHECKPOINT_SCHEMA or header.get("identity") != plan.identity:
        raise FileError(
            f"The checkpoint {path} is of a run with another case, grid, dt, spin-up or seed: give those, "
            "another --checkpoint, or remove it."
        )

    def part(prefix: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

    progress = Progress(
        stage=header["stage"],
        chunk=header["chunk"],
        state=jax_solver.State(**{name: jnp.asarray(value) for name, value in part("state.").items()}),
        seconds=header["seconds"],
        means=BlockMeans.from_arrays(part("means.")),
        snapshots=SnapshotReservoir.from_arrays(part("snapshots.")),
        times=list(arrays["times"]),
        log_enstrophy=list(arrays["log_enstrophy"]),
    )
    return DnsRun(plan, progress)
