"""Initial vorticity of episodes: filtered-DNS states of a reference file and their images under symmetries.

The forcing F = −k_f [cos(k_f x) + cos(k_f y)] is unchanged by translations of 2π/k_f along x and along y.
Without β the flow has two more symmetries: rotation by 90°, ω'(x, y) = ω(y, −x), and reflection, which turns
the sign of the pseudoscalar ω and so needs half a wave of the forcing: ω'(x, y) = −ω(−x + π/k_f, y + π/k_f).
Every image of an attractor state is an attractor state, so six stored states make hundreds.
"""

import numpy as np

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from ..sims.turbulence2d.cases import Case
from ..sims.turbulence2d.initial import resample
from ..sims.turbulence2d.statistics.spectra import velocity_hat
from ..sims.turbulence2d.subgrid_tendency import to_grid


def translate(vorticity: np.ndarray, along_x: float, along_y: float) -> np.ndarray:
    """ω(x + along_x, y + along_y), (..., N, N), of a field without Nyquist modes."""
    n = vorticity.shape[-1]
    phase = np.fft.fftfreq(n, 1.0 / n)[:, None] * along_y + np.arange(n // 2 + 1)[None, :] * along_x
    return np.fft.irfft2(np.fft.rfft2(vorticity) * np.exp(1j * phase), s=(n, n))


def rotate(vorticity: np.ndarray) -> np.ndarray:
    """ω'(x, y) = ω(y, −x), (..., N, N) as [j, i]."""
    mirrored = np.roll(vorticity[..., ::-1, :], 1, axis=-2)  # index 0 is its own mirror image
    return np.swapaxes(mirrored, -1, -2)


def reflect(vorticity: np.ndarray, forcing_wavenumber: int) -> np.ndarray:
    """ω'(x, y) = −ω(−x + π/k_f, y + π/k_f), (..., N, N)."""
    half_wave = np.pi / forcing_wavenumber
    shifted = translate(vorticity, half_wave, half_wave)
    return -np.roll(shifted[..., ::-1], 1, axis=-1)


def images(vorticity: np.ndarray, case: Case, count: int, seed: int) -> np.ndarray:
    """`count` random images of the states (S, N, N) in turn, (count, N, N): the first S plain, no two alike
    before all are used up."""
    rng = np.random.default_rng(seed)
    wave = 2.0 * np.pi / case.forcing_wavenumber
    symmetries = case.forcing_wavenumber**2 * (1 if case.beta else 8)
    used, found = set(), []
    for index in range(count):
        turn, state = divmod(index, len(vorticity))
        chosen = (0, 0, 0, 0) if turn == 0 else _symmetry(case, rng)
        while turn < symmetries and (state, *chosen) in used:
            chosen = _symmetry(case, rng)
        used.add((state, *chosen))
        turns, mirrored, *shift = chosen
        field = vorticity[state]
        for _ in range(turns):
            field = rotate(field)
        if mirrored:
            field = reflect(field, case.forcing_wavenumber)
        found.append(translate(field, *(wave * np.array(shift))) if any(shift) else field)
    return np.stack(found)


def _symmetry(case: Case, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """(quarter turns, 1 to mirror, wavelengths along x, along y) of a random symmetry of the flow."""
    turns, mirrored = (0, 0) if case.beta else (rng.integers(4), rng.integers(2))
    return int(turns), int(mirrored), *map(int, rng.integers(case.forcing_wavenumber, size=2))


def stored_states(reference: Reference, n: int) -> np.ndarray:
    """All states of a reference on N × N points, (S, N, N).

    InputError: N is above their grid, so that they lack the modes.
    """
    stored = reference["states/vorticity"]
    if n > stored.shape[-1]:
        raise InputError(
            f"The states of the reference have {stored.shape[-1]} points a side, too few for N = {n}; "
            "take a smaller N."
        )
    return resample(stored, n)


def initial_states(
    reference: Reference, case: Case, n: int, *, held_out: bool, count: int = 64, seed: int = 0
) -> np.ndarray:
    """`count` attractor states on N × N points, (count, N, N), from the training or the held-out states.

    InputError: there are none, or as `stored_states`.
    """
    chosen = stored_states(reference, n)[reference["states/held_out"].astype(bool) == held_out]
    if not len(chosen):
        kind = "held-out" if held_out else "training"
        raise InputError(f"The reference of {case.name} holds no {kind} states; make it with a longer run.")
    return images(chosen, case, count, seed)


def largest_speed(vorticity: np.ndarray) -> float:
    """max(|u| + |v|) over fields (S, N, N) of vorticity."""
    u, v = map(to_grid, velocity_hat(np.fft.rfft2(vorticity)))
    return float(np.max(np.abs(u) + np.abs(v)))
