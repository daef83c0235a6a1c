from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from modelwright.targets.contract import (
    Delivery,
    Ended,
    Free,
    Gone,
    Message,
    NotStarted,
    Session,
    Target,
    TargetError,
    WorkerId,
)
from modelwright.targets.local import LocalProcesses
from tests.waiting import until

PROGRAM = """
import os, sys, tempfile, time, subprocess
from modelwright.targets.channel import READY, Channel

channel = Channel.at(int(sys.argv[1]))
print("worker starts", flush=True)
channel.send(READY, b"")
while True:
    try:
        address, body = channel.receive()
    except EOFError:
        os._exit(0)
    word = body.decode()
    if word == "pid":
        channel.send(address, str(os.getpid()).encode())
    elif word == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        channel.send(address, str(child.pid).encode())
    elif word.startswith("exit"):
        sys.exit(int(word.split()[1]))
    elif word == "variable":
        channel.send(address, " ".join(os.environ.get(n, "-") for n in ("GREETING", "HIDDEN")).encode())
    elif word == "sleep":
        channel.send(address, b"sleeping")
        time.sleep(600)
    elif word == "litter":
        channel.send(address, tempfile.mkdtemp().encode())
    elif word.startswith("big"):
        channel.send(address, b"x" * int(word.split()[1]))
"""

