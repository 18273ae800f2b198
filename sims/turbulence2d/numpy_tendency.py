"""𝒩(ω̂) = Â + F̂ + Π̂ in NumPy: pruned transforms in place, work arrays that live as long as a step."""

from collections.abc import Callable

import numpy as np

from ..closures import Flow, Operators
from .cases import Case
from .grid import Grid, forcing_hat
from .numerics import Numerics


def to_grid(spectrum: np.ndarray) -> np.ndarray:
    """Field (N, N) of a spectrum (N, K+1)."""
    n = spectrum.shape[-2]
    return np.fft.irfft(np.fft.ifft(spectrum, axis=-2), n=n, axis=-1)


def make_operators(grid: Grid, kind: np.dtype) -> Operators:
    """Transforms and wavenumbers that a closure sees, in the real kind `kind`."""
    columns = grid.carried + 1

    def to_spectrum(field: np.ndarray) -> np.ndarray:
        return np.fft.fft(np.fft.rfft(field, axis=-1)[..., :columns], axis=-2)

    return Operators(
        xp=np,
        to_grid=to_grid,
        to_spectrum=to_spectrum,
        to_grids=lambda *spectra: tuple(map(to_grid, spectra)),
        to_spectra=lambda *fields: tuple(map(to_spectrum, fields)),
        kx=grid.kx.astype(kind),
        ky=grid.ky.astype(kind),
        k2=grid.k2.astype(kind),
        inverse_k2=grid.inverse_k2.astype(kind),
        mask=grid.mask.astype(kind),
        spacing=float(grid.spacing),
    )


class _Basdevant:
    """Â = (kx² − ky²) (uv)^ + kx ky (v² − u²)^ from û = i ky ω̂/k² and v̂ = −i kx ω̂/k²."""

    @staticmethod
    def inputs(grid: Grid) -> list[np.ndarray]:
        return [1j * grid.ky * grid.inverse_k2, -1j * grid.kx * grid.inverse_k2]

    @staticmethod
    def outputs(grid: Grid) -> list[np.ndarray]:
        return [(grid.kx**2 - grid.ky**2) * grid.mask, grid.kx * grid.ky * grid.mask]

    @staticmethod
    def multiply(fields: np.ndarray, products: np.ndarray, scratch: np.ndarray) -> None:
        u, v = fields
        np.multiply(u, v, out=products[0])
        np.add(v, u, out=scratch)
        np.subtract(v, u, out=products[1])
        products[1] *= scratch


class _SkewSymmetric:
    """Â of −½ [∇·(uω) + u·∇ω], which conserves enstrophy in spite of aliasing."""

    @staticmethod
    def inputs(grid: Grid) -> list[np.ndarray]:
        gradient = [grid.mask, 1j * grid.kx * grid.mask, 1j * grid.ky * grid.mask]
        return _Basdevant.inputs(grid) + gradient

    @staticmethod
    def outputs(grid: Grid) -> list[np.ndarray]:
        return [-0.5j * grid.kx * grid.mask, -0.5j * grid.ky * grid.mask, -0.5 * grid.mask]

    @staticmethod
    def multiply(fields: np.ndarray, products: np.ndarray, scratch: np.ndarray) -> None:
        u, v, omega, along_x, along_y = fields
        np.multiply(u, omega, out=products[0])
        np.multiply(v, omega, out=products[1])
        np.multiply(u, along_x, out=products[2])
        np.multiply(v, along_y, out=scratch)
        products[2] += scratch


ADVECTION = {"two_thirds": _Basdevant, "none": _SkewSymmetric}


class Tendency:
    """ω̂ → Â, F̂ and Π̂ of one grid; `closure` maps a Flow to Π̂, `kind` is the real kind of all arrays."""

    def __init__(
        self,
        case: Case,
        grid: Grid,
        numerics: Numerics,
        closure: Callable[[Flow], np.ndarray],
        kind: np.dtype,
    ):
        form = ADVECTION[numerics.dealiasing]
        complex_kind = np.result_type(kind, np.complex64)
        self.multiply, self.closure, self.operators = form.multiply, closure, make_operators(grid, kind)
        self.n, columns = grid.n, grid.carried + 1
        self.inputs = np.stack(form.inputs(grid)).astype(complex_kind)
        self.outputs = np.stack(form.outputs(grid)).astype(complex_kind)
        half = self.n // 2 + 1
        self.input_hat = np.zeros(
            (len(self.inputs), self.n, half), complex_kind
        )  # columns beyond K stay zero
        self.output_hat = np.empty((len(self.outputs), self.n, half), complex_kind)
        self.input_carried = self.input_hat[:, :, :columns]
        self.output_carried = self.output_hat[:, :, :columns]
        self.fields = np.empty((len(self.inputs), self.n, self.n), kind)
        self.products = np.empty((len(self.outputs), self.n, self.n), kind)
        self.scratch = np.empty((self.n, self.n), kind)
        forcing = forcing_hat(grid, case)
        self.forced = np.nonzero(forcing)
        self.forcing = forcing[self.forced].astype(kind)

    def advection(self, vorticity_hat: np.ndarray, out: np.ndarray) -> Flow:
        """Write Â into `out` and return the flow, whose arrays are valid until the next call."""
        np.multiply(self.inputs, vorticity_hat, out=self.input_carried)
        np.fft.ifft(self.input_carried, axis=1, out=self.input_carried)
        np.fft.irfft(self.input_hat, n=self.n, axis=2, out=self.fields)
        self.multiply(self.fields, self.products, self.scratch)
        np.fft.rfft(self.products, axis=2, out=self.output_hat)
        np.fft.fft(self.output_carried, axis=1, out=self.output_carried)
        np.multiply(self.output_carried, self.outputs, out=self.output_carried)
        np.add.reduce(self.output_carried, axis=0, out=out)
        return Flow(vorticity_hat, self.fields[0], self.fields[1], self.operators)

    def add_sources(self, flow: Flow, out: np.ndarray) -> None:
        """Add F̂ + Π̂ to `out`."""
        out[self.forced] += self.forcing
        out += self.closure(flow)

    def __call__(self, vorticity_hat: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write 𝒩 = Â + F̂ + Π̂ into `out` and return it."""
        self.add_sources(self.advection(vorticity_hat, out), out)
        return out
