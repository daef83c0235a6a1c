from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from modelwright.actions.run_pipeline import begin_run
from modelwright.cli.progress import Bars, Lines, watch
from modelwright.graph.codec import read
from modelwright.run.events import Event, StepReport
from tests.actions.homes import SWEEP, broken, open_home


def last_frame(written: str) -> list[str]:
    """What stands on the terminal at the end: everything after the last erased line."""
    return written.rpartition("\x1b[2K")[2].removesuffix("\x1b[?25h").splitlines()


def test_on_a_terminal_each_step_has_a_bar_that_says_how_it_ended(tmp_path: Path) -> None:
    out = io.StringIO()
    terminal = Console(file=out, force_terminal=True, width=100, color_system=None)
    with open_home(tmp_path) as home:
        begun = begin_run(home, broken().graph)
        with Bars(begun.plan, verbose=True, terminal=terminal) as bars:
            begun.work(bars.take)
    frame = last_frame(out.getvalue())
    assert len(frame) == 3
    for line, mark, title, end in zip(
        frame,
        "✓✗✗",
        ("Enter Data Manually", "Execute Python Script", "Select Columns in Dataset"),
        ("done in ", "failed [", 'skipped, since "script" did not finish'),
        strict=True,
    ):
        assert line.startswith(f"{mark} {title} ")
        assert end in line
    assert "  so far so good" in out.getvalue()


def test_elsewhere_each_step_that_ends_has_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_home(tmp_path) as home:
        begun = begin_run(home, broken().graph)
        assert isinstance(watch(begun.plan), Lines)
        with Lines(begun.plan) as lines:
            begun.work(lines.take)
    written = capsys.readouterr()
    assert written.out == ""
    first, second, third = written.err.splitlines()
    assert first.startswith("[1/3] Enter Data Manually: done in ")
    assert second.startswith("[2/3] Execute Python Script: failed [")
    assert third == '[3/3] Select Columns in Dataset: skipped, since "script" did not finish'


def test_a_sweep_tells_its_best_so_far(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    terminal = Console(file=out, force_terminal=True, width=120, color_system=None)
    with open_home(tmp_path) as home:
        begun = begin_run(home, read(SWEEP).graph)
        told: list[Event] = []
        begun.work(told.append)
    with Lines(begun.plan, verbose=True) as lines:
        for event in told:
            lines.take(event)
    with Bars(begun.plan, terminal=terminal) as bars:
        for event in told:
            bars.take(event)
            if isinstance(event, StepReport):
                bars._progress.refresh()
    written = [li.strip() for li in capsys.readouterr().err.splitlines() if "settings, best" in li]
    assert len(written) == 3
    prefix = "Tune Model Hyperparameters: 3 of 3 settings, best Mean_Absolute_Error 0."
    assert written[-1].startswith(prefix)
    assert "2 of 3 settings, best Mean_Absolute_Error" in out.getvalue()
