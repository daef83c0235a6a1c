"""Requests and replies kept in files, for those deployments of an endpoint that ask for it."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from modelwright.serve.copies import Copy, received
from modelwright.serve.settings import DeploymentSettings

FLUSH_S = 0.5
"""Seconds after which lines are written."""

_PARQUET_S = 60.0
_PARQUET_ROWS = 20_000

_log = logging.getLogger("modelwright.collector")


class Collector:
    """Writes copies to the files of their deployments, a new file when one is large.

    folder: has a folder for each deployment, named by its number.
    """

    def __init__(self, folder: Path, settings: Mapping[int, DeploymentSettings]) -> None:
        self._books = {number: _Book(folder / str(number), one) for number, one in settings.items()}

    async def serve(self, listener: Any) -> None:
        """Write until cancelled; then what is left is written too."""
        server = await asyncio.start_unix_server(self._converse, sock=listener)
        try:
            async with server:
                while True:
                    await asyncio.sleep(FLUSH_S)
                    self.flush(over=False)
        finally:
            self.flush(over=True)

    def add(self, copy: Copy) -> None:
        """Take a request and its reply in; one of a deployment that is not kept is left out."""
        if copy.number in self._books:
            self._books[copy.number].add(copy)

    def flush(self, *, over: bool) -> None:
        """Write what is due; everything when it is over."""
        for book in self._books.values():
            book.flush(over=over)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for copy in received(reader):
                self.add(copy)
        finally:
            writer.close()


class _Book:
    """The files of a deployment."""

    def __init__(self, folder: Path, settings: DeploymentSettings) -> None:
        self._folder = folder
        self._largest = settings.collection_file_mb * 1_000_000
        self._kept = settings.collection_files
        self._is_parquet = settings.collection_format == "parquet"
        self._lines = io.BytesIO()
        self._rows: list[dict[str, Any]] = []
        self._since = time.monotonic()
        self._file: Path | None = None

    def add(self, copy: Copy) -> None:
        """Take a request and its reply in."""
        request, reply = orjson.loads(copy.body), orjson.loads(copy.reply)
        at = datetime.fromtimestamp(copy.at, UTC)
        if self._is_parquet:
            self._rows += _flat(at, copy.number, request, reply)
            return
        record = {"at": at, "deployment": copy.number, "request": request, "reply": reply}
        self._lines.write(orjson.dumps(record, default=str, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self, *, over: bool) -> None:
        """Write what is due; everything when it is over."""
        try:
            if self._is_parquet:
                self._write_rows(over=over)
            elif self._lines.tell():
                self._write_lines()
        except OSError as error:
            # A full disk must not end it; what cannot be written is left out.
            _log.error("what was collected cannot be written: %s", error)
            self._lines, self._rows = io.BytesIO(), []

    def _write_lines(self) -> None:
        file = self._file
        if file is None or not file.exists() or file.stat().st_size >= self._largest:
            file = self._file = self._fresh("jsonl")
        with file.open("ab") as writing:
            writing.write(self._lines.getvalue())
        self._lines = io.BytesIO()

    def _write_rows(self, *, over: bool) -> None:
        waited = time.monotonic() - self._since >= _PARQUET_S
        if not self._rows or not (over or waited or len(self._rows) >= _PARQUET_ROWS):
            return
        import polars as pl

        self._since = time.monotonic()
        rows, self._rows = self._rows, []
        frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        file = self._fresh("parquet")
        draft = file.with_name(f".{file.name}")
        frame.write_parquet(draft)
        draft.replace(file)

    def _fresh(self, suffix: str) -> Path:
        """A new file; the oldest go when there are too many."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        known = sorted(p for p in self._folder.iterdir() if not p.name.startswith("."))
        for path in known[: max(0, len(known) - self._kept + 1)]:
            path.unlink(missing_ok=True)
        file = self._folder / f"{stamp}.{suffix}"
        file.touch(mode=0o600)
        return file


def _flat(at: datetime, number: int, request: Any, reply: Any) -> list[dict[str, Any]]:
    """A record for each row of the reply, beside the row of the request that it answers.

    A reply with fewer rows, some having been dropped, is kept without the request's columns.
    """
    inputs: Any = next(iter((request.get("Inputs") or {}).values()), [])
    found: list[dict[str, Any]] = []
    for output, rows in (reply.get("Results") or {}).items():
        if not isinstance(rows, list):
            continue
        pairs = inputs if isinstance(inputs, list) and len(inputs) == len(rows) else None
        for index, row in enumerate(rows):
            sent = pairs[index] if pairs else {}
            found.append(
                {
                    "at": at,
                    "deployment": number,
                    "output": output,
                    "row": index,
                    **{f"request.{name}": value for name, value in sent.items()},
                    **{f"reply.{name}": value for name, value in row.items()},
                }
            )
    return found
