from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from modelwright.data.artifact import Digest
from modelwright.workspace import Workspace
from modelwright.workspace.errors import InUse, InvalidName, NameTaken, NotFound
from modelwright.workspace.records.assets import AssetKind, AssetReference, Lineage
from modelwright.workspace.records.runs import RunStatus
from tests.workspace.conftest import FakeClock

CARS = "Automobile price data (Raw)"


def digest(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")


def dataset(name: str, version: int | None = None) -> AssetReference:
    return AssetReference(AssetKind.DATASET, name, version)


def deployed(workspace: Workspace, endpoint: str, *assets: AssetReference) -> int:
    """The number of a new deployment that gets all requests."""
    deployments = workspace.endpoints.deployments
    made = deployments.add(
        endpoint, package="p", package_digest="sha256:1", settings={}, assets=assets
    )
    deployments.set_traffic(endpoint, {made.number: 100})
    return made.number


def test_a_dataset_is_read_back_as_it_was_added(workspace: Workspace, clock: FakeClock) -> None:
    added = workspace.datasets.add(
        CARS,
        digest=digest(1),
        rows=205,
        columns=26,
        schema=[{"name": "price", "type": "number"}],
        description="Prices of cars",
        origin={"file": "automobile.csv", "separator": ","},
        tags={"licence": "CC BY 4.0"},
        lineage=Lineage("run-1", "split", "first", "draft-1"),
    )

    assert workspace.datasets.get(CARS) == added
    assert (added.name, added.version, added.digest) == (CARS, 1, digest(1))
    assert (added.rows, added.columns, added.description) == (205, 26, "Prices of cars")
    assert added.schema == [{"name": "price", "type": "number"}]
    assert added.origin == {"file": "automobile.csv", "separator": ","}
    assert added.tags == {"licence": "CC BY 4.0"}
    assert added.lineage == Lineage("run-1", "split", "first", "draft-1")
    assert (added.created_at, added.deleted_at) == (clock.time, None)


def test_new_content_under_a_known_name_is_a_new_version(workspace: Workspace) -> None:
    first = workspace.datasets.add("cars", digest=digest(1))
    second = workspace.datasets.add("cars", digest=digest(2))

    assert (first.version, second.version) == (1, 2)
    assert workspace.datasets.get("cars") == second
    assert workspace.datasets.get("cars", version=1) == first
    assert workspace.datasets.versions("cars") == (second, first)


def test_the_same_content_is_the_same_version_unless_forced(workspace: Workspace) -> None:
    first = workspace.datasets.add("cars", digest=digest(1), description="old")
    assert workspace.datasets.add("cars", digest=digest(1), description="new") == first
    assert workspace.datasets.add("cars", digest=digest(1), force=True).version == 2

    workspace.datasets.add("cars", digest=digest(3))
    # Only the latest is compared: going back to old content is news.
    assert workspace.datasets.add("cars", digest=digest(1)).version == 4


def test_the_latest_versions_are_listed_by_name(workspace: Workspace) -> None:
    for name, number in (("émile", 1), ("Zoo", 2), ("cars", 3), ("cars", 4)):
        workspace.datasets.add(name, digest=digest(number), description=f"number {number}")

    listed = workspace.datasets.list()
    assert [(one.name, one.version) for one in listed] == [("cars", 2), ("émile", 1), ("Zoo", 1)]
    assert [one.name for one in workspace.datasets.list(search="EMILE")] == ["émile"]
    assert [one.name for one in workspace.datasets.list(search="number 4")] == ["cars"]
    assert workspace.datasets.list(search="number 3") == ()


def test_versions_added_at_once_get_numbers_of_their_own(workspace: Workspace) -> None:
    with ThreadPoolExecutor(6) as threads:
        added = list(
            threads.map(lambda n: workspace.datasets.add("cars", digest=digest(n)), range(12))
        )
    assert sorted(one.version for one in added) == list(range(1, 13))


def test_an_unknown_name_is_refused_with_the_nearest(workspace: Workspace) -> None:
    workspace.datasets.add(CARS, digest=digest(1))
    with pytest.raises(NotFound) as caught:
        workspace.datasets.get("automobile price data")
    assert caught.value.fields["near"] == [CARS]
    assert CARS in str(caught.value)
    with pytest.raises(NotFound):
        workspace.datasets.versions("automobile price data")


def test_an_unknown_version_is_refused_with_those_there_are(workspace: Workspace) -> None:
    for number in (1, 2):
        workspace.datasets.add("cars", digest=digest(number))
    with pytest.raises(NotFound, match=r"cars, version 9.*version 1, 2"):
        workspace.datasets.get("cars", version=9)


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 201])
def test_a_name_that_cannot_be_read_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidName):
        workspace.datasets.add(name, digest=digest(1))
    with pytest.raises(InvalidName):
        workspace.models.add(name, digest=digest(1))


