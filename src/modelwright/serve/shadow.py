"""A deployment that only looks on: it scores copies of requests, and its answers are compared."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.answers import Refusal
from modelwright.serve.copies import Copy, received
from modelwright.serve.differences import difference
from modelwright.serve.live import Live

_TOLD_S = 0.3
_NAMED_S = 10.0

_log = logging.getLogger("modelwright.shadow")


@dataclass(slots=True)
class Compared:
    """What became of the copies that a shadow got.

    failed: it could not answer.  different: it answered otherwise, in rows_different rows of
    rows_compared.  largest: relative difference of two numbers, None where anything else differed.
    """

    copies: int = 0
    failed: int = 0
    different: int = 0
    rows_different: int = 0
    largest: float | None = 0.0
    example: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON, with the mean time to answer in milliseconds."""
        found = asdict(self)
        seconds = found.pop("seconds")
        answered = self.copies - self.failed
        found["mean_ms"] = round(seconds / answered * 1000, 3) if answered else None
        return found


class Shadow:
    """Scores the copies that come in on a socket, and tells in a file what came of it."""

    def __init__(self, number: int, live: Live, told: Path) -> None:
        self._number = number
        self._live = live
        self._told = told
        self._compared = Compared()
        self._named = -math.inf

    async def serve(self, listener: Any) -> None:
        """Score until the process is ended."""
        server = await asyncio.start_unix_server(self._converse, sock=listener)
        said: dict[str, Any] = {}
        async with server:
            while True:
                value = self._compared.to_json()
                if value != said:
                    said = value
                    draft = self._told.with_name(f".{self._told.name}")
                    draft.write_text(json.dumps(value), encoding="utf-8")
                    draft.replace(self._told)
                await asyncio.sleep(_TOLD_S)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for copy in received(reader):
                await self._score(copy)
                # Copies that lie ready must not keep others from being read.
                await asyncio.sleep(0)
        finally:
            writer.close()

    async def _score(self, copy: Copy) -> None:
        found = self._compared
        found.copies += 1
        begun = time.perf_counter()
        try:
            reply = await self._live.lane.answer(copy.body, copy.shape)
            apart = difference(copy.reply, reply)
        except Refusal as refusal:
            self._fail(refusal.answer.body.decode(errors="replace"))
            return
        except ModelwrightError as error:
            self._fail(str(error))
            return
        except Exception as error:  # noqa: BLE001  # the rim of a process: callers have their answer
            self._fail(f"{type(error).__name__}: {error}")
            return
        found.seconds += time.perf_counter() - begun
        if apart.rows:
            found.different += 1
            found.rows_different += apart.rows
            if math.isinf(apart.largest) or found.largest is None:
                found.largest = None
            else:
                found.largest = max(found.largest, apart.largest)
            self._name(f"answers otherwise: {apart.where}")

    def _fail(self, why: str) -> None:
        self._compared.failed += 1
        self._name(f"could not answer: {why}")

    def _name(self, what: str) -> None:
        """Remember and log an example, now and then."""
        self._compared.example = what[:500]
        now = time.monotonic()
        if now - self._named > _NAMED_S:
            self._named = now
            _log.warning("shadow %d %s", self._number, what)


def taken_together(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the shadows of several replicas have found, each as `Compared.to_json` gives it."""
    whole: dict[str, Any] = {"example": next((f["example"] for f in found if f["example"]), "")}
    for name in ("copies", "failed", "different", "rows_different"):
        whole[name] = sum(f[name] for f in found)
    largest = [f["largest"] for f in found]
    whole["largest"] = None if None in largest else max(largest, default=0.0)
    timed = [(f["copies"] - f["failed"], f["mean_ms"]) for f in found if f["mean_ms"] is not None]
    answered = sum(many for many, _ in timed)
    spent = sum(many * mean for many, mean in timed)
    whole["mean_ms"] = round(spent / answered, 3) if answered else None
    return whole


def compared(told: Path) -> dict[str, Any]:
    """What a shadow has told last; nothing when it has not begun."""
    try:
        found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
