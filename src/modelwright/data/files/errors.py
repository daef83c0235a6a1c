"""What can be wrong with a file of rows, each with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from modelwright.data.errors import ModelwrightError


class FileMissing(ModelwrightError):
    """A file is not there, or may not be read."""

    code = "file-not-found"

    def __init__(self, file: str, why: str = "there is no such file") -> None:
        super().__init__(
            f'"{file}" cannot be read: {why}.',
            remedy="Check the path and the right to read it.",
            file=file,
            why=why,
        )


class EmptyFile(ModelwrightError):
    """A file holds no rows and no column names."""

    code = "empty-file"

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} is empty.",
            remedy="Choose a file with at least a line of column names.",
            file=file,
        )


class UnknownFormat(ModelwrightError):
    """A file is in no format that is read here."""

    code = "unknown-file-format"

    def __init__(self, file: str, found: str) -> None:
        super().__init__(
            f"{file} is {found}.",
            remedy="Use CSV, TSV, Parquet, JSON lines or Arrow; save a spreadsheet as CSV, "
            "and unpack an archive first.",
            file=file,
            found=found,
        )


class UnreadableFile(ModelwrightError):
    """A file is not whole, or not in the format it should be in."""

    code = "unreadable-file"

    def __init__(self, file: str, format_name: str, why: str, *, line: int | None = None) -> None:
        place = f"Line {line} of {file}" if line else file
        super().__init__(
            f"{place} cannot be read as {format_name}: {why}.",
            remedy="Get the file again, or choose the format it is really in.",
            file=file,
            format=format_name,
            why=why,
            line=line,
        )


class RaggedRows(ModelwrightError):
    """Some rows have more or fewer fields than there are columns."""

    code = "ragged-rows"

    def __init__(
        self, file: str, columns: int, rows: Sequence[tuple[int, int]], count: int
    ) -> None:
        shown = ", ".join(f"line {line} has {fields}" for line, fields in rows)
        more = f" and {count - len(rows)} more" if count > len(rows) else ""
        super().__init__(
            f"{file} has {columns} columns, but {shown}{more}.",
            remedy="Mend these lines, choose another separator or quote character, "
            "or choose to fill up or to leave out such rows.",
            file=file,
            columns=columns,
            lines=[{"line": line, "fields": fields} for line, fields in rows],
            count=count,
        )


class UnclosedQuote(ModelwrightError):
    """A quoted field never ends."""

    code = "unclosed-quote"

    def __init__(self, file: str, line: int, quote: str) -> None:
        super().__init__(
            f"The quote ({quote}) that opens in line {line} of {file} is never closed.",
            remedy="Mend that line, or choose another quote character, or none.",
            file=file,
            line=line,
            quote=quote,
        )


class WrongEncoding(ModelwrightError):
    """Bytes of a text file are none in the encoding it is read in."""

    code = "wrong-encoding"

    def __init__(
        self,
        file: str,
        encoding: str,
        *,
        offset: int,
        line: int,
        readings: Sequence[tuple[str, str]],
    ) -> None:
        shown = "; ".join(f'{name} gives "{text}"' for name, text in readings)
        tried = f" There, {shown}." if readings else ""
        super().__init__(
            f"{file} is not {encoding}: byte {offset} in line {line} does not fit.{tried}",
            remedy="Choose the encoding in which the text reads right"
            + (f", such as {readings[0][0]}." if readings else "."),
            file=file,
            encoding=encoding,
            offset=offset,
            line=line,
            try_encodings=[name for name, _ in readings],
        )


class UnreadableValue(ModelwrightError):
    """A value does not fit the type that was asked for."""

    code = "unreadable-value"

    def __init__(
        self, file: str, column: str, type_name: str, *, row: int, value: str, count: int
    ) -> None:
        more = f" ({count} such values)" if count > 1 else ""
        super().__init__(
            f'"{value}" in row {row} of column "{column}" of {file} is no {type_name}{more}.',
            remedy=f'Mend the value, list it among the marks for missing ones, or read "{column}" as '
            "String.",
            file=file,
            column=column,
            type=type_name,
            row=row,
            value=value,
            count=count,
        )


class InvalidReadOption(ModelwrightError):
    """A choice of how to read a file cannot be."""

    code = "invalid-read-option"

    def __init__(self, option: str, value: object, why: str) -> None:
        super().__init__(
            f'The reading option "{option}" is {value!r}: {why}.',
            remedy=f'Choose another value for "{option}".',
            option=option,
            value=value if isinstance(value, (str, int, float, bool)) else repr(value),
            why=why,
        )


class CannotWriteFile(ModelwrightError):
    """A file cannot be written; one that was there before is unchanged."""

    code = "cannot-write-file"

    def __init__(self, file: str, why: str) -> None:
        super().__init__(
            f'"{file}" cannot be written: {why}.',
            remedy="Check the folder, the right to write there and the free space.",
            file=file,
            why=why,
        )
