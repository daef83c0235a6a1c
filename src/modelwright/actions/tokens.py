"""Short-lived tokens that open an endpoint, for callers who should not have its keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from modelwright.actions.clusters import target_of
from modelwright.actions.deployments import hand_over_keys
from modelwright.serve.settings import EndpointSettings
from modelwright.serve.tokens import Token, issue
from modelwright.workspace.errors import WrongState

if TYPE_CHECKING:
    from modelwright.actions.home import Home


def issue_token(home: Home, name: str, *, seconds: int = 3600) -> Token:
    """A token that opens an endpoint for so many seconds, a day at the most.

    Raises NotFound, InvalidSetting, and WrongState for an endpoint that takes no tokens.
    """
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    access = target.status(record.name).endpoint if record.name in target.names() else {}
    auth = EndpointSettings.read(access).auth
    if auth not in ("both", "tokens"):
        raise WrongState(
            "endpoint",
            record.name,
            "open to everybody" if auth == "none" else "opened by keys only",
            "be opened by a token",
            remedy="Set its auth to both or tokens.",
        )
    signing = home.workspace.endpoints.signing_key(record.name)
    return issue(signing, record.name, seconds=seconds, now=time.time())


def revoke_tokens(home: Home, name: str) -> None:
    """Have every token given out so far open nothing any more; keys stay.

    Raises NotFound, and as `hand_over_keys`; then they go on.
    """
    hand_over_keys(home, name, home.workspace.endpoints.renew_signing_key)
