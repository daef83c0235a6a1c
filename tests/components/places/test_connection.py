from __future__ import annotations

import pytest

from modelwright.components.places.connection import Connection, Reach
from modelwright.components.places.errors import InvalidConnection


def test_a_password_is_taken_out_of_the_url() -> None:
    made = Connection.of_url("shop", "postgresql://me:a%2Fb@db.example.org:5432/shop?x=1")

    assert made.url == "postgresql://me@db.example.org:5432/shop?x=1"
    assert made.values == {"password": "a/b"}
    assert "a/b" not in repr(made)


def test_a_password_may_hold_the_sign_that_ends_it() -> None:
    made = Connection.of_url("shop", "postgresql://me:p@ss:w@db.example.org/shop")

    assert (made.url, made.values["password"]) == ("postgresql://me@db.example.org/shop", "p@ss:w")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("s3://bucket/folder", "files"),
        ("/data/cars", "files"),
        ("postgresql+psycopg://h/x", "database"),
        ("sqlite:////data/x.db", "database"),
        ("sftp://me@host/data", "files"),
    ],
)
def test_the_kind_is_told_by_the_scheme(url: str, kind: str) -> None:
    assert Connection.of_url("x", url).kind == kind


@pytest.mark.parametrize("url", ["https://example.org/x", "zip://a::s3://b/c.zip"])
def test_what_is_no_place_for_a_connection_is_refused(url: str) -> None:
    with pytest.raises(InvalidConnection):
        Connection.of_url("x", url)


def test_connection_and_reach_survive_json() -> None:
    connection = Connection("x", "files", "s3://b", {"key": "k"})
    reach = Reach(("/data",), ("10.0.0.0/8",), 99)

    assert Connection.from_json(connection.to_json()) == connection
    assert Reach.from_json(reach.to_json()) == reach
    assert Reach.from_json({}) == Reach()
