"""What can go wrong between a pipeline and the world around it."""

from __future__ import annotations

from modelwright.components.errors import ComponentError


class InvalidAddress(ComponentError):
    """A web address cannot be one that data are read from."""

    code = "invalid-address"

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f'The address "{address}" cannot be read from: {why}.',
            remedy="Write the full address of a public file, such as https://example.org/cars.csv.",
            address=address,
            why=why,
        )


class AddressNotAllowed(ComponentError):
    """A web address leads into this machine or its private network."""

    code = "address-not-allowed"

    def __init__(self, address: str, host: str, found: str) -> None:
        super().__init__(
            f'The address "{address}" leads to {found}, which is not in the public network.',
            remedy="If pipelines may read from there, say so where the server runs: "
            f"modelwright connection allow --host {host}.",
            address=address,
            host=host,
            found=found,
        )


class DownloadFailed(ComponentError):
    """A web server did not give the file."""

    code = "download-failed"

    def __init__(self, address: str, why: str, *, attempts: int = 1) -> None:
        tried = f" after {attempts} attempts" if attempts > 1 else ""
        super().__init__(
            f'"{address}" could not be downloaded{tried}: {why}.',
            remedy="Check the address in a browser, and run the step again when the server answers.",
            address=address,
            why=why,
            attempts=attempts,
        )


class DownloadTooLarge(ComponentError):
    """A file is larger than pipelines may download."""

    code = "download-too-large"

    def __init__(self, address: str, limit: int) -> None:
        super().__init__(
            f'"{address}" has more than the {limit} bytes that may be downloaded.',
            remedy="Raise the limit with modelwright connection allow --largest BYTES, "
            "or import a part of the data.",
            address=address,
            limit=limit,
        )


class UnknownConnection(ComponentError):
    """A node names a connection that the workspace does not have."""

    code = "unknown-connection"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'There is no connection "{name}".',
            remedy="Choose one that modelwright connection list shows, or add it with "
            "modelwright connection add.",
            connection=name,
        )


class InvalidConnection(ComponentError):
    """A connection, or a path without one, does not lead to a place that data are exchanged with."""

    code = "invalid-connection"

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f'"{place}" is no place for data: {why}.',
            remedy="Correct the path, or the connection with modelwright connection add.",
            place=place,
            why=why,
        )


class FolderNotAllowed(ComponentError):
    """A path on this machine is outside the folders that pipelines may use."""

    code = "folder-not-allowed"

    def __init__(self, path: str, allowed: tuple[str, ...]) -> None:
        listed = ", ".join(allowed) or "none"
        super().__init__(
            f'Pipelines may not use "{path}"; the folders that they may use are: {listed}.',
            remedy="Put the file into one of these folders, or allow its own where the server runs: "
            "modelwright connection allow --folder DIR.",
            path=path,
            allowed=list(allowed),
        )


class NothingThere(ComponentError):
    """A path names no file, or a folder without any."""

    code = "nothing-there"

    def __init__(self, path: str) -> None:
        super().__init__(
            f'There is no file at "{path}".',
            remedy="Check the path; FOLDER/** takes every file under a folder, and * stands for any "
            "part of a name.",
            path=path,
        )


class StorageFailed(ComponentError):
    """A storage service refused, or could not be reached."""

    code = "storage-failed"

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f'"{place}" cannot be used: {why}.',
            remedy="Check the path, and the address and keys of the connection.",
            place=place,
            why=why,
        )


class ColumnsDiffer(ComponentError):
    """Files that are to be one table do not have the same columns."""

    code = "columns-differ"

    def __init__(self, first: str, second: str, difference: str) -> None:
        super().__init__(
            f'"{second}" does not have the columns of "{first}": {difference}.',
            remedy="Import files with the same columns only, or each kind with a node of its own.",
            first=first,
            second=second,
            difference=difference,
        )


class TargetExists(ComponentError):
    """An export would write over something that is there."""

    code = "target-exists"

    def __init__(self, target: str) -> None:
        super().__init__(
            f'"{target}" exists already.',
            remedy='Choose another path, or set "If it exists" to Overwrite or Append.',
            target=target,
        )


class DatabaseFailed(ComponentError):
    """A database cannot be reached, or refuses what it is asked."""

    code = "database-failed"

    def __init__(self, place: str, why: str, *, query: str = "") -> None:
        asked = f" (asked: {query})" if query else ""
        super().__init__(
            f'The database of connection "{place}" refused: {why}{asked}.',
            remedy="Check the query, and the address, account and password of the connection.",
            connection=place,
            why=why,
            query=query,
        )
