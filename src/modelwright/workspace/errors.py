"""What can go wrong with remembered things, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from modelwright.data.errors import ModelwrightError, nearest, suggestion
from modelwright.workspace.records.assets import Use


class NotFound(ModelwrightError):
    """Nothing by that name or id is remembered."""

    code = "not-found"

    def __init__(
        self, kind: str, name: str, known: Sequence[str] = (), *, remedy: str = ""
    ) -> None:
        super().__init__(
            f'There is no {kind} "{name}".',
            remedy=remedy or suggestion(name, tuple(known)) + f"List every {kind} to see its name.",
            kind=kind,
            name=name,
            near=list(nearest(name, tuple(known))),
        )


class NameTaken(ModelwrightError):
    """The name belongs to something else."""

    code = "name-taken"

    def __init__(self, kind: str, name: str, *, remedy: str = "Choose another name.") -> None:
        super().__init__(
            f'The name "{name}" is taken by another {kind}.', remedy=remedy, kind=kind, name=name
        )


class InvalidName(ModelwrightError):
    """A name breaks the rule for its kind."""

    code = "invalid-name"

    def __init__(self, kind: str, name: str, rule: str) -> None:
        super().__init__(
            f'"{name}" cannot be the name of this {kind}.',
            remedy=f"Use {rule}.",
            kind=kind,
            name=name,
            rule=rule,
        )


class UnstorableText(ModelwrightError):
    """A text holds characters that a database cannot hold."""

    code = "unstorable-text"

    def __init__(self, character: str, position: int) -> None:
        super().__init__(
            f"The text holds the character U+{ord(character):04X} at position {position}, "
            "which cannot be stored.",
            remedy="Remove the character.",
            character=f"U+{ord(character):04X}",
            position=position,
        )


class InvalidCursor(ModelwrightError):
    """The mark where a page begins is not one that a list handed out."""

    code = "invalid-cursor"

    def __init__(self, cursor: str) -> None:
        super().__init__(
            f'"{cursor}" does not mark a place in the list.',
            remedy="Pass `after` of the page before, or nothing for the first page.",
            cursor=cursor,
        )


class Conflict(ModelwrightError):
    """A draft was saved elsewhere since it was read."""

    code = "edit-conflict"

    def __init__(self, draft: str, *, expected: int, revision: int) -> None:
        super().__init__(
            f'Draft "{draft}" is at revision {revision}; this change was made to revision {expected}.',
            remedy="Load the current revision and apply the change again, or save it as a new draft.",
            draft=draft,
            expected=expected,
            revision=revision,
        )

    @property
    def revision(self) -> int:
        """The revision that is current now."""
        return cast(int, self.fields["revision"])  # set above, or by the error's own JSON


class InUse(ModelwrightError):
    """Something cannot be deleted, since other things need it."""

    code = "in-use"

    def __init__(
        self,
        kind: str,
        name: str,
        uses: Sequence[Use],
        *,
        remedy: str = "Remove it there first, or delete it by force.",
    ) -> None:
        listed = ", ".join(f'{use.kind} "{use.title}"' for use in uses)
        super().__init__(
            f'The {kind} "{name}" is used by {listed}.',
            remedy=remedy,
            kind=kind,
            name=name,
            uses=[{"kind": use.kind, "id": use.id, "title": use.title} for use in uses],
        )


class WrongState(ModelwrightError):
    """What was asked for does not fit the state a thing is in."""

    code = "wrong-state"

    def __init__(self, kind: str, name: str, state: str, wanted: str, *, remedy: str) -> None:
        super().__init__(
            f'The {kind} "{name}" is {state}, so it cannot {wanted}.',
            remedy=remedy,
            kind=kind,
            name=name,
            state=state,
            wanted=wanted,
        )


class InvalidTraffic(ModelwrightError):
    """The traffic shares of an endpoint do not make a whole."""

    code = "invalid-traffic"

    def __init__(self, endpoint: str, shares: dict[int, int]) -> None:
        told = ", ".join(f"deployment {n}: {share} %" for n, share in shares.items()) or "none"
        super().__init__(
            f'The traffic shares of endpoint "{endpoint}" ({told}) do not add up to 100 %.',
            remedy="Give each deployment a whole percentage from 0 to 100 that together make 100.",
            endpoint=endpoint,
            shares={str(n): share for n, share in shares.items()},
        )


class TokenRejected(ModelwrightError):
    """A login token, session or API token does not open the door."""

    code = "token-rejected"

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(
            f"The {kind} is {reason}.",
            remedy="Open the login address that `modelwright up` prints, or create a new token.",
            kind=kind,
            reason=reason,
        )


class SecretKeyMismatch(ModelwrightError):
    """A sealed value was written under another secret key."""

    code = "secret-key-mismatch"

    def __init__(self, what: str, key_file: str) -> None:
        super().__init__(
            f'{what} cannot be opened with the key in "{key_file}".',
            remedy="Put back the key file that was in use when it was stored, or enter it anew.",
            what=what,
            key_file=key_file,
        )


class HomeUnusable(ModelwrightError):
    """The home folder cannot be made or written."""

    code = "home-unusable"

    def __init__(self, home: str, reason: str) -> None:
        super().__init__(
            f'The home folder "{home}" cannot be used: {reason}.',
            remedy="Choose a folder you may write with --home or MODELWRIGHT_HOME.",
            home=home,
            reason=reason,
        )


class DatabaseUnavailable(ModelwrightError):
    """The database cannot be reached, read or written."""

    code = "database-unavailable"

    def __init__(self, database: str, reason: str, *, remedy: str) -> None:
        super().__init__(
            f'The database "{database}" cannot be used: {reason}.',
            remedy=remedy,
            database=database,
            reason=reason,
        )


class DatabaseFull(ModelwrightError):
    """The disk under the database is full; what was stored before is still there."""

    code = "database-full"

    def __init__(self, database: str) -> None:
        super().__init__(
            f'There is no room left to write to the database "{database}"; '
            "this change was not stored, everything before it was.",
            remedy="Free disk space, then try again.",
            database=database,
        )


class NewerDatabase(ModelwrightError):
    """The database was written by a newer version of the program."""

    code = "newer-database"

    def __init__(self, database: str, *, revision: str, known: str) -> None:
        super().__init__(
            f'The database "{database}" was written by a newer Modelwright '
            f"(schema {revision}; this version knows up to {known}); nothing was changed.",
            remedy="Install that newer version, or choose another home with --home.",
            database=database,
            revision=revision,
            known=known,
        )


class ForeignDatabase(ModelwrightError):
    """The database already holds tables of something else."""

    code = "foreign-database"

    def __init__(self, database: str, tables: Sequence[str]) -> None:
        super().__init__(
            f'The database "{database}" already holds tables of another program '
            f"({', '.join(tables)}); nothing was changed.",
            remedy="Give an empty database or schema.",
            database=database,
            tables=list(tables),
        )


class UnsupportedDatabase(ModelwrightError):
    """The database URL names nothing that can be used here."""

    code = "unsupported-database"

    def __init__(self, database: str, reason: str, *, remedy: str) -> None:
        super().__init__(
            f'The database "{database}" is not supported: {reason}.',
            remedy=remedy,
            database=database,
            reason=reason,
        )
