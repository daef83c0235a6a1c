"""The cumulative distribution function of the standard normal law, alike to the bit in both forms.

Both carry out the same steps, of which every one but the exponential is rounded as IEEE 754 says; the
exponential is that of NumPy in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.data.expression.functions.later import np, ufunc

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector

# exp(a * a / 2) * (a + 5) * (1 - cdf(a)) for a >= 0, in powers of (a - 5) / (a + 5): the Chebyshev series
# of that, cut where it no longer changes a double.  The idea is that of Shepherd & Laframboise 1981.
_SERIES = (
    0.769193049750063,
    -0.665382502890057,
    0.4953056159699805,
    -0.3135331566712814,
    0.16502036617019517,
    -0.06911863870707162,
    0.02079506680323404,
    -0.002993376758978478,
    -0.0007978694277475297,
    0.0005448989683735629,
    -5.937558833377767e-05,
    -4.9762327924579515e-05,
    1.6680852719925394e-05,
    3.979361513829216e-06,
    -2.7688787836720915e-06,
    -3.335427141231054e-07,
    4.3347664285137567e-07,
    3.8571448567257587e-08,
    -6.741689051823604e-08,
    -6.940847374044867e-09,
    9.275082241537343e-09,
    1.2713759260278231e-09,
    -7.854458583247658e-10,
    -1.331210743010702e-10,
)
_CENTRE = 5.0
# Beyond that no double is left of what lies above.
_FAR = 40.0
# Cuts a double into two halves whose squares are exact (Veltkamp).
_HALVES = 134_217_729.0


def normal_cdf(z: float) -> float:
    """Probability that a standard normal value is below z, to about 1e-15 of itself."""
    a = abs(z)
    if a > _FAR:
        a = _FAR
    share = 1.0 / (a + _CENTRE)
    t = (a - _CENTRE) * share
    above = _SERIES[-1]
    for term in _SERIES[-2::-1]:
        above = above * t + term
    above = above * share
    # An error in the exponent would be one of the result, 700 times as large; so its rest is added apart.
    cut = a * _HALVES
    half = cut - (cut - a)
    rest = (a - half) * (a + half) * 0.5
    exponential: float = ufunc("exp")(half * half * -0.5).item()
    above = above * exponential * (1.0 - (1.0 - rest * 0.5) * rest)
    return 1.0 - above if z >= 0.0 else above


def normal_cdfs(z: Vector) -> Vector:
    """The same over an array."""
    a = np.abs(z)
    np.minimum(a, _FAR, out=a)
    share = a + _CENTRE
    np.divide(1.0, share, out=share)
    t = a - _CENTRE
    t *= share
    above = np.full_like(t, _SERIES[-1])
    for term in _SERIES[-2::-1]:
        above *= t
        above += term
    above *= share
    cut, half = np.multiply(a, _HALVES, out=t), share
    np.subtract(cut, a, out=half)
    np.subtract(cut, half, out=half)
    rest = np.subtract(a, half, out=t)
    a += half
    rest *= a
    rest *= 0.5
    half *= half
    half *= -0.5
    above *= np.exp(half, out=half)
    np.multiply(rest, 0.5, out=a)
    np.subtract(1.0, a, out=a)
    a *= rest
    np.subtract(1.0, a, out=a)
    above *= a
    np.subtract(1.0, above, out=above, where=z >= 0.0)
    return above
