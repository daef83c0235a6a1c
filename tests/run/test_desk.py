from __future__ import annotations

import polars as pl

from modelwright.data.table import Table
from modelwright.run.desk import Desk


def table(megabytes: float) -> Table:
    return Table(pl.DataFrame({"x": pl.repeat(1, int(megabytes * (1 << 17)), eager=True)}))


def test_a_value_is_found_by_its_token_and_once_stored_by_its_digest() -> None:
    desk, value = Desk(1 << 30), table(1)
    desk.put("token", value, stored=False)
    assert desk.get("token") is value
    assert desk.get("unknown", None, "token") is value
    assert desk.get("digest") is None
    desk.stored("token", "digest")
    assert desk.get("digest") is value


def test_the_value_used_longest_ago_goes_first() -> None:
    desk = Desk(10 << 20)
    for name in ("a", "b"):
        desk.put(name, table(4), stored=True)
    assert desk.get("a") is not None
    desk.put("c", table(4), stored=True)
    assert desk.get("b") is None
    assert desk.get("a") is not None
    assert desk.get("c") is not None


def test_what_is_not_stored_stays_whatever_its_size() -> None:
    desk = Desk(1 << 20)
    desk.put("a", table(3), stored=False)
    desk.put("b", table(3), stored=False)
    assert desk.get("a") is not None
    desk.stored("a", "digest")
    assert desk.get("a", "digest") is None
    assert desk.get("b") is not None


def test_large_values_are_forgotten_and_small_ones_kept() -> None:
    desk = Desk(1 << 30)
    desk.put("large", table(2), stored=True)
    desk.put("small", table(0.1), stored=True)
    desk.stored("large", "digest")
    desk.forget(["digest", "small", "unknown"])
    assert desk.get("large") is None
    assert desk.get("small") is not None
    desk.drop("small")
    assert desk.get("small") is None
