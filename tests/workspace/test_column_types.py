from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from modelwright.workspace import Workspace, tables
from modelwright.workspace.clock import utc_now

MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 2, tzinfo=UTC).replace(tzinfo=None),
    max_value=datetime(2999, 12, 30, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.integers(-720, 720).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moment=MOMENTS, value=JSON)
def test_times_and_json_survive_every_database(
    workspace: Workspace, moment: datetime, value: Any
) -> None:
    with workspace.database.write() as connection:
        connection.execute(tables.settings.delete())
        connection.execute(
            insert(tables.settings), {"name": "x", "value": value, "changed_at": moment}
        )
        row = connection.execute(select(tables.settings)).one()
    assert row.value == value
    assert row.changed_at == moment
    assert row.changed_at.tzinfo == UTC


def test_a_time_without_a_zone_is_our_own_mistake(workspace: Workspace) -> None:
    with (
        pytest.raises(Exception, match="without a zone"),
        workspace.database.write() as connection,
    ):
        connection.execute(
            insert(tables.settings),
            {"name": "x", "value": 1, "changed_at": utc_now().replace(tzinfo=None)},
        )
    assert workspace.settings.all() == {}
