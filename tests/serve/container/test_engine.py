"""What a container engine is told, as far as it needs none to see."""

from __future__ import annotations

import json
import resource
import socket
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from modelwright.serve.container.base_image import PLACE, BaseImage, NoBaseImage, _libraries
from modelwright.serve.container.engine import (
    ContainerRefuses,
    NoContainerEngine,
    address_of,
    ask,
    connected,
    log_config,
    own_limits,
)
from modelwright.serve.container.image import has_all
from modelwright.serve.logs import KEPT, LARGEST


def container(answer: bytes, status: int = 0) -> Any:
    """A container whose commands write an answer and end with a status."""
    here, there = socket.socketpair()
    # As engines send it: the stream's number, the length, the text.
    there.sendall(b"\x01\0\0\0" + len(answer).to_bytes(4, "big") + answer)
    there.close()
    api = SimpleNamespace(
        exec_create=lambda *_: {"Id": "1"},
        exec_start=lambda *_, **__: here,
        exec_inspect=lambda *_: {"ExitCode": status},
    )
    return SimpleNamespace(id="c", client=SimpleNamespace(api=api))


def test_the_answer_of_the_process_within_is_given() -> None:
    found = ask(container(json.dumps({"pid": 7}).encode()), "cars", {"do": "status"}, seconds=1)
    assert found == {"pid": 7}


def test_a_process_that_does_not_follow_is_told_with_its_last_words() -> None:
    failed = container(b"Traceback\nConnectionRefusedError: nobody listens\n", 1)
    with pytest.raises(ContainerRefuses) as caught:
        ask(failed, "cars", {"do": "status"}, seconds=1)
    assert "nobody listens" in str(caught.value)


def test_a_container_that_has_just_ended_does_not_follow() -> None:
    def refuse(*_: object) -> None:
        raise APIError("409 Client Error", explanation="the container is stopped")

    ended = SimpleNamespace(id="c", client=SimpleNamespace(api=SimpleNamespace(exec_create=refuse)))
    with pytest.raises(ContainerRefuses, match="the container is stopped"):
        ask(ended, "cars", {"do": "status"}, seconds=1)


def test_the_address_of_the_cluster_comes_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert address_of({}) == "tcp://10.0.0.1:2375"
    assert address_of({"engine_url": "unix:///a.sock"}) == "unix:///a.sock"
    monkeypatch.delenv("DOCKER_HOST")
    assert address_of({}).startswith("unix:///")


def test_an_address_where_nobody_listens_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoContainerEngine):
        connected(f"unix://{tmp_path}/none.sock")


def test_no_more_files_and_processes_are_asked_for_than_this_process_may_have() -> None:
    for limit, kind in zip(
        own_limits(), (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC), strict=True
    ):
        _, hard = resource.getrlimit(kind)
        assert limit["Hard"] > 0
        assert hard == resource.RLIM_INFINITY or limit["Hard"] <= hard


def test_an_engine_is_asked_to_turn_logs_over_as_they_are_here() -> None:
    assert log_config()["Config"] == {"max-size": str(LARGEST), "max-file": str(1 + KEPT)}


def test_programs_without_a_c_library_make_no_image(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n", encoding="utf-8")
    with pytest.raises(NoBaseImage):
        _libraries([tmp_path / "script"])


def test_the_base_holds_what_serving_needs_and_nothing_that_trains(tmp_path: Path) -> None:
    base = BaseImage()
    assert {"modelwright", "uvicorn", "orjson", "msgspec", "polars"} <= base.distributions.keys()
    assert base.distributions.keys().isdisjoint({"scikit-learn", "pandas", "lightgbm", "fastapi"})
    assert "lightgbm" in BaseImage(more=["lightgbm"]).distributions
    assert base.tag == BaseImage().tag != BaseImage(more=["lightgbm"]).tag
    small = BaseImage()
    small.distributions = {}
    small.write(tmp_path / "base.tar")
    with tarfile.open(tmp_path / "base.tar") as tar:
        names = tar.getnames()
    inside = PLACE.lstrip("/")
    assert f"{inside}/bin/python" in names
    assert any(n.endswith("site-packages/modelwright/serve/replica.py") for n in names)
    assert any("ld-linux" in n or "ld-" in n for n in names)
    assert not any("studio_dist" in n or "__pycache__" in n for n in names)


def test_a_base_made_for_some_packages_is_enough_for_others_or_not() -> None:
    assert has_all((), ())
    assert has_all(["lightgbm"], ["lightgbm"])
    assert not has_all([], ["lightgbm"])
    assert not has_all(["lightgbm"], ["learn"])
    # What scripts may need has all else.
    assert has_all(["learn"], ["lightgbm", "learn"])
