"""Accumulation over time in bounded memory: block means of samples, and a reservoir of well separated
snapshots.

Both halve their resolution when they are full, so a run of any length costs the same memory, and what they
hold depends only on the sequence of samples: a run that was interrupted and resumed holds the same bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ....contracts.errors import InputError

Sample = Mapping[str, np.ndarray]


def _require_even(capacity: int) -> None:
    if capacity < 2 or capacity % 2:
        raise InputError(f"the capacity must be even and at least 2, found {capacity}")


def _added(left: Sample, right: Sample) -> dict[str, np.ndarray]:
    return {name: left[name] + right[name] for name in left}


@dataclass
class BlockMeans:
    """Sums of samples over consecutive blocks of equal length; at most `capacity` blocks, then pairs are
    joined.

    samples_per_block: samples in each complete block.
    blocks: sums of each block, name → array of the sample's shape.
    partial: sums of the block begun, and `partial_count` how many samples it holds.
    """

    capacity: int = 64
    samples_per_block: int = 1
    blocks: list[dict[str, np.ndarray]] = field(default_factory=list)
    partial: dict[str, np.ndarray] | None = None
    partial_count: int = 0

    def __post_init__(self):
        _require_even(self.capacity)

    @property
    def count(self) -> int:
        """Number of samples added."""
        return len(self.blocks) * self.samples_per_block + self.partial_count

    def add(self, sample: Sample) -> None:
        """Add one sample, name → array; every sample has the names and shapes of the first."""
        taken = {name: np.asarray(value, dtype=float) for name, value in sample.items()}
        first = self.partial or (self.blocks[0] if self.blocks else taken)
        if first.keys() != taken.keys():
            raise InputError(f"A sample must hold {sorted(first)} like the first one, found {sorted(taken)}.")
        self.partial = taken if self.partial is None else _added(self.partial, taken)
        self.partial_count += 1
        if self.partial_count == self.samples_per_block:
            self.blocks.append(self.partial)
            self.partial, self.partial_count = None, 0
        if len(self.blocks) == self.capacity:
            self.blocks = [_added(a, b) for a, b in zip(self.blocks[::2], self.blocks[1::2], strict=True)]
            self.samples_per_block *= 2

    def mean(self, name: str) -> np.ndarray:
        """Mean of all samples of `name`, shaped like the sample."""
        sums = [block[name] for block in self.blocks]
        if self.partial is not None:
            sums.append(self.partial[name])
        if not sums:
            raise InputError("there is no mean of no samples: run longer than the sampling interval")
        return np.sum(sums, axis=0) / self.count

    def block_means(self, name: str) -> np.ndarray:
        """Means of the complete blocks of `name`, [block, ...]; the block begun is left out."""
        return np.stack([block[name] for block in self.blocks]) / self.samples_per_block

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint; `from_arrays` restores the same bits."""
        arrays = {"layout": np.array([self.capacity, self.samples_per_block, self.partial_count])}
        for name in self.blocks[0] if self.blocks else ():
            arrays[f"blocks.{name}"] = np.stack([block[name] for block in self.blocks])
        for name in self.partial or ():
            arrays[f"partial.{name}"] = self.partial[name]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Sample) -> "BlockMeans":
        """The accumulator that `to_arrays` wrote."""
        capacity, samples_per_block, partial_count = (int(value) for value in arrays["layout"])
        names = [name.removeprefix("blocks.") for name in arrays if name.startswith("blocks.")]
        length = len(arrays[f"blocks.{names[0]}"]) if names else 0
        blocks = [{name: np.array(arrays[f"blocks.{name}"][i]) for name in names} for i in range(length)]
        partial = {
            name.removeprefix("partial."): np.array(value)
            for name, value in arrays.items()
            if name.startswith("partial.")
        }
        return cls(capacity, samples_per_block, blocks, partial or None, partial_count)


@dataclass
class SnapshotReservoir:
    """Every `stride`-th of the snapshots offered, at most `capacity`; when it is full the stride doubles.

    offered: snapshots offered so far.
    kept: name → array, one entry per snapshot, evenly spaced from the first.
    """

    capacity: int = 64
    stride: int = 1
    offered: int = 0
    kept: list[dict[str, np.ndarray]] = field(default_factory=list)

    def __post_init__(self):
        _require_even(self.capacity)

    @property
    def wants_next(self) -> bool:
        """Whether the next snapshot offered will be kept (so that nobody computes one in vain)."""
        return self.offered % self.stride == 0

    def offer(self, snapshot: Sample | None) -> None:
        """Offer the next snapshot; it may be None where `wants_next` is False."""
        if self.wants_next:
            self.kept.append({name: np.asarray(value) for name, value in snapshot.items()})
        self.offered += 1
        if len(self.kept) == self.capacity:
            self.kept = self.kept[::2]
            self.stride *= 2

    def evenly(self, count: int) -> list[dict[str, np.ndarray]]:
        """At most `count` of the kept snapshots, evenly spread from the first to the last."""
        picked = np.unique(np.linspace(0, len(self.kept) - 1, min(count, len(self.kept))).round().astype(int))
        return [self.kept[i] for i in picked]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint; `from_arrays` restores the same bits."""
        arrays = {"layout": np.array([self.capacity, self.stride, self.offered])}
        for name in self.kept[0] if self.kept else ():
            arrays[f"kept.{name}"] = np.stack([snapshot[name] for snapshot in self.kept])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Sample) -> "SnapshotReservoir":
        """The reservoir that `to_arrays` wrote."""
        capacity, stride, offered = (int(value) for value in arrays["layout"])
        names = [name.removeprefix("kept.") for name in arrays if name.startswith("kept.")]
        length = len(arrays[f"kept.{names[0]}"]) if names else 0
        kept = [{name: np.array(arrays[f"kept.{name}"][i]) for name in names} for i in range(length)]
        return cls(capacity, stride, offered, kept)
