"""Where every command ends: its errors become one message and an exit status."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import typer

from modelwright.cli.place import chosen_home, forget
from modelwright.cli.printing import tell
from modelwright.data.errors import ModelwrightError

USER_MISTAKE = 2
OUR_MISTAKE = 1
INTERRUPTED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command; the status to exit with: 0, 2 for a user's mistake, 1 for ours."""
    try:
        given = command()
        sys.stdout.flush()
    except ModelwrightError as error:
        tell(f"error [{error.code}]: {error.happened.rstrip()}")
        if error.remedy:
            tell(f"  {error.remedy}")
        return _status(error)
    except typer.TyperException as error:
        return _misused(error)
    except typer.Exit as done:
        return done.exit_code
    except SystemExit as done:
        # Typer's answer to a pipe that was closed while it was written to is status 1.
        return done.code if isinstance(done.code, int) and done.code != 1 else 0
    except (KeyboardInterrupt, typer.Abort):
        tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` does; what is left is nobody's.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001  # the rim: what is not known is our mistake, kept with its id
        reference, place = _keep_trace(traceback.format_exc())
        tell(f"error [internal]: Something went wrong inside Modelwright (reference {reference}).")
        tell(f"  This is our mistake, not yours; the details are in {place}.")
        return OUR_MISTAKE
    finally:
        forget()
    return given if isinstance(given, int) else 0


def _status(error: ModelwrightError) -> int:
    if error.code == "run-cancelled":
        return INTERRUPTED
    # A step that broke by a fault of ours has a number to ask about.
    return OUR_MISTAKE if error.fields.get("reference") else USER_MISTAKE


def _misused(error: typer.TyperException) -> int:
    message = error.format_message().strip()
    context = getattr(error, "ctx", None)
    if not message:
        # A group without a command has shown its help, which is what was wanted.
        return 0
    tell(f"error [usage]: {message}")
    if context is not None:
        tell(f"  See: {context.command_path} --help")
    return USER_MISTAKE


def _keep_trace(trace: str) -> tuple[str, Path]:
    """Write what happened to the home's logs; its reference and the file."""
    now = datetime.now(UTC)
    reference = secrets.token_hex(4)
    name = f"error-{now:%Y%m%d-%H%M%S}-{reference}.log"
    text = f"{now.isoformat()} {reference}\n{' '.join(sys.argv)}\n\n{trace}"
    for folder in (chosen_home() / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        except OSError:
            continue
        return reference, folder / name
    tell(text)
    return reference, Path("(printed above)")
