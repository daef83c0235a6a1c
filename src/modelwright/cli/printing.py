"""What commands write: one JSON document, or tables and lines for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS = 10_000


def put_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    from modelwright.actions.as_json import as_json

    text = json.dumps(as_json(value), indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def put(text: str = "") -> None:
    """Write a line to standard output, as it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(text: str = "") -> None:
    """Write a line to standard error, so that standard output holds the result only."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def put_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()
) -> None:
    """Write a table to standard output; values that are None stay empty.

    right: columns whose values stand to the right.  In a file or a pipe no value is ever cut.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        # As Text, since square brackets in a user's text are no markup.
        table.add_row(*(Text(written(value)) for value in row))
    out = console()
    with out.capture() as captured:
        out.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def written(value: Any) -> str:
    """A value as people read it in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def seconds(value: float | None) -> str:
    """A length of time as people read it."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def console(*, stderr: bool = False) -> Console:
    """A Rich console that keeps lines whole where no terminal shows them."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _ENDLESS
    return Console(file=stream, width=width, highlight=False, markup=False, soft_wrap=False)
