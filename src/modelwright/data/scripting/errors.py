"""What can go wrong with a user's script."""

from __future__ import annotations

from modelwright.data.errors import ModelwrightError

_LONGEST = 1000


class ScriptError(ModelwrightError):
    """The user's script does not parse, raises an error, or gives back what is no result.

    line: of the script, from 1; None when no line of it is to blame.
    """

    code = "script-failed"

    def __init__(self, why: str, *, line: int | None = None, remedy: str = "") -> None:
        # It may hold anything, such as halves of characters and whole documents.
        why = why.encode("utf-8", "backslashreplace").decode()
        why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]} …"
        place = f"Line {line} of the script" if line else "The script"
        super().__init__(
            f"{place}: {why}.",
            remedy=remedy or "Correct the script; the log holds what it printed until then.",
            line=line,
            why=why,
        )


class ScriptTimedOut(ModelwrightError):
    """The user's script worked longer than it may."""

    code = "script-timed-out"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The script was stopped after {seconds:g} seconds.",
            remedy='Make the script faster, or raise "Time limit" in the node\'s settings.',
            seconds=seconds,
        )


class ScriptOutOfMemory(ModelwrightError):
    """The user's script wanted more memory than it may have."""

    code = "script-out-of-memory"

    def __init__(self, gigabytes: float | None, *, line: int | None = None) -> None:
        place = f"line {line} of the script" if line else "the script"
        limit = (
            f"more than {gigabytes:g} GB of memory" if gigabytes else "more memory than there is"
        )
        super().__init__(
            f"{place[:1].upper()}{place[1:]} needs {limit}.",
            remedy='Work on fewer rows or columns, or raise "Memory limit" in the node\'s settings.',
            gigabytes=gigabytes,
            line=line,
        )


class ScriptEnded(ModelwrightError):
    """The process of the user's script ended by itself."""

    code = "script-ended"

    def __init__(self) -> None:
        super().__init__(
            "The process of the script ended before it gave a result: it was left, or it crashed.",
            remedy="Look at the end of the log; leave out os._exit, and check native libraries.",
        )


class ScriptHostFailed(ModelwrightError):
    """No process can be started for the user's script."""

    code = "script-host-failed"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The process for the script does not start: {why}.",
            remedy="Check the packages among the requirements: one may not go with this version of "
            "Python, pandas or NumPy.",
            why=why,
        )


class RequirementsNotInstalled(ModelwrightError):
    """The packages that a script asks for cannot be installed."""

    code = "requirements-not-installed"

    def __init__(self, requirements: str, why: str) -> None:
        super().__init__(
            f"The packages of the script cannot be installed: {why}.",
            remedy="Check their names and versions; the log holds what the installer said.",
            requirements=requirements,
            why=why,
        )
