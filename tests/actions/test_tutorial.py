from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelwright.actions.drafts import get_draft, save_draft
from modelwright.actions.tutorial import begin_tutorial
from modelwright.workspace.records.runs import RunStatus
from tests.actions.homes import open_home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_the_tutorial_runs_as_the_run_of_its_draft_with_everything_placed(folder: Path) -> None:
    with open_home(folder) as home:
        report = begin_tutorial(home).work()
        assert report.run.status is RunStatus.COMPLETED
        assert report.run.draft_id is not None
        draft = get_draft(home, report.run.draft_id)
        assert draft.document is not None
        assert set(draft.document.layout.positions) == set(draft.document.graph.nodes)
        again = begin_tutorial(home).work()
        assert again.run.draft_id == report.run.draft_id
        assert again.counts == {"reused": 8}


def test_a_draft_that_was_changed_is_left_alone_and_the_sample_runs_all_the_same(
    folder: Path,
) -> None:
    with open_home(folder) as home:
        draft_id = begin_tutorial(home).record.draft_id
        assert draft_id is not None
        draft = get_draft(home, draft_id)
        assert draft.document is not None
        graph = replace(draft.document.graph, nodes={})
        changed = replace(draft.document, graph=replace(graph, wires=frozenset()))
        save_draft(home, draft_id, changed, revision=draft.record.revision)
        run = begin_tutorial(home)
        assert run.record.draft_id is None
        assert len(run.plan.steps) == 8


def test_a_draft_that_was_deleted_is_made_again(folder: Path) -> None:
    with open_home(folder) as home:
        first = begin_tutorial(home).record.draft_id
        assert first is not None
        home.workspace.drafts.delete(first)
        second = begin_tutorial(home).record.draft_id
        assert second not in (None, first)
