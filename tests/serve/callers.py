"""Callers of an endpoint, for tests that count what becomes of every request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.inference.cars import car_request
from tests.serve.replicas import AUTHORIZED


@contextmanager
def calling(url: str, callers: int = 2) -> Iterator[list[int]]:
    """The statuses of the answers to callers that never pause; 0 for a request without an answer."""
    over = threading.Event()
    found: list[int] = []

    def call() -> None:
        with httpx.Client(headers=AUTHORIZED, timeout=120) as client:
            while not over.is_set():
                try:
                    found.append(client.post(url, content=car_request()).status_code)
                except httpx.HTTPError:
                    found.append(0)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join()


def widths(url: str, times: int) -> list[int]:
    """How many columns each of some answers has, one after the other."""
    with httpx.Client(headers=AUTHORIZED, timeout=120) as client:
        answers = [client.post(url, content=car_request()) for _ in range(times)]
    assert {answer.status_code for answer in answers} == {200}
    return [len(answer.json()["Results"]["WebServiceOutput0"][0]) for answer in answers]
