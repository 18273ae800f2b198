"""Options that several commands have."""

from typing import Annotated

import typer

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")]
SEVERAL_PROCESSES = (
    "one of several processes, each started with JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and "
    "JAX_PROCESS_ID set, or by Slurm or Open MPI"
)
