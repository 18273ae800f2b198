"""The learning curve of a closure that agents learned, as a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..contracts.errors import InputError
from ..contracts.files import writing

PANELS = {
    "reward": "mean reward an action",
    "blow_ups": "blow-ups",
    "exploration": "spread of the policy",
    "value_error": "error of the critic",
    "divergence": "divergence from the old policy",
    "entropy": "entropy",
    "trust": "β of ReF-ER",
    "far_share": "share of far steps",
}


def learning_curve(
    history: Sequence[Mapping[str, float]], output: Path, title: str, *, overwrite: bool = False
) -> None:
    """Every known number of `history` against the iteration, as a PNG at `output`.

    InputError: there was no iteration. FileError: it exists.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    if not history:
        raise InputError(f"{output}: a run without iterations has no learning curve; train longer.")
    names = [name for name in PANELS if name in history[0]]
    columns = (len(names) + 1) // 2
    figure, axes = plt.subplots(2, columns, figsize=(3 * columns, 5), layout="constrained", sharex=True)
    for axis in axes.flat[len(names) :]:
        axis.remove()
    for axis, name in zip(axes.flat, names, strict=False):
        axis.plot(range(1, len(history) + 1), [numbers[name] for numbers in history], lw=1)
        axis.set(title=PANELS[name], xlabel="iteration")
        axis.grid(alpha=0.3)
    axes.flat[names.index("value_error")].set_yscale("log")
    figure.suptitle(title)
    with writing(output, overwrite=overwrite) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