def test_description_and_tags_change_and_content_does_not(workspace: Workspace) -> None:
    first = workspace.datasets.add("cars", digest=digest(1), tags={"a": "1"})
    workspace.datasets.add("cars", digest=digest(2))

    changed = workspace.datasets.describe("cars", version=1, description="raw", tags={"b": "2"})

    assert (changed.description, changed.tags) == ("raw", {"b": "2"})
    assert (changed.digest, changed.created_at) == (first.digest, first.created_at)
    assert workspace.datasets.get("cars").description == ""
    assert workspace.datasets.describe("cars", description="latest").version == 2
    assert [one.name for one in workspace.datasets.list(search="latest")] == ["cars"]


def test_a_deleted_dataset_is_hidden_and_comes_back_whole(
    workspace: Workspace, clock: FakeClock
) -> None:
    for number in (1, 2, 3):
        workspace.datasets.add("cars", digest=digest(number))
    workspace.datasets.delete("cars", version=1)
    when = clock.move_on(minutes=1)
    workspace.datasets.delete("cars")

    assert workspace.datasets.list() == ()
    with pytest.raises(NotFound, match="restore"):
        workspace.datasets.get("cars")
    assert workspace.datasets.get("cars", version=2, deleted=True).deleted_at == when
    assert [one.version for one in workspace.datasets.list_deleted()] == [3, 2, 1]

    # What was deleted one by one before stays so.
    assert workspace.datasets.restore("cars").version == 3
    assert [one.version for one in workspace.datasets.versions("cars")] == [3, 2]
    assert [one.version for one in workspace.datasets.versions("cars", deleted=True)] == [3, 2, 1]
    assert workspace.datasets.restore("cars", version=1).digest == digest(1)


def test_a_version_number_never_names_other_content(workspace: Workspace) -> None:
    workspace.datasets.add("cars", digest=digest(1))
    workspace.datasets.delete("cars")

    assert workspace.datasets.add("cars", digest=digest(2)).version == 2
    assert [one.version for one in workspace.datasets.versions("cars")] == [2]
    assert workspace.datasets.get("cars", version=1, deleted=True).digest == digest(1)


def test_there_is_nothing_to_restore_of_what_was_not_deleted(workspace: Workspace) -> None:
    workspace.datasets.add("cars", digest=digest(1))
    for name in ("cars", "boats"):
        with pytest.raises(NotFound, match="deleted dataset"):
            workspace.datasets.restore(name)
    with pytest.raises(NotFound, match="version 4"):
        workspace.datasets.restore("cars", version=4)


def test_what_is_used_is_deleted_only_by_force(workspace: Workspace) -> None:
    workspace.datasets.add("cars", digest=digest(1))
    draft = workspace.drafts.create("Prices", document="", assets=[dataset("cars")])
    run = workspace.runs.create("T", graph="", name="try", assets=[dataset("cars", 1)])
    workspace.endpoints.create("prices")
    deployed(workspace, "prices", dataset("cars", 1))

    with pytest.raises(InUse) as caught:
        workspace.datasets.delete("cars")
    assert caught.value.fields["uses"] == [
        {"kind": "draft", "id": draft.id, "title": "Prices"},
        {"kind": "endpoint", "id": "prices", "title": "prices"},
        {"kind": "run", "id": run.id, "title": "try"},
    ]
    assert workspace.datasets.get("cars").version == 1

    workspace.datasets.delete("cars", force=True)
    assert workspace.datasets.list() == ()


def test_what_is_used_no_longer_is_deleted_freely(workspace: Workspace) -> None:
    workspace.datasets.add("cars", digest=digest(1))
    draft = workspace.drafts.create("Prices", document="", assets=[dataset("cars")])
    other = workspace.drafts.create("Others", document="", assets=[dataset("cars")])
    run = workspace.runs.create("T", graph="", assets=[dataset("cars", 1)])
    workspace.endpoints.create("prices")
    deployed(workspace, "prices", dataset("cars", 1))

    workspace.drafts.delete(draft.id)
    workspace.drafts.save(other.id, "", None, revision=1, assets=[dataset("boats")])
    workspace.runs.finish(run.id, RunStatus.COMPLETED)
    workspace.endpoints.delete("prices")

    uses = workspace.datasets.used_by("cars")
    assert [(use.kind, use.id, use.version, use.active) for use in uses] == [
        ("draft", draft.id, None, False),
        ("run", run.id, 1, False),
    ]
    workspace.datasets.delete("cars")
    assert workspace.datasets.list() == ()


