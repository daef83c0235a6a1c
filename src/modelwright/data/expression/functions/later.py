"""NumPy and Polars, loaded when a form first needs them: a replica that scores rows may need neither.

So a form may name them within a function, but not where its entry is written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["np", "pl", "quietly", "ufunc"]

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:

    class _Later:
        def __init__(self, module: str) -> None:
            self._module = module

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self._module), name)

    np = _Later("numpy")
    pl = _Later("polars")


@cache
def ufunc(name: str) -> Callable[..., Any]:
    """NumPy's function of that name."""
    found: Callable[..., Any] = getattr(np, name)
    return found


def quietly(name: str, *arguments: float) -> float:
    """What NumPy's function gives for single values, whatever it would warn of."""
    with np.errstate(all="ignore"):
        return float(ufunc(name)(*arguments))
