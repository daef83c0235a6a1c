"""Requests and replies of a replica without a controller are handed on, and none of their own accord left out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from modelwright.inference.scorer import ROWS
from modelwright.serve.copies import WAITING, Copy
from modelwright.serve.keeping import Batches, Keeper, Settings
from modelwright.serve.meters import Meter
from modelwright.serve.settings import DeploymentSettings

ALL = DeploymentSettings(data_collection=True)
HALF = DeploymentSettings(data_collection=True, collection_share=50)
BODY, REPLY = b'{"Inputs": {"a": [{"x": 1}]}}', b'{"Results": {"b": [{"y": 2}]}}'


class Hands:
    """Takes what is handed on."""

    def __init__(self) -> None:
        self.taken: list[tuple[Settings, int, bool]] = []
        self.fails = False

    async def __call__(self, settings: Settings, copies: Sequence[Copy], over: bool) -> None:
        if self.fails:
            raise OSError("nobody takes it")
        self.taken.append((settings, len(copies), over))


def test_a_share_of_the_requests_is_kept_evenly() -> None:
    async def work() -> list[tuple[Settings, int, bool]]:
        hands = Hands()
        batches = Batches(hands)
        batches.want({1: HALF, 2: ALL}, {})
        for _ in range(10):
            for number in (1, 2, 3):
                batches.see(number, BODY, ROWS, REPLY)
        await batches.close()
        return hands.taken

    assert asyncio.run(work()) == [({1: HALF, 2: ALL}, 15, True)]


def test_what_was_seen_before_a_change_belongs_to_the_settings_of_then() -> None:
    async def work() -> list[tuple[Settings, int, bool]]:
        hands = Hands()
        batches = Batches(hands)
        batches.want({1: ALL}, {})
        batches.see(1, BODY, ROWS, REPLY)
        batches.want({}, {})
        batches.see(1, BODY, ROWS, REPLY)
        await batches.close()
        return hands.taken

    assert asyncio.run(work()) == [({1: ALL}, 1, True)]


def test_what_there_is_no_room_for_is_counted_and_a_failure_ends_nothing() -> None:
    async def work() -> tuple[int, list[tuple[Settings, int, bool]]]:
        hands, meter = Hands(), Meter(1)
        batches = Batches(hands)
        batches.want({1: ALL}, {1: meter})
        large = bytes(WAITING // 2)
        for _ in range(3):
            batches.see(1, large, ROWS, b"")
        hands.fails = True
        await batches._hand(over=False)
        hands.fails = False
        batches.see(1, BODY, ROWS, REPLY)
        await batches.close()
        return meter.skipped, hands.taken

    assert asyncio.run(work()) == (1, [({1: ALL}, 1, True)])


def test_the_keeper_begins_other_files_for_another_format(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    copies = [Copy.now(1, ROWS, BODY, REPLY)]
    columns = DeploymentSettings(data_collection=True, collection_format="parquet")
    keeper.keep({1: columns}, copies, False)
    assert [*tmp_path.glob("1/*")] == []
    keeper.keep({1: ALL}, copies, False)
    first, second = sorted(tmp_path.glob("1/*"))
    assert (first.suffix, second.suffix) == (".parquet", ".jsonl")
    assert json.loads(second.read_text(encoding="utf-8"))["reply"] == json.loads(REPLY)
