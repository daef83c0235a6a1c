"""Endpoints without a controller are looked after as long as a server runs."""

from __future__ import annotations

import threading
from pathlib import Path

from modelwright.actions.home import Home
from modelwright.actions.tending import tend_endpoints, tended
from tests.actions.homes import open_home


def test_they_are_looked_after_again_and_again_whatever_happens_once(tmp_path: Path) -> None:
    looks: list[Home] = []
    thrice = threading.Event()

    def tend(home: Home) -> None:
        looks.append(home)
        if len(looks) == 1:
            raise RuntimeError("the engine was away")
        if len(looks) == 3:
            thrice.set()

    with open_home(tmp_path) as home:
        with tended(home, every_s=0.01, tend=tend):
            assert thrice.wait(60)
        seen = len(looks)
        assert {*looks} == {home}
    assert not [t for t in threading.enumerate() if t.name == "tending"]
    assert len(looks) == seen


def test_a_cluster_that_is_away_holds_up_no_other(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        clusters = home.workspace.clusters
        # As one is that was made by a version with other options.
        clusters.create("broken", kind="ray", options={})
        clusters.create("boxes", kind="container", options={"engine_url": "unix:///none.sock"})
        tend_endpoints(home)