def test_an_endpoint_holds_what_any_of_its_serving_deployments_uses(workspace: Workspace) -> None:
    for number in (1, 2, 3):
        workspace.datasets.add("cars", digest=digest(number))
    workspace.endpoints.create("Prices")
    workspace.endpoints.create("prices-2")
    first = deployed(workspace, "Prices", dataset("cars", 1))
    second = deployed(workspace, "prices", dataset("cars", 2))
    deployed(workspace, "prices-2", dataset("cars", 3))
    workspace.endpoints.deployments.set_traffic("prices", {first: 60, second: 40})
    for version in (1, 2):
        with pytest.raises(InUse, match="Prices"):
            workspace.datasets.delete("cars", version=version)

    # A former one is told, and holds nothing.
    workspace.endpoints.deployments.set_traffic("prices", {second: 100})
    uses = {(u.title, u.version, u.active) for u in workspace.datasets.used_by("cars")}
    assert uses == {("Prices", 1, False), ("Prices", 2, True), ("prices-2", 3, True)}
    workspace.datasets.delete("cars", version=1)

    workspace.endpoints.deployments.delete("prices", first)
    workspace.endpoints.delete("prices")
    assert {u.title for u in workspace.datasets.used_by("cars")} == {"prices-2"}


def test_one_version_is_held_by_those_who_use_that_version(workspace: Workspace) -> None:
    for number in (1, 2, 3):
        workspace.datasets.add("cars", digest=digest(number))
    workspace.drafts.create("pinned", document="", assets=[dataset("cars", 1)])
    workspace.drafts.create("latest", document="", assets=[dataset("cars")])

    workspace.datasets.delete("cars", version=2)
    with pytest.raises(InUse, match="pinned"):
        workspace.datasets.delete("cars", version=1)
    with pytest.raises(InUse, match="latest"):
        workspace.datasets.delete("cars", version=3)


def test_uses_of_what_was_forgotten_are_forgotten_too(workspace: Workspace) -> None:
    workspace.datasets.add("cars", digest=digest(1))
    draft = workspace.drafts.create("Prices", document="", assets=[dataset("cars")])
    run = workspace.runs.create("T", graph="", assets=[dataset("cars")])
    workspace.runs.finish(run.id, RunStatus.COMPLETED)

    workspace.drafts.purge(draft.id)
    workspace.runs.delete(run.id)

    assert workspace.datasets.used_by("cars") == ()


def test_models_and_transformations_are_told_apart(workspace: Workspace) -> None:
    model = workspace.models.add(
        "MD - Prices",
        digest=digest(1),
        metrics={"r2": 0.9},
        lineage=Lineage("run-1", "train", "model"),
    )
    transformation = workspace.models.add(
        "TD - Clean", digest=digest(2), kind=AssetKind.TRANSFORMATION
    )

    assert workspace.models.get("MD - Prices") == model
    assert (model.kind, model.metrics) == (AssetKind.MODEL, {"r2": 0.9})
    assert model.lineage == Lineage("run-1", "train", "model", None)
    assert workspace.models.list() == (model, transformation)
    assert workspace.models.list(kind=AssetKind.TRANSFORMATION) == (transformation,)


def test_a_name_belongs_to_one_kind(workspace: Workspace) -> None:
    workspace.models.add("prices", digest=digest(1))
    with pytest.raises(NameTaken, match="another model"):
        workspace.models.add("prices", digest=digest(2), kind=AssetKind.TRANSFORMATION)
    with pytest.raises(ValueError, match="does not belong"):
        workspace.models.add("cars", digest=digest(2), kind=AssetKind.DATASET)
    # Datasets lie on another shelf.
    assert workspace.datasets.add("prices", digest=digest(2)).version == 1


def test_a_model_is_held_by_those_who_use_it_and_a_dataset_of_its_name_is_not(
    workspace: Workspace,
) -> None:
    workspace.models.add("prices", digest=digest(1))
    workspace.datasets.add("prices", digest=digest(2))
    workspace.drafts.create(
        "Serve", document="", assets=[AssetReference(AssetKind.MODEL, "prices")]
    )

    workspace.datasets.delete("prices")
    with pytest.raises(InUse, match="Serve"):
        workspace.models.delete("prices")
