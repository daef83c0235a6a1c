"""Work on several things by several threads."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from modelwright.data.side_by_side import WORTH, side_by_side


def test_what_is_found_stands_in_the_order_of_the_items() -> None:
    assert side_by_side(lambda n: n * n, range(100), values=WORTH) == [n * n for n in range(100)]


def test_little_work_stays_on_its_thread() -> None:
    met = side_by_side(lambda _: threading.get_ident(), range(8), values=WORTH - 1)

    assert set(met) == {threading.get_ident()}


@pytest.mark.skipif(pl.thread_pool_size() < 2, reason="this process may use a single thread")
def test_much_work_is_done_by_two_threads_at_the_same_time() -> None:
    both = threading.Barrier(2)

    # Neither gets past the other before it has begun, too.
    met = side_by_side(lambda _: (both.wait(60), threading.get_ident())[1], "ab", values=WORTH)

    assert len(set(met)) == 2


@pytest.mark.parametrize("wrong", [0, 7])
def test_what_fails_is_told_to_the_caller(wrong: int) -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda n: 1 // (n - wrong), range(8), values=WORTH)


def test_work_within_such_work_is_done_by_the_same_thread() -> None:
    def inner(_: int) -> set[int]:
        return {
            threading.get_ident(),
            *side_by_side(lambda _: threading.get_ident(), range(4), values=WORTH),
        }

    assert [len(found) for found in side_by_side(inner, range(4), values=WORTH)] == [1] * 4
