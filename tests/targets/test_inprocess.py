from __future__ import annotations

from modelwright.targets.contract import Delivery, Free, Message, WorkerId
from modelwright.targets.inprocess import Answer, InProcess, Program

HERE = WorkerId("in-process")


def echo(answer: Answer) -> Program:
    return lambda session, body: answer(session, body.upper())


def test_a_message_is_answered_before_send_returns() -> None:
    heard: list[Delivery] = []
    session = InProcess(echo).session(heard.append)
    assert session.take() == HERE
    session.send(HERE, b"hello")
    assert heard == [Message(HERE, b"HELLO")]


def test_the_worker_belongs_to_one_session_at_a_time() -> None:
    target = InProcess(echo)
    told: list[Delivery] = []
    one, other = target.session(lambda _: None), target.session(told.append)
    assert one.take() == HERE
    assert other.take() is None
    assert not other.grow()
    one.free(HERE)
    assert told == [Free()]
    assert other.take([HERE]) == HERE
    other.close()
    assert one.take() == HERE


def test_a_worker_that_is_not_wanted_is_not_taken() -> None:
    session = InProcess(echo).session(lambda _: None)
    assert session.take([WorkerId("another")]) is None


def test_nothing_is_delivered_to_a_closed_session() -> None:
    heard: list[Delivery] = []
    session = InProcess(echo).session(heard.append)
    session.close()
    session.send(HERE, b"hello")
    assert heard == []
