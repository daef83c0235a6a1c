"""What may be a name, and how names are searched."""

from __future__ import annotations

import re
import unicodedata

from modelwright.serve.names import ENDPOINT_NAME, ENDPOINT_NAME_RULE
from modelwright.workspace.errors import InvalidName

LONGEST_NAME = 200
_CLUSTER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,23}")


def checked_name(name: str, kind: str) -> str:
    """The name without blanks around it.  Raises InvalidName when nothing or nonsense is left."""
    name = name.strip()
    # Control characters, lone surrogates and line separators: what no one can type again.
    if not 1 <= len(name) <= LONGEST_NAME or any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name
    ):
        raise InvalidName(
            kind, name, f"1 to {LONGEST_NAME} characters without line breaks or control characters"
        )
    return name


def checked_endpoint_name(name: str) -> str:
    """The name, fit for an address.  Raises InvalidName otherwise."""
    if not ENDPOINT_NAME.fullmatch(name):
        raise InvalidName("endpoint", name, ENDPOINT_NAME_RULE)
    return name


def checked_cluster_name(name: str) -> str:
    """The name of an inference cluster.  Raises InvalidName."""
    if not _CLUSTER.fullmatch(name):
        raise InvalidName(
            "inference cluster", name, 'letters, digits and "-", 2 to 24 of them, a letter first'
        )
    return name


def search_key(text: str) -> str:
    """The text as searches see it: without case and accents, alike on every database."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).casefold()
