"""Modelwright: draw a machine-learning pipeline, run it, and serve it as an endpoint."""

__version__ = "0.1.0"

# By name, so that whoever imports a part of the package loads nothing else; see __init__.pyi.
_DOORS = {
    "Client": "modelwright.client.client",
    "Pipeline": "modelwright.client.pipeline",
}

__all__ = ["Client", "Pipeline", "__version__"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _DOORS:
        return getattr(import_module(_DOORS[name]), name)
    # A component by the name of its class, such as SplitData.
    if name[:1].isupper():
        for component in import_module("modelwright.components.library").library():
            if component.__name__ == name:
                return component
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
