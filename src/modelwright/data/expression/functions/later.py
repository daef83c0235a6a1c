"""NumPy and Polars, loaded when a Table form first needs them: a replica that scores rows needs neither."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["np", "pl"]

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:

    class _Later:
        """Stands for a module; until that is loaded, its functions are ones that load it."""

        def __init__(self, module: str) -> None:
            self._module = module

        def __getattr__(self, name: str) -> Any:
            loaded = sys.modules.get(self._module)
            if loaded is not None:
                return getattr(loaded, name)

            def function(*arguments: Any, **options: Any) -> Any:
                return getattr(import_module(self._module), name)(*arguments, **options)

            return function

    np = _Later("numpy")
    pl = _Later("polars")
