"""Features derived from the raw state; the same code for NumPy and JAX arrays.

    RH = q Rv p / (Rd esat(T)),   esat = w eliq + (1−w) eice,   w = clip((T − 253.16)/20, 0, 1)

eliq and eice are Flatau et al. (1992) polynomials with the clips of the ClimSim code; w is also the liquid
fraction of cloud condensate in the one-moment microphysics behind the data.

In powers of T − 273.16 K the terms of eice at 185 K are 10⁵ times their sum: in float32 a third of RH would
be round-off, another on each device. Below EXPANDED_BELOW the same polynomial is in powers of T − 207.16 K.
"""

from ...contracts.variables import GAS_DRY, GAS_VAPOUR

FREEZING, ALL_ICE, MIXED_RANGE = 273.16, 253.16, 20.0  # K
LIQUID = (
    -0.976195544e-15, -0.952447341e-13, 0.640689451e-10, 0.206739458e-7, 0.302950461e-5,
    0.264847430e-3, 0.142986287e-1, 0.443987641, 6.11239921,
)  # fmt: skip
ICE = (
    0.252751365e-14, 0.146898966e-11, 0.385852041e-9, 0.602588177e-7, 0.615021634e-5,
    0.420895665e-3, 0.188439774e-1, 0.503160820, 6.11147274,
)  # fmt: skip
COLD_ICE = (7.48215e-07, 0.000151069, 0.00763685)


def _polynomial(coefficients, x):
    value = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return value


def recentred(coefficients, shift):
    """Coefficients, highest power first, of the same polynomial in powers of x − shift (Taylor)."""
    shifted = list(coefficients)
    for last in range(len(shifted) - 1, 0, -1):
        for power in range(1, last + 1):
            shifted[power] += shift * shifted[power - 1]
    return shifted


EXPANDED_BELOW, COLD_CENTRE = 229.16, 207.16  # K
ICE_WHERE_COLD = recentred(ICE, COLD_CENTRE - FREEZING)


def liquid_fraction(temperature):
    """Liquid fraction of cloud condensate [1] at `temperature` [K]."""
    xp = temperature.__array_namespace__()
    return xp.clip((temperature - ALL_ICE) / MIXED_RANGE, 0.0, 1.0)


def saturation_liquid(temperature):
    """Saturation vapour pressure over liquid [Pa] at `temperature` [K]."""
    xp = temperature.__array_namespace__()
    return 100.0 * _polynomial(
        LIQUID, xp.maximum(temperature - FREEZING, xp.asarray(-80.0, dtype=temperature.dtype))
    )


def saturation_ice(temperature):
    """Saturation vapour pressure over ice [Pa] at `temperature` [K]; liquid above 273.15 K."""
    xp = temperature.__array_namespace__()
    celsius = temperature - FREEZING
    cold = 100.0 * _polynomial(COLD_ICE, xp.maximum(celsius, xp.asarray(-100.0, dtype=temperature.dtype)))
    chilled = 100.0 * _polynomial(ICE_WHERE_COLD, temperature - COLD_CENTRE)
    ice = xp.where(temperature > EXPANDED_BELOW, 100.0 * _polynomial(ICE, celsius), chilled)
    ice = xp.where(temperature > 185.0, ice, cold)
    return xp.where(temperature > 273.15, saturation_liquid(temperature), ice)


def relative_humidity(temperature, vapour, pressure):
    """RH [1] from T [K], q [kg/kg] and p [Pa], all of one shape."""
    weight = liquid_fraction(temperature)
    saturation = weight * saturation_liquid(temperature) + (1 - weight) * saturation_ice(temperature)
    return vapour * (GAS_VAPOUR / GAS_DRY) * pressure / saturation
