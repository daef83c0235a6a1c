from __future__ import annotations

import pytest

from modelwright.data.artifact import Digest
from modelwright.workspace import Workspace
from modelwright.workspace.drafts import KEPT_REVISIONS
from modelwright.workspace.errors import (
    Conflict,
    InvalidCursor,
    InvalidName,
    NotFound,
    UnstorableText,
)
from modelwright.workspace.records.assets import AssetKind, AssetReference
from modelwright.workspace.records.drafts import DraftKind
from tests.workspace.conftest import FakeClock

DIGEST = Digest("sha256:" + "1" * 64)
NO_DRAFT = "draft-0000000000"


def test_a_draft_is_read_back_as_it_was_written(workspace: Workspace, clock: FakeClock) -> None:
    document = 'nodes:\n  été: {text: "\U0001f697 \\0"}\n'
    layout = {"b": [1.5, -2], "a": {"collapsed": True, "note": "nul: \x00"}}

    draft = workspace.drafts.create(
        "  Prix  ",
        document=document,
        layout=layout,
        kind=DraftKind.REAL_TIME,
        parent_draft_id="draft-1",
        parent_run_id="run-1",
    )

    assert workspace.drafts.get(draft.id) == draft
    assert (draft.name, draft.document, draft.layout) == ("Prix", document, layout)
    assert list(draft.layout) == ["b", "a"]
    assert (draft.kind, draft.revision) == (DraftKind.REAL_TIME, 1)
    assert (draft.parent_draft_id, draft.parent_run_id) == ("draft-1", "run-1")
    assert draft.created_at == draft.changed_at == clock.time
    assert draft.created_at.tzinfo is not None


def test_a_save_makes_a_new_revision(workspace: Workspace, clock: FakeClock) -> None:
    draft = workspace.drafts.create("Prices", document="one")
    later = clock.move_on(minutes=1)

    saved = workspace.drafts.save(draft.id, "two", {"a": [0, 0]}, revision=1)

    assert (saved.revision, saved.document, saved.layout) == (2, "two", {"a": [0, 0]})
    assert (saved.created_at, saved.changed_at) == (draft.created_at, later)


def test_a_save_to_an_outdated_revision_is_refused_and_stores_nothing(workspace: Workspace) -> None:
    draft = workspace.drafts.create("Prices", document="one")
    workspace.drafts.save(draft.id, "mine", None, revision=1)

    with pytest.raises(Conflict) as caught:
        workspace.drafts.save(draft.id, "yours", None, revision=1, history=["yours"])

    assert caught.value.revision == 2
    assert workspace.drafts.get(draft.id).document == "mine"
    assert workspace.drafts.history(draft.id) is None


def test_a_save_that_changes_nothing_makes_no_revision(
    workspace: Workspace, clock: FakeClock
) -> None:
    draft = workspace.drafts.create("Prices", document="one", layout={"a": [0, 0]})
    clock.move_on(minutes=1)

    assert workspace.drafts.save(draft.id, "one", {"a": [0, 0]}, revision=1) == draft
    assert len(workspace.drafts.revisions.list(draft.id)) == 1


def test_undo_history_is_kept_until_it_is_replaced(workspace: Workspace) -> None:
    draft = workspace.drafts.create("Prices", document="one")
    assert workspace.drafts.history(draft.id) is None

    workspace.drafts.save(draft.id, "two", None, revision=1, history={"undo": ["one"]})
    workspace.drafts.save(draft.id, "three", None, revision=2)

    assert workspace.drafts.history(draft.id) == {"undo": ["one"]}


def test_earlier_revisions_are_kept_up_to_a_bound(workspace: Workspace) -> None:
    draft = workspace.drafts.create("Prices", document="1")
    with workspace.transaction():
        for revision in range(1, KEPT_REVISIONS + 5):
            workspace.drafts.save(draft.id, str(revision + 1), None, revision=revision)

    kept = workspace.drafts.revisions.list(draft.id)
    assert [one.revision for one in kept] == list(range(KEPT_REVISIONS + 5, 5, -1))
    assert all(one.document == str(one.revision) for one in kept)
    assert workspace.drafts.revisions.get(draft.id, 6) == kept[-1]
    with pytest.raises(NotFound, match="#5"):
        workspace.drafts.revisions.get(draft.id, 5)


def test_a_deleted_draft_leaves_the_list_and_comes_back_as_it_was(
    workspace: Workspace, clock: FakeClock
) -> None:
    draft = workspace.drafts.create("Prices", document="one")

    deleted = workspace.drafts.delete(draft.id)
    assert deleted.deleted_at == clock.time
    assert workspace.drafts.list().items == ()
    assert [one.id for one in workspace.drafts.list(deleted=True).items] == [draft.id]

    assert workspace.drafts.restore(draft.id) == draft
    assert [one.id for one in workspace.drafts.list().items] == [draft.id]


def test_a_purged_draft_is_gone_with_its_revisions(workspace: Workspace) -> None:
    draft = workspace.drafts.create("Prices", document="one")

    workspace.drafts.purge(draft.id)

    assert workspace.drafts.revisions.list(draft.id) == ()
    with pytest.raises(NotFound):
        workspace.drafts.get(draft.id)


