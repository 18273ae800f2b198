"""What the numbers of a learner may be, before anything is trained with them."""

import dataclasses
import math

from ...contracts.errors import InputError

SHARES = ("discount", "trace", "shared_noise", "far_tolerated", "trust")
"""Numbers between 0 and 1."""


def require_ranges(config) -> None:
    """Raise InputError unless counts are at least 1, shares within 0 to 1, the rest finite and >= 0."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.type is int:
            good, expected = value >= 1, "at least 1"
        elif field.name in SHARES:
            good, expected = 0 <= value <= 1, "a number from 0 to 1"
        else:
            good, expected = math.isfinite(value) and value >= 0, "a number that is not negative"
        if not good:
            raise InputError(f"The learner's {field.name} is {value}, expected {expected}.")
