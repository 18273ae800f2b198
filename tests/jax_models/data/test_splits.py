"""Splits by time: deterministic, no leak through neighbouring steps, official months by name."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.jax_models.data.splits import (
    Choice,
    absolute_seconds,
    held_out_steps,
    official_split,
    runs_of,
    times_of,
)


def steps(days, seconds):
    return 80200 + np.asarray(days), np.asarray(seconds)


def test_no_two_steps_less_than_a_day_apart_are_separated():
    rng = np.random.default_rng(0)
    ymd, tod = steps(rng.integers(1, 29, 40), rng.integers(0, 72, 40) * 1200)
    train, test = held_out_steps(ymd, tod, test=6, seed=3)
    assert test.size == 6
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(40))
    seconds = absolute_seconds(ymd, tod)
    assert np.abs(seconds[train][:, None] - seconds[test][None]).min() >= 86400


def test_the_split_is_the_same_every_time_and_another_with_another_seed():
    ymd, tod = steps(np.arange(1, 29), np.zeros(28, int))
    first, again, other = (held_out_steps(ymd, tod, test=7, seed=s)[1] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_impossible_numbers_are_refused():
    ymd, tod = steps([1, 1, 1], [0, 1200, 2400])
    with pytest.raises(InputError, match="without cutting a run"):
        held_out_steps(ymd, tod, test=1)
    with pytest.raises(InputError, match="between 1 and 2"):
        held_out_steps(ymd, tod, test=3)


def test_official_months():
    assert official_split("train").holds(1, 2)
    assert not official_split("train").holds(1, 1)
    assert official_split("train").holds(8, 1)
    assert official_split("val").holds(8, 2)
    assert official_split("scoring").stride == 6
    with pytest.raises(InputError, match="scoring"):
        official_split("dev")


def test_calendar_has_no_leap_day():
    assert absolute_seconds(np.array([80301]), [0]) - absolute_seconds(np.array([80228]), [0]) == 86400
    assert absolute_seconds(np.array([90101]), [0]) - absolute_seconds(np.array([81231]), [0]) == 86400


def test_runs_are_short_and_complete():
    regular = 100 + 8400 * np.arange(2000)
    assert runs_of(regular) == [[100, 8400, 2000]]
    rng = np.random.default_rng(0)
    broken = np.delete(regular, rng.choice(2000, 5, replace=False))
    assert len(runs_of(broken)) <= 11
    for times in (broken, rng.permutation(regular)[:50], regular[:1], regular[:0]):
        np.testing.assert_array_equal(times_of(runs_of(times)), np.sort(times))


def test_the_steps_of_a_split_have_dates():
    """Numbers of files of Yu et al. (2023): 26,280, 3,755 and 4,380."""
    for name, count, last in (("train", 26280, (80131, 78000)), ("val", 3755, (90131, 84000)),
                              ("scoring", 4380, (90131, 79200))):  # fmt: skip
        split = official_split(name)
        ymd, tod = split.stamps(count + 1)
        assert (ymd[count - 1], tod[count - 1]) == last
        assert ymd[0] == split.first[0] * 10000 + split.first[1] * 100 + 1
        inside = [split.holds(*divmod(int(date) // 100, 100)) for date in ymd]
        assert all(inside[:-1])
        assert not inside[-1]
    ymd, tod = official_split("train").stamps(500)
    seconds = absolute_seconds(ymd, tod)
    assert set(np.diff(seconds)) == {7 * 1200}
    assert official_split("train").stamps(1, start=123) == (ymd[123], tod[123])


def test_choices_by_month_and_stride():
    ymd = np.array([80131, 80131, 80201, 80202, 80203, 80301])
    assert Choice(months="0008-02").of(ymd).tolist() == [2, 3, 4]
    assert Choice(official_split("val")).of(ymd).tolist() == [2]
    assert Choice(official_split("val"), stride=2).of(ymd).tolist() == [2, 4]
    with pytest.raises(InputError, match="regular expression"):
        Choice(months="[").of(ymd)
