"""Commands about components."""

from __future__ import annotations

from json import dumps
from typing import Annotated, Any

import typer

from modelwright.cli.place import JsonOption
from modelwright.cli.printing import put, put_json, put_table, written

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    category: Annotated[
        str, typer.Option(metavar="TEXT", help="Only categories that contain this text.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Those that are not in the palette too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List what a node can do."""
    from modelwright.actions.components import list_components

    found = list_components(category=category, hidden=every)
    if json:
        put_json(found)
        return
    put_table(
        ("ID", "TITLE", "CATEGORY", "WHAT IT DOES"),
        ((d["id"], d["title"], d["category"], d["summary"]) for d in found),
    )


@app.command()
def show(
    component_id: Annotated[
        str, typer.Argument(metavar="ID", show_default=False, help="A component's id.")
    ],
    json: JsonOption = False,
) -> None:
    """Show a component's ports and parameters."""
    from modelwright.actions.components import show_component

    found = show_component(component_id)
    if json:
        put_json(found)
        return
    put(f"{found['title']} ({found['id']}, version {found['version']}) in {found['category']}")
    put()
    put(found["documentation"])
    ports = [(side, p) for side in ("input", "output") for p in found[f"{side}s"]]
    if ports:
        put()
        put_table(
            ("PORT", "NAME", "TITLE", "TYPE", "OPTIONAL"),
            ((side, p["name"], p["title"], p["type"], p["optional"]) for side, p in ports),
        )
    if found["parameters"]:
        put()
        put_table(
            ("PARAMETER", "TYPE", "DEFAULT", "WHAT IT IS"),
            ((p["name"], type_of(p), default_of(p), help_of(p)) for p in found["parameters"]),
        )


def type_of(parameter: dict[str, Any]) -> str:
    """The values that a parameter may have."""
    if choices := parameter.get("choices"):
        return " | ".join(_value(choice) for choice in choices)
    limits = []
    if "minimum" in parameter:
        sign = ">" if parameter["exclusive_minimum"] else "≥"
        limits.append(f"{sign} {written(parameter['minimum'])}")
    if "maximum" in parameter:
        sign = "<" if parameter["exclusive_maximum"] else "≤"
        limits.append(f"{sign} {written(parameter['maximum'])}")
    return f"{parameter['type']} {', '.join(limits)}".strip()


def default_of(parameter: dict[str, Any]) -> str:
    """Its default, in a line."""
    if parameter["type"] == "columns":
        from modelwright.components.columns import ColumnSelection

        return str(ColumnSelection.model_validate(parameter["default"]))
    first, _, rest = _value(parameter["default"]).partition("\n")
    return f"{first} …" if rest else first


def _value(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return dumps(value, ensure_ascii=False)


def help_of(parameter: dict[str, Any]) -> str:
    """What it is, and when it matters."""
    text = " ".join(parameter["help"].split())
    if when := parameter.get("visible_when"):
        ways = [_condition(way) for way in (when, *parameter.get("or_visible_when", ()))]
        text = f"{text} When {'; or when '.join(ways)}."
    return text


def _condition(when: dict[str, list[Any]]) -> str:
    return " and ".join(
        f"{name} is {' or '.join(_value(v) for v in values)}" for name, values in when.items()
    )
