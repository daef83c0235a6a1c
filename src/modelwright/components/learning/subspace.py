"""Principal components by random projection."""

from __future__ import annotations

import numpy as np

from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Floats

ROUNDS = 1


def principal_components(
    design: Design, means: Floats, *, count: int, oversampling: int, seed: int
) -> Floats:
    """(count, width) orthonormal directions in which the rows, less the means, spread most.

    oversampling: how many random directions more than wanted are tried; more come closer to the
    exact components.
    Source: Halko, Martinsson & Tropp 2011, with one round of power iteration.
    """
    chance = np.random.default_rng(seed)
    tried = min(count + oversampling, design.width)
    basis = np.linalg.qr(chance.normal(size=(design.width, tried)))[0]
    for _ in range(ROUNDS):
        basis = np.linalg.qr(_covariance_times(design, means, basis))[0]
    small = basis.T @ _covariance_times(design, means, basis)
    _, vectors = np.linalg.eigh((small + small.T) / 2)
    components: Floats = (basis @ vectors[:, ::-1][:, :count]).T
    # A direction and its opposite are the same component; one of them is chosen for good.
    signs = np.sign(components[np.arange(count), np.abs(components).argmax(axis=1)])
    turned: Floats = components * signs[:, None]
    return turned


def _covariance_times(design: Design, means: Floats, basis: Floats) -> Floats:
    """The rows' products with themselves, less the means, times some directions."""
    projected = design.times(basis) - means @ basis
    product: Floats = design.transposed_times(projected) - np.outer(means, projected.sum(axis=0))
    return product
