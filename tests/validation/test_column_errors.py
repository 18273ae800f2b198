"""Errors of columns relative to the reference's profile."""

import numpy as np

from subgrid.validation.column_errors import profile_errors


def test_relative_to_the_largest_value_of_the_levels_in_use():
    theirs = np.array([[1.0, -4.0, 9e36], [2.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    ours = np.array([[1.5, -4.0, -9e36], [2.0, 1.0, 1.5], [0.0, 0.0, 0.0], [0.0, 1e-30, 5.0]])
    found = profile_errors(ours, theirs, np.array([2, 3, 3, 2]))
    np.testing.assert_array_equal(found, [0.125, 0.25, 0.0, np.inf])


def test_one_value_a_column():
    found = profile_errors(np.array([1.0, 3.0], np.float32), np.array([2.0, 3.0]), np.ones(2))
    np.testing.assert_array_equal(found, [0.5, 0.0])


def test_what_is_not_a_number_is_not_near():
    assert np.isnan(profile_errors(np.array([[np.nan, 1.0]]), np.ones((1, 2)), np.array([2])))[0]
