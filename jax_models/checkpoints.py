"""Training runs that are saved and resumed by Orbax, refused where they belong to something else."""

from pathlib import Path
from typing import Any

import orbax.checkpoint as ocp

from ..contracts.errors import InputError


class Checkpoints:
    """Two verbs, `save` and `restore`; without a directory both do nothing.

    origin: name → what a run must share with the checkpoint that it continues. The number of devices is no
    part of it.
    """

    def __init__(self, directory: Path | None, origin: dict[str, Any]):
        self.origin = origin
        self.manager = directory and ocp.CheckpointManager(
            Path(directory).absolute(), options=ocp.CheckpointManagerOptions(max_to_keep=2)
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.manager:
            self.manager.close()

    def save(self, state: Any, history: list[dict[str, float]]) -> None:
        """Save a dataclass of arrays with a counter `step`, and the learning curve so far."""
        if self.manager:
            content = ocp.args.Composite(
                state=ocp.args.StandardSave(dict(vars(state))),
                # The save runs beside the training, which goes on to append: hence the copy.
                record=ocp.args.JsonSave({"origin": self.origin, "history": list(history)}),
            )
            self.manager.save(state.step, args=content)

    def restore(self, state: Any) -> tuple[Any, list[dict[str, float]]]:
        """The newest saved state, placed on devices as `state` is, and its curve; else `state` itself.

        Raises InputError if it belongs to another origin.
        """
        latest = self.manager.latest_step() if self.manager else None
        if latest is None:
            return state, []
        record = self.manager.restore(latest, args=ocp.args.Composite(record=ocp.args.JsonRestore())).record
        for name, expected in self.origin.items():
            found = record["origin"].get(name)
            if found != expected:
                raise InputError(
                    f"The checkpoint in {self.manager.directory} has {name} {found}, this run has "
                    f"{expected}; give another directory or the same {name}."
                )
        restored = self.manager.restore(
            latest, args=ocp.args.Composite(state=ocp.args.StandardRestore(dict(vars(state))))
        ).state
        return type(state)(**restored), record["history"]
