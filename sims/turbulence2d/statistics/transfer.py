"""Inter-scale transfer: what a tendency does to the energy and the enstrophy of each mode.

For ∂ω̂/∂t = T̂ + …, with T the advection −u·∇ω of a DNS or the tendency Π of a closure,

    t_Z(ky, kx) = Re[ω̂* T̂] / N⁴           rate of change of the mode's enstrophy ½|ω̂|²/N⁴
    t_E(ky, kx) = Re[ω̂* T̂] / (|k|²N⁴)     rate of change of its energy

Positive values feed a mode: a dissipative closure is negative, backscatter positive (py2d's P_Z =
Re[conj(PiOmega_hat) omega_hat] has PiOmega = −Π and therefore the opposite sign). Spectra come from
`direction_spectra` and `shell_spectrum`; advection conserves both, so its transfers sum to zero.
"""

from .spectra import Array, inverse_square_wavenumber


def mode_enstrophy_transfer(vorticity_hat: Array, tendency_hat: Array) -> Array:
    """t_Z = Re[ω̂* T̂]/N⁴ of each mode; both arguments [..., ky, kx] unnormalised."""
    product = vorticity_hat.real * tendency_hat.real + vorticity_hat.imag * tendency_hat.imag
    return product * (1.0 / vorticity_hat.shape[-2] ** 4)


def mode_energy_transfer(vorticity_hat: Array, tendency_hat: Array) -> Array:
    """t_E = Re[ω̂* T̂]/(|k|²N⁴) of each mode; zero for the mean mode."""
    transfer = mode_enstrophy_transfer(vorticity_hat, tendency_hat)
    return transfer * inverse_square_wavenumber(vorticity_hat.shape[-2])
