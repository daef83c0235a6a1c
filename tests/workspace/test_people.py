from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from modelwright.workspace import Workspace
from modelwright.workspace.errors import NotFound, TokenRejected
from tests.workspace.conftest import FakeClock


def test_a_workspace_has_one_owner(workspace: Workspace) -> None:
    owner = workspace.people.owner()
    assert owner.name == "owner"
    assert workspace.people.owner() == owner


def test_a_login_token_opens_sessions_until_it_expires(
    workspace: Workspace, clock: FakeClock
) -> None:
    token = workspace.people.create_login_token(expires_in=timedelta(hours=1))
    first = workspace.people.log_in(token)
    second = workspace.people.log_in(token)
    assert first.secret != second.secret
    assert first.person == workspace.people.owner()
    assert workspace.people.of_session(first.secret) == first.person

    clock.move_on(hours=1)
    with pytest.raises(TokenRejected, match="expired"):
        workspace.people.log_in(token)
    assert workspace.people.of_session(second.secret) == second.person


def test_a_login_token_without_an_end_stays(workspace: Workspace, clock: FakeClock) -> None:
    token = workspace.people.create_login_token()
    clock.move_on(days=4000)
    assert workspace.people.log_in(token).person.name == "owner"


def test_a_new_login_token_can_replace_the_old_ones(workspace: Workspace) -> None:
    old = workspace.people.create_login_token()
    kept = workspace.people.create_login_token()
    assert workspace.people.log_in(old).person.name == "owner"

    new = workspace.people.create_login_token(replace=True)

    for token in (old, kept):
        with pytest.raises(TokenRejected, match="not known"):
            workspace.people.log_in(token)
    assert workspace.people.log_in(new).person.name == "owner"


def test_a_session_ends_by_itself_or_when_left(workspace: Workspace, clock: FakeClock) -> None:
    token = workspace.people.create_login_token()
    short = workspace.people.log_in(token, length=timedelta(minutes=5))
    left = workspace.people.log_in(token)
    assert short.expires_at == clock.time + timedelta(minutes=5)

    workspace.people.log_out(left.secret)
    workspace.people.log_out(left.secret)
    with pytest.raises(TokenRejected, match="not known"):
        workspace.people.of_session(left.secret)

    clock.move_on(minutes=5)
    with pytest.raises(TokenRejected, match="expired"):
        workspace.people.of_session(short.secret)


def test_one_kind_of_secret_does_not_do_for_another(workspace: Workspace) -> None:
    token = workspace.people.create_login_token()
    session = workspace.people.log_in(token).secret
    program, _ = workspace.people.create_api_token("script")

    for secret, door in (
        (token, workspace.people.of_session),
        (token, workspace.people.of_api_token),
        (session, workspace.people.of_api_token),
        (session, workspace.people.log_in),
        (program, workspace.people.of_session),
        ("", workspace.people.of_session),
        ("\ud800", workspace.people.of_session),
    ):
        with pytest.raises(TokenRejected, match="modelwright up"):
            door(secret)
    assert workspace.people.log_in(program).person.name == "owner"


def test_an_api_token_works_until_it_is_revoked(workspace: Workspace, clock: FakeClock) -> None:
    secret, token = workspace.people.create_api_token("nightly", expires_in=timedelta(days=90))
    assert (token.name, token.person) == ("nightly", "owner")
    assert token.expires_at == clock.time + timedelta(days=90)
    assert token.last_used_at is None

    used = clock.move_on(seconds=10)
    assert workspace.people.of_api_token(secret).name == "owner"
    clock.move_on(seconds=30)
    workspace.people.of_api_token(secret)
    assert [one.last_used_at for one in workspace.people.api_tokens()] == [used]
    later = clock.move_on(seconds=30)
    workspace.people.of_api_token(secret)
    assert [one.last_used_at for one in workspace.people.api_tokens()] == [later]

    workspace.people.revoke_api_token(token.id)
    assert workspace.people.api_tokens() == ()
    with pytest.raises(TokenRejected):
        workspace.people.of_api_token(secret)
    with pytest.raises(NotFound):
        workspace.people.revoke_api_token(token.id)


def test_the_number_of_a_revoked_token_is_not_given_again(workspace: Workspace) -> None:
    _, first = workspace.people.create_api_token("one")
    workspace.people.revoke_api_token(first.id)
    _, second = workspace.people.create_api_token("two")
    assert second.id != first.id


def test_no_secret_is_to_be_read_in_the_database_nor_in_logs(workspace: Workspace) -> None:
    token = workspace.people.create_login_token()
    session = workspace.people.log_in(token)
    program, _ = workspace.people.create_api_token("script")

    with workspace.database.read() as connection:
        rows = repr(connection.execute(text("SELECT * FROM tokens")).all())
    for secret in (token, session.secret, program):
        assert secret not in rows
        assert secret[4:20] not in rows
    assert session.secret not in repr(session)


def test_tokens_long_expired_are_swept_away(workspace: Workspace, clock: FakeClock) -> None:
    for _ in range(3):
        workspace.people.create_login_token(expires_in=timedelta(hours=1))
    clock.move_on(days=3)
    workspace.people.create_login_token()
    with workspace.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM tokens")) == 1
