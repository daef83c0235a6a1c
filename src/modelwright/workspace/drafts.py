"""Drafts: pipelines that are being drawn, saved with every change."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import Conflict, NotFound
from modelwright.workspace.names import checked_name, search_key
from modelwright.workspace.paging import holding, read_page
from modelwright.workspace.records.assets import AssetReference
from modelwright.workspace.records.drafts import Draft, DraftId, DraftKind, DraftSummary, Revision
from modelwright.workspace.records.pages import Page
from modelwright.workspace.rows import AnyRow
from modelwright.workspace.uses import forget_uses, set_uses

KEPT_REVISIONS = 200
"""How many earlier states of a draft are kept."""

_D = tables.drafts.c
_R = tables.draft_revisions.c
_SUMMARY = (
    _D.id,
    _D.name,
    _D.kind,
    _D.revision,
    _D.parent_draft_id,
    _D.parent_run_id,
    _D.created_at,
    _D.changed_at,
    _D.deleted_at,
)


class Revisions:
    """Earlier states of drafts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, draft_id: str, *, limit: int = KEPT_REVISIONS) -> tuple[Revision, ...]:
        """The states of a draft that are kept, newest first, the present one included."""
        query = select(tables.draft_revisions).where(_R.draft_id == draft_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_R.revision.desc()).limit(limit)).all()
        return tuple(_revision(row) for row in rows)

    def get(self, draft_id: str, revision: int) -> Revision:
        """One state of a draft.  Raises NotFound when it is too old to be kept."""
        query = select(tables.draft_revisions).where(
            _R.draft_id == draft_id, _R.revision == revision
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(
                "revision",
                f"{draft_id} #{revision}",
                remedy=f"The last {KEPT_REVISIONS} are kept; choose one of those.",
            )
        return _revision(row)


class Drafts:
    """The drafts of a workspace; names need not be unique, ids are."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now
        self.revisions = Revisions(database)

    def create(
        self,
        name: str,
        *,
        document: str,
        layout: Any = None,
        kind: DraftKind = DraftKind.TRAINING,
        parent_draft_id: str | None = None,
        parent_run_id: str | None = None,
        assets: Sequence[AssetReference] = (),
    ) -> Draft:
        """Add a draft at revision 1.  assets: the datasets and models that the document names."""
        now = self._now()
        name = checked_name(name, "draft")
        draft_id = DraftId("draft-" + secrets.token_hex(5))
        values = {
            "id": draft_id,
            "name": name,
            "kind": kind,
            "document": document,
            "layout": layout,
            "revision": 1,
            "parent_draft_id": parent_draft_id,
            "parent_run_id": parent_run_id,
            "search_key": search_key(name),
            "created_at": now,
            "changed_at": now,
        }
        with self._database.write() as connection:
            connection.execute(insert(tables.drafts), values)
            _keep(connection, draft_id, 1, document, layout, now)
            set_uses(connection, "draft", draft_id, assets)
            return _draft(_get(connection, draft_id))

    def get(self, draft_id: str) -> Draft:
        """One draft, deleted or not.  Raises NotFound."""
        with self._database.read() as connection:
            return _draft(_get(connection, draft_id))

    def list(
        self,
        *,
        search: str = "",
        kind: DraftKind | None = None,
        parent_draft_id: str | None = None,
        deleted: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[DraftSummary]:
        """Drafts by last change, latest first.

        search: words of the name, without regard to case and accents.  deleted: the deleted ones
        instead of the others.
        """
        query = select(*_SUMMARY).where(
            _D.deleted_at.is_not(None) if deleted else _D.deleted_at.is_(None),
            holding(_D.search_key, search_key(search)),
        )
        if kind is not None:
            query = query.where(_D.kind == kind)
        if parent_draft_id is not None:
            query = query.where(_D.parent_draft_id == parent_draft_id)
        with self._database.read() as connection:
            return read_page(
                connection,
                query,
                lambda row: DraftSummary(**row._mapping),
                order=_D.changed_at,
                id=_D.id,
                limit=limit,
                after=after,
            )

    def save(
        self,
        draft_id: str,
        document: str,
        layout: Any,
        *,
        revision: int,
        history: Any = None,
        assets: Sequence[AssetReference] | None = None,
    ) -> Draft:
        """Save a change that was made to `revision`; gives the draft at its new revision.

        A save that changes neither document nor layout makes no revision.
        history: undo history as JSON; None leaves it as it is, and so for assets.
        Raises Conflict when the draft has moved on, and then stores nothing.
        """
        now = self._now()
        with self._database.write() as connection:
            found = _get(connection, draft_id, lock=True)
            if found.revision != revision:
                raise Conflict(found.name, expected=revision, revision=found.revision)
            values: dict[str, Any] = {} if history is None else {"history": history}
            if (found.document, found.layout) != (document, layout):
                values |= {
                    "document": document,
                    "layout": layout,
                    "revision": revision + 1,
                    "changed_at": now,
                }
                _keep(connection, draft_id, revision + 1, document, layout, now)
            _update(connection, draft_id, values)
            if assets is not None:
                set_uses(connection, "draft", draft_id, assets)
            return _draft(_get(connection, draft_id))

    def history(self, draft_id: str) -> Any:
        """The undo history as it was saved, as JSON; None when there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(_D.history).where(_D.id == draft_id)).one_or_none()
        if row is None:
            raise NotFound("draft", draft_id)
        return row[0]

    def rename(self, draft_id: str, name: str) -> Draft:
        """Give a draft another name; the revision stays."""
        name = checked_name(name, "draft")
        return self._change(draft_id, {"name": name, "search_key": search_key(name)})

    def link(
        self, draft_id: str, *, parent_draft_id: str | None, parent_run_id: str | None
    ) -> Draft:
        """Say anew which draft and run a draft comes from."""
        return self._change(
            draft_id, {"parent_draft_id": parent_draft_id, "parent_run_id": parent_run_id}
        )

    def duplicate(self, draft_id: str, *, name: str | None = None) -> Draft:
        """Copy a draft, by default as "NAME (copy)", with its links and what it uses."""
        with self._database.write() as connection:
            found = _get(connection, draft_id)
            uses = connection.execute(
                select(tables.asset_uses).where(
                    tables.asset_uses.c.user_kind == "draft",
                    tables.asset_uses.c.user_id == draft_id,
                )
            ).all()
            return self.create(
                name or f"{found.name} (copy)",
                document=found.document,
                layout=found.layout,
                kind=found.kind,
                parent_draft_id=found.parent_draft_id,
                parent_run_id=found.parent_run_id,
                assets=[
                    AssetReference(use.asset_kind, use.asset_name, use.asset_version or None)
                    for use in uses
                ],
            )

    def delete(self, draft_id: str) -> Draft:
        """Put a draft aside; `restore` brings it back."""
        return self._change(draft_id, {"deleted_at": self._now()})

    def restore(self, draft_id: str) -> Draft:
        """Bring back a deleted draft as it was."""
        return self._change(draft_id, {"deleted_at": None})

    def purge(self, draft_id: str) -> None:
        """Forget a draft and its revisions for good."""
        with self._database.write() as connection:
            _get(connection, draft_id, lock=True)
            forget_uses(connection, "draft", draft_id)
            connection.execute(delete(tables.drafts).where(_D.id == draft_id))

    def _change(self, draft_id: str, values: dict[str, Any]) -> Draft:
        with self._database.write() as connection:
            _get(connection, draft_id, lock=True)
            _update(connection, draft_id, values)
            return _draft(_get(connection, draft_id))


def _get(connection: Connection, draft_id: str, *, lock: bool = False) -> AnyRow:
    query = select(*_SUMMARY, _D.document, _D.layout).where(_D.id == draft_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("draft", draft_id)
    return row


def _update(connection: Connection, draft_id: str, values: dict[str, Any]) -> None:
    if values:
        connection.execute(update(tables.drafts).where(_D.id == draft_id).values(values))


def _keep(
    connection: Connection, draft_id: str, revision: int, document: str, layout: Any, at: Any
) -> None:
    connection.execute(
        insert(tables.draft_revisions),
        {
            "draft_id": draft_id,
            "revision": revision,
            "document": document,
            "layout": layout,
            "saved_at": at,
        },
    )
    connection.execute(
        delete(tables.draft_revisions).where(
            _R.draft_id == draft_id, _R.revision <= revision - KEPT_REVISIONS
        )
    )


def _draft(row: AnyRow) -> Draft:
    return Draft(**row._mapping)


def _revision(row: AnyRow) -> Revision:
    return Revision(**row._mapping)