Pool = Callable[..., LocalProcesses]
D = TypeVar("D")


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    (tmp_path / "echo_worker.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[LocalProcesses] = []

    def make(entry: str = "echo_worker", **settings: object) -> LocalProcesses:
        made.append(LocalProcesses(entry, **settings))  # type: ignore[arg-type]  # settings vary
        return made[-1]

    yield make
    for each in made:
        each.close()


class Inbox:
    """What a session hears, in order."""

    def __init__(self, target: Target) -> None:
        self.heard: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self.session: Session = target.session(self.heard.put)

    def next(self, kind: type[D]) -> D:
        """The next delivery of that kind; the others before it are dropped."""
        while True:
            found = self.heard.get(timeout=20)
            if isinstance(found, kind):
                return found

    def take(self) -> WorkerId:
        worker = self.session.take()
        assert worker is not None
        return worker

    def ask(self, worker: WorkerId, word: str) -> str:
        self.session.send(worker, word.encode())
        return self.next(Message).body.decode()


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_worker_answers_the_session_that_asked(pool: Pool) -> None:
    target = pool(most=2)
    target.warm(2)
    one, other = Inbox(target), Inbox(target)
    first, second = one.take(), other.take()
    pids = {one.ask(first, "pid"), other.ask(second, "pid")}
    assert pids == {str(pid) for pid in target.pids}
    assert first != second


def test_a_message_of_many_megabytes_arrives_whole(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    inbox = Inbox(target)
    assert inbox.ask(inbox.take(), "big 20000000") == "x" * 20_000_000


def test_a_taken_worker_is_nobody_elses_until_it_is_given_back(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    one, other = Inbox(target), Inbox(target)
    worker = one.take()
    assert other.session.take() is None
    assert not other.session.grow()
    one.session.free(worker)
    assert other.next(Free) == Free()
    assert other.session.take([WorkerId("another"), worker]) == worker


def test_a_session_that_asks_for_more_is_told_when_it_is_there(pool: Pool) -> None:
    target = pool(most=1)
    inbox = Inbox(target)
    assert inbox.session.take() is None
    assert inbox.session.grow()
    assert not inbox.session.grow()
    inbox.next(Free)
    assert inbox.ask(inbox.take(), "pid") == str(target.pids[0])


def test_a_killed_worker_is_told_of_by_its_signal_and_replaced(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    inbox = Inbox(target)
    worker = inbox.take()
    pid = int(inbox.ask(worker, "pid"))
    os.kill(pid, signal.SIGKILL)
    assert inbox.next(Gone) == Gone(worker, Ended(-signal.SIGKILL, "worker starts"))
    inbox.next(Free)
    assert int(inbox.ask(inbox.take(), "pid")) != pid


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_worker_leaves_among_the_temporary_files_goes_with_it(
    pool: Pool, end: signal.Signals
) -> None:
    target = pool(most=1)
    target.warm(1)
    inbox = Inbox(target)
    worker = inbox.take()
    left = Path(inbox.ask(worker, "litter"))
    assert left.is_dir()
    os.kill(target.pids[0], end)
    inbox.next(Gone)
    assert not left.parent.exists()
    inbox.next(Free)
    assert Path(inbox.ask(inbox.take(), "litter")).is_dir()


def test_a_worker_that_exits_is_told_of_by_its_status(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    inbox = Inbox(target)
    worker = inbox.take()
    inbox.session.send(worker, b"exit 7")
    how = inbox.next(Gone).how
    assert (how.status, how.signal, str(how)) == (7, None, "ended with status 7")


def test_killing_a_worker_ends_what_it_started_too(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    inbox = Inbox(target)
    worker = inbox.take()
    child = int(inbox.ask(worker, "child"))
    assert is_running(child)
    inbox.session.kill(worker)
    assert inbox.next(Gone).how.signal == "SIGKILL"
    until(lambda: not is_running(child))


def test_a_session_cannot_kill_a_worker_it_has_not_taken(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    one, other = Inbox(target), Inbox(target)
    worker = one.take()
    other.session.kill(worker)
    assert one.ask(worker, "pid") == str(target.pids[0])


def test_a_closed_session_leaves_no_worker_at_work(pool: Pool) -> None:
    target = pool(most=1)
    target.warm(1)
    one, other = Inbox(target), Inbox(target)
    worker = one.take()
    assert one.ask(worker, "sleep") == "sleeping"
    one.session.close()
    assert other.next(Gone).worker == worker


def test_workers_end_when_idle_but_not_below_the_least(pool: Pool) -> None:
    target = pool(least=1, most=3, idle_s=0.05)
    user = Inbox(target)
    taken: list[WorkerId] = []
    while len(taken) < 3:
        if worker := user.session.take():
            taken.append(worker)
        else:
            # One that came up may have been ended again before it could be taken.
            user.session.grow()
            time.sleep(0.01)
    assert len(target.pids) == 3
    for each in taken:
        user.session.free(each)
    user.session.close()
    until(lambda: len(target.pids) == 1)
    inbox = Inbox(target)
    assert inbox.ask(inbox.take(), "pid") == str(target.pids[0])


def test_an_idle_worker_that_an_open_session_has_used_is_kept(pool: Pool) -> None:
    target = pool(most=2, idle_s=0.05)
    target.warm(1)
    inbox = Inbox(target)
    worker = inbox.take()
    inbox.session.free(worker)
    target.warm(2)
    until(lambda: len(target.pids) == 1)
    assert inbox.session.take([worker]) == worker


def test_closing_the_target_ends_every_process(pool: Pool) -> None:
    target = pool(most=2)
    target.warm(2)
    pids = target.pids
    target.close()
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)


def test_a_program_that_does_not_start_is_told_of_with_what_it_wrote(pool: Pool) -> None:
    target = pool("no_such_program", most=1)
    inbox = Inbox(target)
    assert inbox.session.grow()
    assert "No module named no_such_program" in inbox.next(NotStarted).how.output
    with pytest.raises(TargetError, match="No module named no_such_program"):
        target.warm(1)


def test_workers_have_the_variables_that_the_target_adds_and_not_those_it_hides(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIDDEN", "password")
    target = pool(most=1, environment={"GREETING": "hello"}, without=["HIDDEN"])
    target.warm(1)
    inbox = Inbox(target)
    assert inbox.ask(inbox.take(), "variable") == "hello -"


def test_workers_end_when_the_program_that_started_them_is_killed(tmp_path: Path) -> None:
    (tmp_path / "echo_worker.py").write_text(PROGRAM)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time\n"
            "from modelwright.targets.local import LocalProcesses\n"
            "target = LocalProcesses('echo_worker', most=1)\n"
            "target.warm(1)\n"
            "session = target.session(lambda delivery: None)\n"
            "print(target.pids[0], flush=True)\n"
            "time.sleep(600)\n",
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not is_running(worker))
