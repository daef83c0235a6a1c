"""The texts that stand under the fields of a class, read from its source.

Pydantic can read them too, but does so for every class when it is made, which takes longer than all
the rest of loading the palette.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise


def field_docstrings(owner: type) -> dict[str, str]:
    """The text under each annotated field, by field; a subclass's text comes before its base's."""
    found: dict[str, str] = {}
    for member in reversed(owner.__mro__):
        source = getattr(sys.modules.get(member.__module__), "__file__", None)
        if source is not None:
            found.update(_in_file(source).get(member.__qualname__, {}))
    return found


@cache
def _in_file(path: str) -> dict[str, dict[str, str]]:
    """The texts of every class of a source file, by qualified name of the class."""
    found: dict[str, dict[str, str]] = {}
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, UnicodeDecodeError):
        # A class made without a readable source has no texts; it still works.
        return found
    _walk(tree.body, "", found)
    return found


def _walk(body: list[ast.stmt], prefix: str, found: dict[str, dict[str, str]]) -> None:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            found[name] = dict(_texts(statement.body))
            _walk(statement.body, f"{name}.", found)
        elif isinstance(statement, ast.FunctionDef):
            _walk(statement.body, f"{prefix}{statement.name}.<locals>.", found)


def _texts(body: list[ast.stmt]) -> list[tuple[str, str]]:
    found = []
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found.append((field.target.id, inspect.cleandoc(text.value.value)))
    return found
