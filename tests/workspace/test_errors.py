from __future__ import annotations

import json
import pickle

from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import Conflict, InUse, NotFound
from modelwright.workspace.records.assets import Use


def test_errors_travel_as_json_and_between_processes() -> None:
    use = Use("draft", "draft-1", "Prices", None, active=True)
    for error in (
        NotFound("dataset", "car", ["cars", "boats"]),
        Conflict("Prices", expected=3, revision=5),
        InUse("dataset", "cars", [use]),
    ):
        travelled = ModelwrightError.from_json(json.loads(json.dumps(error.to_json())))
        for other in (travelled, pickle.loads(pickle.dumps(error))):
            assert type(other) is type(error)
            assert (str(other), other.fields) == (str(error), error.fields)


def test_a_conflict_tells_the_present_revision() -> None:
    error = ModelwrightError.from_json(Conflict("Prices", expected=3, revision=5).to_json())
    assert isinstance(error, Conflict)
    assert error.revision == 5


def test_a_message_says_what_happened_and_what_to_do() -> None:
    use = Use("draft", "draft-1", "Prices", None, active=True)
    assert [
        str(NotFound("dataset", "car", ["cars", "boats"])),
        str(NotFound("dataset", "xyz", ["cars", "boats"])),
        str(Conflict("Prices", expected=3, revision=5)),
        str(InUse("dataset", "cars", [use])),
    ] == [
        'There is no dataset "car". Nearest: "cars". List every dataset to see its name.',
        'There is no dataset "xyz". List every dataset to see its name.',
        'Draft "Prices" is at revision 5; this change was made to revision 3. '
        "Load the current revision and apply the change again, or save it as a new draft.",
        'The dataset "cars" is used by draft "Prices". '
        "Remove it there first, or delete it by force.",
    ]
