"""`subgrid train closure --method supervised`: regression of the subgrid tendency on filtered DNS."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.bundle import Field
from ..contracts.errors import InputError
from ..contracts.files import require_absent
from ..contracts.reference import read_reference
from ..jax_models.export import export_bundle
from ..jax_models.networks.subgrid_flux import FluxConfig, SubgridFlux
from ..jax_models.training import TrainingConfig, fit
from ..sims.turbulence2d.filtering import carried_mask
from ..sims.turbulence2d.gradient_model import gradient_model
from .closure_pairs import Pairs, load_pairs
from .progress import Progress, silent

BATCH = 4


@dataclass(frozen=True)
class ClosureTraining:
    """A supervised closure for the LES of one grid (all dimensionless).

    Attributes:
        grid, dealiasing: of the LES that will run the closure.
        filter_width: Δ_f of the Gaussian in grid spacings of the pairs; None for the width of the pairs.
        hidden: layers of the network.
        backscatter_share: see `FluxConfig`.
        steps, learning_rate, seed: of the optimizer.
    """

    grid: int = 96
    dealiasing: str = "two_thirds"
    filter_width: float | None = None
    hidden: tuple[int, ...] = (16, 16)
    backscatter_share: float = 0.5
    steps: int = 1000
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self):
        if not 0 <= self.backscatter_share <= 1:
            raise InputError(f"--backscatter: found {self.backscatter_share}, expected a share from 0 to 1.")


def train_closure(
    reference: Path,
    output: Path,
    training: ClosureTraining,
    *,
    overwrite: bool = False,
    checkpoint_dir: Path | None = None,
    progress: Progress = silent,
) -> dict[str, float]:
    """Train, export to the bundle `output`, and return the a-priori scores on the held-out pairs.

    The scores are pattern correlations with the exact tendency: `gm2`, `gm4` (gradient models: the data check
    and the baselines), `network` (what was fitted), `closure` (with the backscatter limiter, as the LES runs
    it), and `transfer_…`, enstrophy transfers relative to the exact one.
    """
    require_absent(output, overwrite=overwrite, inputs=[reference])
    pairs = load_pairs(
        read_reference(reference),
        grid=training.grid,
        dealiasing=training.dealiasing,
        filter_width=training.filter_width,
    )
    config = FluxConfig(pairs.width, training.hidden, training.backscatter_share)
    model = SubgridFlux(config, rngs=nnx.Rngs(training.seed))
    result = fit(
        model,
        partial(relative_error, carried=pairs.carried),
        _sampler(*pairs.subset(held_out=False), training.seed),
        pairs.subset(held_out=True),
        TrainingConfig(
            steps=training.steps, learning_rate=training.learning_rate, ema_decay=0.98, validate_every=50
        ),
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )
    scores = a_priori_scores(result.model, pairs)
    _export(output, result.model, pairs, training, scores, reference=reference, overwrite=overwrite)
    return scores


def _sampler(vorticity: np.ndarray, tendency: np.ndarray, seed: int) -> Callable:
    """Batches of pairs as a function of the step."""

    def batch_at(step: int):
        chosen = np.random.default_rng((seed, step)).integers(0, len(vorticity), BATCH)
        return vorticity[chosen], tendency[chosen]

    return batch_at


def carried_part(field: jax.Array, carried: int) -> jax.Array:
    """The modes |kx|, |ky| ≤ `carried` of a field (…, n, n): what a solver keeps of a tendency."""
    n = field.shape[-1]
    mask = carried_mask(n, carried).astype(field.dtype)[None]
    return jnp.fft.irfft2(jnp.fft.rfft2(field) * mask, s=(n, n))


def relative_error(model: SubgridFlux, batch, carried: int) -> jax.Array:
    """⟨(Π_model − Π)²⟩ / ⟨Π²⟩ on the carried modes: 1 − R², the loss."""
    vorticity, tendency = batch
    found = carried_part(model.unlimited(vorticity), carried)
    return jnp.mean((found - tendency) ** 2) / jnp.mean(tendency**2)


def a_priori_scores(model: SubgridFlux, pairs: Pairs) -> dict[str, float]:
    """Correlations and relative enstrophy transfers on the held-out pairs."""
    vorticity, exact = pairs.subset(held_out=True)
    n, hat = vorticity.shape[-1], np.fft.rfft2(vorticity.astype(np.float64))
    found = {
        f"gm{order}": np.fft.irfft2(
            gradient_model(hat, pairs.width, order=order, highest=pairs.carried), s=(n, n)
        )
        for order in (2, 4)
    }
    found["network"] = carried_part(model.unlimited(jnp.asarray(vorticity)), pairs.carried)
    found["closure"] = carried_part(model(jnp.asarray(vorticity)), pairs.carried)
    scores = {}
    for name, tendency in found.items():
        tendency = np.asarray(tendency, np.float64)
        scores[name] = float(np.corrcoef(tendency.ravel(), exact.ravel())[0, 1])
        scores[f"transfer_{name}"] = float((vorticity * tendency).sum() / (vorticity * exact).sum())
    return scores


def _export(output, model, pairs: Pairs, training: ClosureTraining, scores, *, reference, overwrite) -> None:
    graphdef, params, rest = nnx.split(model, nnx.Param, ...)
    shape = (training.grid, training.grid)
    held_out = pairs.subset(held_out=True)[0]
    # A check needs two different entries, and a reference may hold out a single pair.
    checked = held_out if len(held_out) > 1 else pairs.vorticity
    peak = float(np.abs(pairs.vorticity).max())
    record = asdict(training) | {"reference": Path(reference).name, "width": pairs.width, "a_priori": scores}
    export_bundle(
        output,
        lambda params, vorticity: nnx.merge(graphdef, params, rest)(vorticity),
        params,
        inputs=[Field("vorticity", "float32", shape, "1", "resolved vorticity", -peak, peak)],
        outputs=[Field("tendency", "float32", shape, "1", "subgrid tendency of vorticity")],
        batch_sizes=(1,),
        check_inputs=[checked],
        name=output.stem,
        description="supervised closure of 2-D turbulence: learned coefficients of a subgrid flux",
        config=json.dumps(record),
        overwrite=overwrite,
    )


def score_lines(scores: dict[str, float]) -> list[str]:
    """The a-priori table: how well each model correlates with the exact tendency, and what it dissipates."""
    labels = {
        "gm2": "gradient model GM2 (data check and baseline)",
        "gm4": "gradient model GM4",
        "network": "network",
        "closure": "network with limited backscatter, as exported",
    }
    heading = f"{'a-priori, held-out pairs':<48} correlation  enstrophy transfer / exact"
    return [
        heading,
        *(
            f"{text:<48} {scores[key]:11.4f}  {scores[f'transfer_{key}']:26.3f}"
            for key, text in labels.items()
        ),
    ]
