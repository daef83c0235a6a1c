"""Datasets, uploads and how a file is read, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from modelwright.actions.datasets import Added
from modelwright.api.shapes.graph import Column, columns_of
from modelwright.api.shapes.shape import Asked, Moment, Name, Shape
from modelwright.data.files.options import MISSING, Format
from modelwright.data.files.options import ReadOptions as ReadOptionsRecord
from modelwright.data.files.suggest import ParsePreview
from modelwright.data.schema import ColumnType, Schema
from modelwright.workspace.records.assets import Dataset as DatasetRecord


class ReadOptions(Asked):
    """How a file is to be read; all but format and types are for CSV and TSV."""

    format: Format | None = None
    """Null takes what content and name say."""
    separator: str | None = None
    """One character; null takes the one that divides the first lines evenly."""
    header: bool = True
    """The first line holds names."""
    encoding: str | None = None
    """Null takes what a byte order mark says, else UTF-8."""
    missing: list[str] = list(MISSING)
    """What a field must read to be missing."""
    decimal: Literal[".", ","] = "."
    quote: str = '"'
    """One character; empty for none."""
    skip_rows: Annotated[int, Field(ge=0, le=10**9)] = 0
    trim: bool = False
    """Remove blanks around text."""
    ragged: Literal["error", "pad", "skip"] = "error"
    """What becomes of rows with too many or too few fields."""
    types: dict[str, ColumnType] = {}
    """Of columns by name, in place of those found."""

    def record(self) -> ReadOptionsRecord:
        """The choices.  Raises InvalidReadOption."""
        return ReadOptionsRecord.from_json(self.model_dump(mode="json"))

    @classmethod
    def of(cls, options: ReadOptionsRecord) -> ReadOptions:
        """The body of choices."""
        return cls.model_validate(options.to_json())


class UploadAsked(Asked):
    """A file that is about to be uploaded."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    size: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """Bytes; when given it is refused here if there is no room for it."""


class Upload(Shape):
    """A file that is being brought in."""

    id: str
    name: str
    size: int | None
    received: int
    """Bytes that are here."""
    complete: bool


class Note(Shape):
    """Something that reading a file did or guessed beside reading it."""

    code: str
    text: str
    fields: dict[str, Any]


class PreviewAsked(Asked):
    """How to read the start of a file; choices at their default are guessed."""

    options: ReadOptions = ReadOptions()
    rows: Annotated[int, Field(ge=0, le=1000)] = 100


class Preview(Shape):
    """How a file would be read, and its first rows read so."""

    options: ReadOptions
    columns: list[Column]
    rows: list[list[Any]]
    """Values as `Rows` has them."""
    notes: list[Note]
    """What was guessed, or would go wrong."""
    size: int
    complete: bool
    """The whole file was looked at; if not, types are those of its start."""

    @classmethod
    def of(cls, found: ParsePreview) -> Preview:
        """The body of a preview."""
        return cls.model_construct(
            options=ReadOptions.of(found.options),
            columns=columns_of(found.schema),
            rows=found.rows,
            notes=[Note.of(n) for n in found.notes],
            size=found.size,
            complete=found.complete,
        )


class Lineage(Shape):
    """Where an asset came from: a port of a run's node, and the draft that was run."""

    run_id: str | None
    node: str | None
    port: str | None
    draft_id: str | None


class Dataset(Shape):
    """One version of a dataset; name and version name the same content for ever."""

    name: str
    version: int
    digest: str
    """Leads to its rows, profile and files under /api/artifacts."""
    description: str
    origin: dict[str, Any]
    """How the content came here: the file's name and how it was read, or the sample's terms."""
    rows: int | None
    columns: list[Column]
    tags: dict[str, str]
    lineage: Lineage
    created_at: Moment
    deleted_at: Moment | None

    @classmethod
    def of(cls, dataset: DatasetRecord) -> Dataset:
        """The body of a dataset."""
        return cls.model_construct(
            name=dataset.name,
            version=dataset.version,
            digest=dataset.digest,
            description=dataset.description,
            origin=dict(dataset.origin),
            rows=dataset.rows,
            columns=columns_of(Schema.from_json(dataset.schema or [])),
            tags=dict(dataset.tags),
            lineage=Lineage.of(dataset.lineage),
            created_at=dataset.created_at,
            deleted_at=dataset.deleted_at,
        )


class NewDataset(Asked):
    """An uploaded file that is to become a dataset, or its next version."""

    name: Name
    upload: str
    """Id of a complete upload; it is removed once the dataset is registered."""
    options: ReadOptions = ReadOptions()
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: dict[str, str] = {}


class AddedDataset(Shape):
    """A dataset as it was registered, and what is to be told of reading its file."""

    dataset: Dataset
    notes: list[Note]
    is_new: bool
    """False when the latest version of that name had the same content already."""

    @classmethod
    def of(cls, added: Added) -> AddedDataset:
        """The body of what was added."""
        return cls.model_construct(
            dataset=Dataset.of(added.dataset),
            notes=[Note.of(n) for n in added.notes],
            is_new=added.is_new,
        )


class Description(Asked):
    """What people say of an asset; null leaves it as it is."""

    description: Annotated[str, Field(max_length=10_000)] | None = None
    tags: dict[str, str] | None = None


class AssetUse(Shape):
    """Who needs an asset."""

    kind: Literal["draft", "run", "endpoint"]
    id: str
    title: str
    version: int | None
    """The version it names; null for the latest."""
    active: bool
    """It would break without the asset."""