def test_a_duplicate_starts_anew_with_the_same_pipeline_and_uses(workspace: Workspace) -> None:
    draft = workspace.drafts.create(
        "Prices",
        document="one",
        layout=[1],
        kind=DraftKind.BATCH,
        parent_draft_id="draft-1",
        assets=[AssetReference(AssetKind.DATASET, "cars", 2)],
    )
    workspace.drafts.save(draft.id, "two", [2], revision=1)
    workspace.datasets.add("cars", digest=DIGEST)

    copy = workspace.drafts.duplicate(draft.id)

    assert copy.id != draft.id
    assert (copy.name, copy.document, copy.layout) == ("Prices (copy)", "two", [2])
    assert (copy.kind, copy.revision, copy.parent_draft_id) == (DraftKind.BATCH, 1, "draft-1")
    assert {use.id for use in workspace.datasets.used_by("cars")} == {draft.id, copy.id}
    assert workspace.drafts.duplicate(draft.id, name="Mine").name == "Mine"


def test_a_draft_is_renamed_and_linked_without_a_new_revision(workspace: Workspace) -> None:
    draft = workspace.drafts.create("Prices", document="one")

    assert workspace.drafts.rename(draft.id, "Cars").name == "Cars"
    linked = workspace.drafts.link(draft.id, parent_draft_id="draft-1", parent_run_id="run-9")

    assert (linked.parent_draft_id, linked.parent_run_id) == ("draft-1", "run-9")
    assert linked.revision == 1
    assert workspace.drafts.list(search="cars").total == 1
    assert workspace.drafts.list(parent_draft_id="draft-1").total == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("prix", {"Prix d'été", "PRIX 100%"}),
        ("D'ETE prix", {"Prix d'été"}),
        ("été", {"Prix d'été"}),
        ("100%", {"PRIX 100%"}),
        ("0_", set()),
        ("", {"Prix d'été", "PRIX 100%", "Straße"}),
        ("strasse", {"Straße"}),
    ],
)
def test_search_takes_no_heed_of_case_accents_and_wildcards(
    workspace: Workspace, search: str, found: set[str]
) -> None:
    for name in ("Prix d'été", "PRIX 100%", "Straße"):
        workspace.drafts.create(name, document="")

    assert {draft.name for draft in workspace.drafts.list(search=search).items} == found


def test_drafts_of_one_kind_are_listed(workspace: Workspace) -> None:
    workspace.drafts.create("train", document="")
    workspace.drafts.create("serve", document="", kind=DraftKind.REAL_TIME)

    page = workspace.drafts.list(kind=DraftKind.REAL_TIME)
    assert ([draft.name for draft in page.items], page.total) == (["serve"], 1)


def test_pages_follow_one_another_even_when_drafts_change_between(
    workspace: Workspace, clock: FakeClock
) -> None:
    drafts = []
    for number in range(7):
        drafts.append(workspace.drafts.create(f"{number}", document=""))
        # Two of a time, so that time alone does not order them.
        clock.move_on(seconds=number % 2)

    first = workspace.drafts.list(limit=3)
    clock.move_on(hours=1)
    workspace.drafts.save(first.items[-1].id, "changed", None, revision=1)
    workspace.drafts.create("new", document="")
    second = workspace.drafts.list(limit=3, after=first.after)
    third = workspace.drafts.list(limit=3, after=second.after)

    assert (first.total, second.total, third.after) == (7, 8, None)
    seen = [draft.id for page in (first, second, third) for draft in page.items]
    assert len(seen) == 7
    assert set(seen) == {draft.id for draft in drafts}


def test_a_full_last_page_has_no_next(workspace: Workspace) -> None:
    for name in ("a", "b"):
        workspace.drafts.create(name, document="")
    assert workspace.drafts.list(limit=2).after is None


@pytest.mark.parametrize("cursor", ["", "nonsense", "2026-01-01~x", "2026-13-01T00:00:00+00:00~x"])
def test_a_made_up_cursor_is_refused(workspace: Workspace, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        workspace.drafts.list(after=cursor)


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "x" * 201, "\ud800"])
def test_a_name_that_cannot_be_read_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidName):
        workspace.drafts.create(name, document="")
    draft = workspace.drafts.create("Prices", document="")
    with pytest.raises(InvalidName):
        workspace.drafts.rename(draft.id, name)


@pytest.mark.parametrize(("text", "told"), [("a\x00b", "U+0000"), ("abc\udc80", "U+DC80")])
def test_text_that_a_database_would_refuse_is_refused_by_both(
    workspace: Workspace, text: str, told: str
) -> None:
    with pytest.raises(UnstorableText, match="U\\" + told[1:]):
        workspace.drafts.create("Prices", document=text)
    assert workspace.drafts.list().total == 0


def test_every_change_of_an_unknown_draft_is_refused(workspace: Workspace) -> None:
    drafts = workspace.drafts
    for change in (
        lambda: drafts.get(NO_DRAFT),
        lambda: drafts.save(NO_DRAFT, "", None, revision=1),
        lambda: drafts.history(NO_DRAFT),
        lambda: drafts.rename(NO_DRAFT, "x"),
        lambda: drafts.duplicate(NO_DRAFT),
        lambda: drafts.delete(NO_DRAFT),
        lambda: drafts.restore(NO_DRAFT),
        lambda: drafts.purge(NO_DRAFT),
    ):
        with pytest.raises(NotFound, match=NO_DRAFT):
            change()
