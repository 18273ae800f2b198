"""Controls see nothing: held actions stay, random ones change when a policy would act, and differ by seed."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.envs.closure_env import KIND
from subgrid.envs.policy_closure import PolicyClosure
from subgrid.sims.closures import Flow, get_closure
from subgrid.sims.turbulence2d.jax_solver import make_operators
from subgrid.workflows.closure_evaluation.rows import control_rows, form_rows, open_loop_rows
from subgrid.workflows.closure_forms import SPARING, UNIFORM

pytestmark = pytest.mark.usefixtures("quick_compilation")

SEEDS = 2


@pytest.fixture
def rows(environment, params):
    held = {"low": np.full(environment.action_shape, -0.5), "high": np.full(environment.action_shape, 0.5)}
    return open_loop_rows(environment, params.target, held, "random", SEEDS)


def action(rows, simulation, steps):
    member = jax.tree.map(lambda leaf: leaf[simulation], rows.members)
    return np.asarray(rows.make_closure(member, jnp.asarray(steps)).act(None))


def test_held_actions_stay_and_are_uniform(rows, environment):
    assert rows.names == ("low", "high", "random")
    for simulation, value in ((0, -0.5), (SEEDS, 0.5)):
        found = np.stack([action(rows, simulation, steps) for steps in (0, 1000)])
        np.testing.assert_array_equal(found, np.full((2, *environment.action_shape), value))


def test_random_actions_last_as_long_as_those_of_a_policy(rows, environment):
    first = 2 * SEEDS
    assert environment.hold == 2
    np.testing.assert_array_equal(action(rows, first, 0), action(rows, first, 1))
    assert not np.allclose(action(rows, first, 0), action(rows, first, 2))
    assert not np.allclose(action(rows, first, 0), action(rows, first + 1, 0))


def test_every_policy_has_its_mean_action_as_a_control(environment, params):
    one = PolicyClosure(environment, params.target, jnp.tanh)
    other = replace(one, environment=replace(environment, agents=8))
    learned = {"one": one, "two": one, "fine": other, "bundle": jnp.tanh}
    means = {
        name: np.zeros(closure.environment.action_shape)
        for name, closure in learned.items()
        if name != "bundle"
    }
    names = [rows.names for rows in control_rows(environment, params.target, learned, means, SEEDS)]
    held = "{}: its mean action, held".format
    assert names == [(held("one"), held("two"), "random policy"), (held("fine"), "random policy 2")]


def test_without_a_policy_the_middle_of_the_bounds_is_the_control(environment, params):
    (rows,) = control_rows(environment, params.target, {}, {}, SEEDS)
    assert rows.names == ("constant policy, middle of the bounds", "random policy")


def test_constants_become_members_in_the_order_of_rows():
    rows = form_rows(UNIFORM, {"none": {}, "leith": {"leith": 0.2}}, SEEDS)
    np.testing.assert_allclose(rows.members.leith, [0.0, 0.0, 0.2**3, 0.2**3], rtol=1e-6)


def test_constants_of_a_form_are_those_of_its_closure(environment, params):
    rows = form_rows(SPARING, {"usual": {}, "mine": {"drain": 0.2, "steepness": 3.0}}, 1)
    flow = Flow.of(params.starts[0], make_operators(environment.grid, KIND))
    for index, given in enumerate(({}, {"drain": 0.2, "steepness": 3.0})):
        member = jax.tree.map(lambda leaf, index=index: leaf[index], rows.members)
        found = rows.make_closure(member, 0)(flow)
        expected = get_closure("vortex_sparing", **given)(flow)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * float(jnp.abs(expected).max()))
