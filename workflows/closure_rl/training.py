"""Train a closure by many agents in a simulation."""

from pathlib import Path

from ...contracts.files import require_absent
from ...contracts.reference import read_reference
from ...jax_models.devices import is_first_process
from ...jax_models.rl.training import Trained, train
from ..progress import Progress, silent
from .config import ALGORITHMS, ClosureRl, make_environment, make_network
from .policy_file import write_policy

STATES = 96
"""Initial states of training: the stored ones and their images under the symmetries."""


def train_policy(
    reference: Path,
    output: Path,
    config: ClosureRl,
    *,
    overwrite: bool = False,
    checkpoint_dir: Path | None = None,
    seconds: float | None = None,
    devices: int | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train on the reference of the case and write the policy to `output` (.npz, see `write_policy`).

    devices: how many share the simulations (default: all). Of several processes (`jax.distributed`) each
    calls this, and the first one writes.
    """
    require_absent(output, overwrite=overwrite, inputs=[reference])
    environment = make_environment(config)
    params = environment.params(
        read_reference(reference, environment.case), held_out=False, count=STATES, seed=config.seed
    )
    algorithm, _ = ALGORITHMS[config.method]
    trained = train(
        environment,
        params,
        make_network(environment, params, config),
        algorithm,
        config.learner,
        seed=config.seed,
        checkpoint_dir=checkpoint_dir,
        seconds=seconds,
        devices=devices,
        progress=progress,
    )
    if is_first_process():
        write_policy(output, trained, config, overwrite=overwrite)
    return trained
