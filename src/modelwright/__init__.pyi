from typing import Any

from modelwright.client.client import Client as Client
from modelwright.client.pipeline import Pipeline as Pipeline

__version__: str

# Components, by the names of their classes.
def __getattr__(name: str) -> Any: ...
