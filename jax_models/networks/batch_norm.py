"""Batch normalisation over (batch, levels) per channel, its running statistics kept as nnx.BatchStat.

Training (a `key` is given to the network) uses the statistics of the batch and moves the running ones;
anything else uses the running ones. Under a sharded batch the statistics are those of the whole batch.
"""

from flax import nnx


class BatchNorm(nnx.Module):
    """(batch, levels, channels) to the same shape and type.

    keep: share of the running statistics that stays at each step.
    """

    def __init__(self, channels: int, *, keep: float, rngs: nnx.Rngs):
        self.inner = nnx.BatchNorm(channels, momentum=keep, epsilon=1e-5, rngs=rngs)

    def __call__(self, x, *, training: bool):
        # The statistics are float32 and would promote a bfloat16 network to float32.
        return self.inner(x, use_running_average=not training).astype(x.dtype)
