from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.actions.cleaning import (
    NoRetention,
    clean_up,
    delete_run,
    disk_space,
    needed_by,
    plan_clean_up,
)
from modelwright.actions.drafts import new_draft
from modelwright.actions.home import Home
from modelwright.actions.inference_drafts import inference_draft
from modelwright.actions.run_pipeline import begin_run
from modelwright.actions.runs import outputs_of
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import NodeId
from modelwright.workspace.errors import NotFound
from tests.actions.homes import open_home, tiny, tutorial


def ran(home: Home, text: str = "a,b\n1,x\n") -> str:
    graph = set_parameter(tiny().graph, NodeId("typed"), "data", text)
    return begin_run(home, graph).work().run.id


def test_old_runs_go_with_what_only_they_name(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        first = ran(home)
        results = {output.digest for output in outputs_of(home, first).values()}
        assert all(home.store.has(digest) for digest in results)
        plan = plan_clean_up(home, older_than_days=0, idle_s=0)
        assert [run.id for run in plan.runs] == [first]
        assert plan.values == len(results)
        assert plan.size > 0
        assert home.workspace.runs.get(first).id == first

        done = clean_up(home, older_than_days=0, idle_s=0)
        assert done.size == plan.size
        with pytest.raises(NotFound):
            home.workspace.runs.get(first)
        assert not any(home.store.has(digest) for digest in results)
        # The samples that come with a home are registered, so they stay.
        assert home.store.has(home.assets.dataset("Automobile price data (Raw)").digest)


def test_a_run_that_a_draft_comes_from_stays_and_says_why(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        draft_id = new_draft(home, document=tutorial()).record.id
        run = begin_run(home, tutorial().graph, draft_id=draft_id, draft_revision=1).work().run
        made = inference_draft(home, run.id, name="Cars")
        plan = plan_clean_up(home, older_than_days=0, idle_s=0)
        assert plan.runs == ()
        assert [(k.run, k.needed_by) for k in plan.kept] == [(run.id, ("draft Cars",))]
        assert needed_by(home, run.id) == ("draft Cars",)
        clean_up(home, older_than_days=0, idle_s=0)
        for digest in made.converted.conversion.frozen.values():
            assert home.store.has(digest)


def test_the_oldest_runs_go_until_the_store_is_small_enough(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        first, second = ran(home), ran(home, "a,b\n2,y\n")
        total = sum(kind.size for kind in home.store.usage().kinds.values())
        assert plan_clean_up(home, most_gb=total / 1e9, idle_s=0).runs == ()
        little_less = plan_clean_up(home, most_gb=(total - 1) / 1e9, idle_s=0)
        assert [run.id for run in little_less.runs] == [first]
        all_of_them = plan_clean_up(home, most_gb=0, idle_s=0)
        assert [run.id for run in all_of_them.runs] == [first, second]


def test_values_of_the_last_hour_stay_since_a_step_may_need_them(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        ran(home)
        plan = plan_clean_up(home, older_than_days=0)
        assert len(plan.runs) == 1
        assert plan.values == 0


def test_a_clean_up_needs_a_rule(tmp_path: Path) -> None:
    with open_home(tmp_path) as home, pytest.raises(NoRetention):
        plan_clean_up(home)


def test_a_run_goes_with_its_logs_and_space_is_told_by_kind(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        run = ran(home)
        kinds = {space.kind: space for space in disk_space(home)}
        assert (kinds["table"].count or 0) >= 2
        assert kinds["database"].count is None
        assert kinds["database"].size > 0
        folder = home.run_logs / run
        folder.mkdir(parents=True, exist_ok=True)
        delete_run(home, run)
        assert not folder.exists()
