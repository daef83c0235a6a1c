"""Short-lived tokens: what opens an endpoint, and for how long."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serve.errors import InvalidSetting
from modelwright.serve.keys import Keys, Lock
from modelwright.serve.tokens import issue, opens

SIGNING = "the signing key of the tests"


def test_a_token_opens_its_endpoint_until_it_expires() -> None:
    token = issue(SIGNING, "Cars", seconds=60, now=1000.0)
    value = token.value.encode()
    assert (token.expires_at, token.refresh_at) == (1060, 1040)
    assert opens(value, SIGNING, "cars", 1059.9)
    assert not opens(value, SIGNING, "cars", 1060.0)
    assert not opens(value, SIGNING, "trucks", 1000.0)
    assert not opens(value, "another signing key", "cars", 1000.0)


def part(value: object) -> bytes:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def test_a_token_without_a_signature_or_with_another_algorithm_opens_nothing() -> None:
    claims = part({"aud": "cars", "exp": 9e9})
    for head in ({"alg": "none"}, {"alg": "HS256"}):
        assert not opens(part(head) + b"." + claims + b".", SIGNING, "cars", 0.0)
    # Rightly signed, but the head says otherwise.
    for algorithm, right in (("HS256", True), ("none", False), ("RS256", False), (None, False)):
        body = part({"alg": algorithm}) + b"." + claims
        signature = hmac.new(SIGNING.encode(), body, "sha256").digest()
        token = body + b"." + urlsafe_b64encode(signature).rstrip(b"=")
        assert opens(token, SIGNING, "cars", 1.0) is right
    good = issue(SIGNING, "cars", seconds=60, now=0.0).value.encode()
    assert not opens(good.replace(b".", b"..", 1), SIGNING, "cars", 1.0)


@pytest.mark.parametrize("claims", [{"exp": "9"}, {"exp": None}, {}, {"exp": [9]}])
def test_a_token_without_a_time_opens_nothing(claims: dict[str, object]) -> None:
    body = part({"alg": "HS256"}) + b"." + part({"aud": "cars", **claims})
    signature = hmac.new(SIGNING.encode(), body, "sha256").digest()
    token = body + b"." + urlsafe_b64encode(signature).rstrip(b"=")
    assert not opens(token, SIGNING, "cars", 1.0)


def test_a_token_of_a_machine_whose_clock_is_ahead_opens_at_once() -> None:
    value = issue(SIGNING, "cars", seconds=60, now=1000.0).value.encode()
    assert opens(value, SIGNING, "cars", 700.0)


@given(st.binary(max_size=60))
def test_nonsense_opens_nothing_and_raises_nothing(text: bytes) -> None:
    assert not opens(text, SIGNING, "cars", 0.0)


def test_a_changed_claim_breaks_the_signature() -> None:
    head, claims, signature = issue(SIGNING, "cars", seconds=60, now=0.0).value.split(".")
    found = json.loads(urlsafe_b64decode(claims + "=="))
    longer = part({**found, "exp": 10**9}).decode()
    assert not opens(f"{head}.{longer}.{signature}".encode(), SIGNING, "cars", 1.0)


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_token_lives_a_day_at_the_most(seconds: int) -> None:
    with pytest.raises(InvalidSetting):
        issue(SIGNING, "cars", seconds=seconds, now=0.0)


@pytest.mark.parametrize(
    ("auth", "key_opens", "token_opens"),
    [("both", True, True), ("keys", True, False), ("tokens", False, True)],
)
def test_an_endpoint_takes_what_its_setting_says(
    tmp_path: Path, auth: str, key_opens: bool, token_opens: bool
) -> None:
    keys = Keys(Keys.new().primary, Keys.new().secondary, SIGNING)
    keys.lock().write(tmp_path / "keys.json")
    lock = Lock.read(tmp_path / "keys.json").for_callers_of("cars", auth)
    assert lock is not None
    token = issue(SIGNING, "cars", seconds=60, now=time.time())
    assert lock.admits(keys.primary.encode()) is key_opens
    assert lock.admits(keys.secondary.encode()) is key_opens
    assert lock.admits(token.value.encode()) is token_opens
    assert Lock.read(tmp_path / "keys.json").for_callers_of("cars", "none") is None
