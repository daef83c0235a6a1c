"""NumPy and Polars, loaded when a Table form first needs them: a replica that scores rows needs neither.

So a form may name them within a function, but not where its entry is written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["np", "pl"]

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
