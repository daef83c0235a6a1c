"""Makes docs/errors.md of the code: every code that an error, a problem or a refusal can carry.

Run by `scripts/errors`.  With `check` it only says whether the page is up to date.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import modelwright
from modelwright.data.errors import ModelwrightError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "errors.md"
SOURCE = ROOT / "src" / "modelwright"
HEAD = """\
# Error codes

Made by `scripts/errors` from the source; do not edit.

A code never changes its meaning, so programs may rely on it. The command line prints it as `error [CODE]: …`, the HTTP API
and endpoints send it as `code` with the values of the message beside it, and `pipeline check --json` gives it for each problem.
Words in braces stand for the values of the case at hand.
"""


class Entry(NamedTuple):
    """What is told of a code."""

    when: str
    remedy: str = ""


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    text = page()
    if arguments == ["check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/errors.md does not fit the code; run scripts/errors", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    """The page as it should be."""
    parts = [HEAD]
    for title, entries in (
        ("Errors", errors()),
        ("Problems of a pipeline", problems()),
        ("Refusals of an endpoint", refusals()),
    ):
        parts.append(f"## {title}\n")
        for code, entry in sorted(entries.items()):
            parts.append(f"### {code}\n")
            parts.append(entry.when + "\n")
            if entry.remedy:
                parts.append(f"Remedy: {entry.remedy}\n")
    return "\n".join(parts)


def errors() -> dict[str, Entry]:
    """Every class of error that has a code of its own, by that code."""
    for module in pkgutil.walk_packages(modelwright.__path__, "modelwright."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            import_module(module.name)
    return {
        code: Entry(first_line(kind.__doc__), remedy_of(kind))
        for code, kind in ModelwrightError.known.items()
        if kind.__module__.startswith("modelwright.")
    }


def problems() -> dict[str, Entry]:
    """Problems that no error stands for: what happened, as it is told."""
    found: dict[str, Entry] = {}
    for path in sorted((SOURCE / "graph").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "Problem" and len(node.args) >= 3:
                code, happened, remedy = (said(argument) for argument in node.args[:3])
                found.setdefault(code, Entry(happened, remedy))
    return found


def refusals() -> dict[str, Entry]:
    """Answers of an endpoint that no error stands for: the functions that make them."""
    found: dict[str, Entry] = {}
    for path in sorted((SOURCE / "serve").glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for code in codes_in(function):
                when = first_line(ast.get_docstring(function))
                when = when or function.name.strip("_").replace("_", " ").capitalize() + "."
                found.setdefault(code, Entry(when))
    return found


def codes_in(function: ast.AST) -> Iterator[str]:
    """Codes that stand as text under "code" in a function's dictionaries."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                choices = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                for choice in choices:
                    if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                        yield choice.value


def remedy_of(kind: type[ModelwrightError]) -> str:
    """The remedy that a class gives, its values in braces; empty when whoever raises it says it."""
    if "__init__" not in kind.__dict__:
        return ""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind.__init__)))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "remedy":
            return said(node.value).strip()
    return ""


def said(node: ast.expr) -> str:
    """Text made by an expression, as far as it is the same in every case."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(said(part) for part in parts)
        case ast.FormattedValue(value=ast.Name() | ast.Attribute() as value):
            return "{" + ast.unparse(value).rpartition(".")[2] + "}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return said(left) + said(right)
        case ast.BoolOp(values=values):
            return said(values[-1])
        case ast.IfExp(body=body, orelse=otherwise):
            return said(otherwise) or said(body)
        case _:
            # Nearest names and lists: there or not there, as the case may be.
            return ""


def first_line(docstring: str | None) -> str:
    """The sentence that a docstring begins with."""
    return (docstring or "").strip().partition("\n\n")[0].replace("\n", " ").partition("  ")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
