"""Choosing among many rows, which are not shuffled."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.palette.data_transformation import random_rows
from modelwright.components.palette.data_transformation.random_rows import (
    deal,
    draw,
    draw_stratified,
    share,
)


@pytest.fixture(autouse=True)
def _many_rows_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_rows, "_SHUFFLED", 0)
    monkeypatch.setattr(random_rows, "_PART", 64)


@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_as_many_are_drawn_as_are_asked_for(count: int, part: float, seed: int) -> None:
    chosen = draw(count, share(count, part), seed=seed)
    assert (len(chosen), chosen.sum()) == (count, share(count, part))
    assert chosen.equals(draw(count, share(count, part), seed=seed))


@given(st.lists(st.sampled_from("aabcd"), min_size=1, max_size=300), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_each_value_gives_its_share(keys: list[str], part: float) -> None:
    key = pl.Series("k", keys)
    chosen = draw_stratified(key, part, seed=3)
    assert chosen.sum() == share(len(keys), part)
    for value in set(keys):
        of_value = keys.count(value) * part
        assert abs(int(chosen.filter(key == value).sum()) - of_value) <= 1


def test_values_are_drawn_from_alike_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = pl.Series([f"v{n % 40}" for n in range(2000)])
    few = draw_stratified(key, 0.3, seed=5)
    monkeypatch.setattr(random_rows, "_STRATA", 8)
    many = draw_stratified(key, 0.3, seed=5)
    for chosen in (few, many):
        assert chosen.sum() == 600
        assert {chosen.filter(key == f"v{n}").sum() for n in range(40)} == {15}


@pytest.mark.parametrize(
    "chosen",
    [
        lambda seed: draw(40, 10, seed=seed),
        lambda seed: draw(40, 30, seed=seed),
        lambda seed: draw_stratified(pl.Series([0, 1] * 20), 0.25, seed=seed),
        lambda seed: pl.Series(deal(40, [0.25] * 4, key=None, seed=seed, in_turn=True) == 1),
        lambda seed: pl.Series(deal(40, [0.75, 0.25], key=None, seed=seed, in_turn=False) == 1),
    ],
)
def test_no_row_is_likelier_than_another(chosen: object) -> None:
    assert callable(chosen)
    taken = np.sum([chosen(seed).to_numpy() for seed in range(800)], axis=0)
    expected = taken.mean()
    # Forty counts of a binomial: five deviations are not left by chance.
    assert np.abs(taken - expected).max() < 5 * np.sqrt(800 * 0.25)
    # And rows are chosen one by one: neighbours are not chosen together.
    together = np.mean([np.corrcoef(chosen(s).to_numpy()[:-1], chosen(s).to_numpy()[1:])[0, 1]
                        for s in range(100)])  # fmt: skip
    assert abs(together + 1 / 39) < 0.1


@given(st.integers(1, 300), st.integers(1, 7), st.booleans())
@settings(max_examples=60, deadline=None)
def test_parts_have_the_sizes_of_a_deal_in_order(count: int, parts: int, in_turn: bool) -> None:
    shares = [1 / parts] * parts if in_turn else [0.5, 0.3, 0.2]
    by_chance, in_order = (
        np.bincount(deal(count, shares, key=None, seed=s, in_turn=in_turn), minlength=len(shares))
        for s in (1, None)
    )
    assert np.array_equal(by_chance, in_order)


@given(st.lists(st.sampled_from("aabcd"), min_size=1, max_size=300), st.booleans())
@settings(max_examples=60, deadline=None)
def test_each_value_is_dealt_by_itself(keys: list[str], in_turn: bool) -> None:
    shares = [0.25] * 4 if in_turn else [0.5, 0.3, 0.2]
    parts = deal(len(keys), shares, key=pl.Series(keys), seed=4, in_turn=in_turn)
    assert np.array_equal(
        parts, deal(len(keys), shares, key=pl.Series(keys), seed=4, in_turn=in_turn)
    )
    for value in set(keys):
        own = parts[np.array(keys) == value]
        sizes = np.bincount(own, minlength=len(shares))
        assert np.abs(sizes - len(own) * np.array(shares)).max() <= 1
    if in_turn:
        sizes = np.bincount(parts, minlength=4)
        assert sizes.max() - sizes.min() <= 1
