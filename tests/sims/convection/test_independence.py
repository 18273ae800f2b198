"""A column's answer depends on that column alone, bit for bit, and is the same from NumPy and from JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.columns import STATE, STATE_PROFILES
from subgrid.sims.convection import jax_call
from subgrid.sims.convection.mskf import convect


def same(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module", params=["clean", "match"])
def answered(request, columns):
    return request.param, convect(columns, mode=request.param, threads=1)


def test_order_of_columns(columns, answered):
    mode, answer = answered
    order = np.random.default_rng(0).permutation(columns["t"].shape[0])
    shuffled = convect({name: values[order] for name, values in columns.items()}, mode=mode, threads=1)
    assert same(shuffled, {name: values[order] for name, values in answer.items()})


def test_thread_count(columns, answered):
    mode, answer = answered
    for threads in (2, 3, 8):
        assert same(convect(columns, mode=mode, threads=threads), answer)


def test_tiles_and_spare_levels(columns, answered):
    mode, answer = answered
    for part in (slice(0, 1), slice(5, 42), slice(1990, 2000)):
        tile = {name: values[part] for name, values in columns.items()}
        assert same(convect(tile, mode=mode, threads=1), {k: v[part] for k, v in answer.items()})
    padded = {
        name: np.pad(values, ((0, 0), (0, 7)), constant_values=np.nan) if values.ndim == 2 else values
        for name, values in columns.items()
    }
    wider = convect(padded, mode=mode, threads=1)
    levels = columns["t"].shape[1]
    assert same({k: v[:, :levels] if v.ndim == 2 else v for k, v in wider.items()}, answer)


def test_held_columns_keep_what_they_bring(columns):
    few = {name: values[:200].copy() for name, values in columns.items()}
    levels = few["t"].shape[1]
    rng = np.random.default_rng(2)
    for variable in STATE:
        if variable.name != "w0avg":
            few[variable.name] = rng.normal(size=(200, levels) if variable in STATE_PROFILES else 200)
    held = np.arange(200) % 3 == 0
    few["nca"] = np.where(held, 10 * few["dt"], -100.0)
    given = {name: values.copy() for name, values in few.items()}
    answer = convect(few, threads=2)
    assert same(few, given)
    assert np.array_equal(answer["exit_code"] == 0, held)
    used = np.arange(levels) < few["nlev"][:, None]
    for variable in STATE:
        if variable.name != "w0avg":
            brought = (
                np.where(used, few[variable.name], 0) if variable in STATE_PROFILES else few[variable.name]
            )
            assert np.array_equal(answer[variable.name][held], brought[held]), variable.name
    overwritten = {variable.name for variable in STATE} - {"w0avg"}
    rest = convect({name: values for name, values in few.items() if name not in overwritten}, threads=2)
    assert same({k: v[~held] for k, v in rest.items()}, {k: v[~held] for k, v in answer.items()})


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_jitted_jax_gives_the_same_bits(columns, kind):
    few = {name: values[:300] for name, values in columns.items()}
    with jax.enable_x64(True):
        operands = {
            name: jnp.asarray(values, kind if values.dtype.kind == "f" else jnp.int32)
            for name, values in few.items()
        }
        whole = jax.jit(jax_call.convect)(operands)
        by_column = jax.vmap(jax_call.convect)(operands)
        twice = jax.lax.map(jax_call.convect, {name: jnp.stack([v, v]) for name, v in operands.items()})
    expected = convect(few, precision="double" if kind == "float64" else "single")
    assert same(expected, {name: np.asarray(values) for name, values in whole.items()})
    assert same(expected, {name: np.asarray(values) for name, values in by_column.items()})
    assert same(expected, {name: np.asarray(values[1]) for name, values in twice.items()})


def test_scan_carries_the_state(columns):
    few = {name: values[:50] for name, values in columns.items()}
    with jax.enable_x64(True):
        inputs = {
            k: jnp.asarray(v, jnp.float64 if v.dtype.kind == "f" else jnp.int32) for k, v in few.items()
        }

        def step(state, _):
            answer = jax_call.convect(inputs | state)
            state = {name: answer[name] for name in state}
            return state, answer["exit_code"]

        first = jax_call.convect(inputs)
        state = {name: first[name] for name in first if name not in ("exit_code", "status")}
        _, codes = jax.lax.scan(step, state, length=3)
    held = np.asarray(first["nca"]) >= 0.5 * few["dt"]
    assert held.any()
    assert np.all(np.asarray(codes)[0][held] == 0)
