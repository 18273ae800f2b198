"""A policy as a whole closure that any host can run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ...contracts.bundle import Field
from ...contracts.files import require_absent
from ...contracts.reference import read_reference
from ...envs.policy_closure import tendency
from ...jax_models.export import export_bundle
from ...sims.turbulence2d.cases import get_case
from ...sims.turbulence2d.transforms import fft_only
from .config import make_environment
from .policy_file import read_config, read_policy


@fft_only()
def export_policy(policy_file: Path, reference: Path, output: Path, *, overwrite: bool = False) -> None:
    """Write the whole closure, ω (n, n) → Π (n, n) in float32, as a bundle for `subgrid run les`.

    The program holds the policy, the interpolation and the eddy viscosity; the host must run without
    dealiasing, as the training did.
    """
    require_absent(output, overwrite=overwrite)
    config = read_config(policy_file)
    stored = read_reference(reference, get_case(config.case))
    params = make_environment(config).params(stored, held_out=True, count=2)
    policy = read_policy(policy_file, params)
    environment, shape = policy.environment, (config.grid, config.grid)
    graphdef, weights, fixed = nnx.split(policy.network, nnx.Param, ...)
    fields = np.fft.irfft2(
        np.pad(np.asarray(params.starts), ((0, 0), (0, 0), (0, shape[0] // 2 + 1 - params.starts.shape[-1])))
    ).astype(np.float32)

    def closure(weights, vorticity):
        network = nnx.merge(graphdef, weights, fixed)

        def act(observation):
            return jnp.tanh(network.policy(observation)[0])

        return jax.vmap(lambda omega: tendency(environment, params.target, act, omega))(vorticity)

    limit = environment.limit * float(params.target.sigma_reference)
    export_bundle(
        output,
        closure,
        weights,
        inputs=[Field("vorticity", "float32", shape, "1", "resolved vorticity", -limit, limit)],
        outputs=[Field("tendency", "float32", shape, "1", "subgrid tendency of vorticity")],
        batch_sizes=(1,),
        check_inputs=[fields],
        name=output.stem,
        description=(
            f"closure of {config.case} on {config.grid} points without dealiasing, learned by "
            f"{'x'.join(map(str, environment.lattice.shape))} agents"
        ),
        config=json.dumps(
            asdict(config) | {"reference": Path(reference).name, "training": _origin(policy.record)}
        ),
        overwrite=overwrite,
    )


def _origin(record: dict[str, Any]) -> dict[str, Any]:
    """What a policy file says of its training: all but the configuration and the learning curve."""
    return {name: value for name, value in record.items() if name not in ("config", "history")}
