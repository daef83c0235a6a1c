"""Makes docs/components/ of the component classes: a page each, with an example that is run for real.

Run by `scripts/components`.  With `check` it only says whether the pages are up to date.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from tests.contract.examples import SOURCES, configured, examples, inputs_of, work

from modelwright.cli.component import default_of, help_of, type_of
from modelwright.components.contract import AtInference, Bypass, ComponentSpec, Replay
from modelwright.components.library import library
from modelwright.data.artifact import Artifact
from modelwright.data.fitted import Model, Transform, UntrainedModel
from modelwright.data.table import Table

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "components"
ROWS = 4
"""So many rows of a table are shown."""

CELL = 40
"""So many characters of a value are shown."""

INDEX = """\
# Components

What a node of a pipeline can do, a page each. Made by `scripts/components` from the component classes; do not edit.
The tables of the examples come from running them.
"""


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    wanted = pages()
    if arguments == ["check"]:
        stale = stale_pages(wanted)
        if stale:
            print(f"run scripts/components; not up to date: {', '.join(stale)}", file=sys.stderr)
        return int(bool(stale))
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def pages() -> dict[str, str]:
    """Text of every page by its file's name."""
    specs = sorted(
        (c.__component__ for c in library() if not c.__component__.hidden),
        key=lambda spec: (spec.category, spec.title),
    )
    return {"README.md": index(specs)} | {f"{spec.id}.md": page(spec) for spec in specs}


def stale_pages(wanted: dict[str, str]) -> list[str]:
    """Names of the files that are not as they should be, or should not be."""
    there = {p.name: p.read_text(encoding="utf-8") for p in FOLDER.glob("*.md")}
    # Where there is no R its example cannot be run.
    untried = {f"{name}.md" for name in ("execute-r-script",) if name in SOURCES}
    every = (there.keys() | wanted.keys()) - untried
    return sorted(name for name in every if there.get(name) != wanted.get(name))


def index(specs: list[ComponentSpec]) -> str:
    """The list of all components, by category."""
    parts = [INDEX]
    for category in dict.fromkeys(spec.category for spec in specs):
        parts.append(f"## {category}\n")
        rows = [s for s in specs if s.category == category]
        parts.append("\n".join(f"- [{s.title}]({s.id}.md): {s.summary}" for s in rows) + "\n")
    return "\n".join(parts)


def page(spec: ComponentSpec) -> str:
    """All that is known of a component."""
    described = spec.to_json()
    parts = [
        f"# {spec.title}\n",
        f"`{spec.id}`, version {spec.version}, in {spec.category}. "
        "Made by `scripts/components`; do not edit.\n",
        literal(spec.documentation) + "\n",
    ]
    ports = [(side, p) for side in ("input", "output") for p in described[f"{side}s"]]
    if ports:
        parts.append("## Ports\n")
        rows = [
            [side, f"`{p['name']}`", p["title"], p["type"], "yes" if p["optional"] else ""]
            for side, p in ports
        ]
        parts.append(table(["port", "name", "title", "type", "optional"], rows))
    if described["parameters"]:
        parts.append("## Parameters\n")
        rows = [
            [f"`{p['name']}`", p["title"], type_of(p), default_of(p), help_of(p)]
            for p in described["parameters"]
        ]
        parts.append(table(["name", "title", "values", "default", "what it is"], rows))
    if ports:
        parts.append("## In an inference pipeline\n")
        parts.append(fate(spec.at_inference) + "\n")
    if spec.id not in SOURCES and not any(p.name == "secret" for p in spec.parameters):
        parts += example(spec)
    return "\n".join(parts)


def fate(policy: AtInference) -> str:
    """What becomes of it by conversion."""
    if isinstance(policy, Bypass):
        return f"It falls away: what comes to `{policy.port}` goes straight on."
    if isinstance(policy, Replay):
        return "What it learnt in training is applied to each request; nothing is learnt anew."
    return (
        "On the way of a request it stays and works on it; elsewhere its result is kept as it was."
    )


def example(spec: ComponentSpec) -> Iterator[str]:
    """Its first example: settings, what arrives, and what it gives."""
    shown = examples(spec.id)[0]
    component = configured(spec.id, shown)
    inputs = inputs_of(component, shown)
    outputs = work(component, inputs)
    yield "## Example\n"
    node: dict[str, Any] = {"component": spec.id}
    if settings := dict(shown.parameters):
        node["parameters"] = settings
    drawn = yaml.safe_dump({"nodes": {spec.id: node}}, sort_keys=False, allow_unicode=True)
    yield f"```yaml\n{drawn}```\n"
    titles = {p.name: p.title for p in (*spec.inputs, *spec.outputs)}
    for side, values in (("In", inputs), ("Out", outputs)):
        for port, value in values.items():
            if value is not None:
                yield f"{side}, {titles[port]}: {told(value)}\n"
                if isinstance(value, Table) and len(value.schema):
                    yield rows_of(value)


def told(value: Artifact) -> str:
    """What a value is, in a few words."""
    if isinstance(value, Table):
        return "1 row." if value.rows == 1 else f"{value.rows:,} rows."
    if isinstance(value, Model):
        return f"a {value.task.value} model of {', '.join(f'`{n}`' for n in value.features.names)}."
    if isinstance(value, Transform):
        return f"a transformation of {', '.join(f'`{n}`' for n in value.schema.names)}."
    if isinstance(value, UntrainedModel):
        return f"a {value.task.value} learner, to be trained."
    return f"a {value.kind}."


def rows_of(value: Table) -> str:
    """The first rows."""
    frame = value.frame.head(ROWS)
    names = frame.columns[:10]
    cells = [[cell(v) for v in row] for row in frame.select(pl.nth(range(len(names)))).rows()]
    if len(frame.columns) > len(names):
        names = [*names, f"{len(frame.columns) - len(names)} more"]
        cells = [[*row, "…"] for row in cells]
    return table(names, cells)


def cell(value: Any) -> str:
    """A value, short."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(in_cell, line))} |\n" for line in lines)


def in_cell(text: str) -> str:
    """Text that cannot end its cell."""
    return literal(text).replace("|", "\\|").replace("\n", " ")


def literal(text: str) -> str:
    """Text whose angle brackets and stars stand for themselves; code is left alone."""
    parts = re.split(r"(`[^`\n]*`)", text)
    parts[::2] = [part.replace("<", "&lt;").replace("*", "\\*") for part in parts[::2]]
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
