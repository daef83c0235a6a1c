"""The Open Inference Protocol, version 2, over HTTP against a real process."""

from __future__ import annotations

import gzip
import json
import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inference.cars import car_request, car_rows, cars
from tests.serve.replicas import Running, package, running

MODEL = "/v2/models/cars"
SCRIPT = """
import pandas

def azureml_main(a=None, b=None):
    a = a[["make", "Scored Labels"]].copy()
    a["dear"] = a["Scored Labels"] > 15000
    a["bad"] = float("inf")
    a["gap"] = pandas.array([None] * len(a), dtype="Int64")
    return a
"""


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    endpoint = {"allowed_origins": ["https://shop.example"]}
    with running(package(tmp_path_factory.mktemp("v2")), endpoint=endpoint) as found:
        yield found


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(package(tmp_path_factory.mktemp("v2-script"), script=SCRIPT)) as found:
        yield found


class V2Client:
    """A client that knows the protocol and nothing of this endpoint."""

    def __init__(self, http: httpx.Client, model: str) -> None:
        self._http = http
        self._path = f"/v2/models/{model}"
        self.tensors = {t["name"]: t["datatype"] for t in self.get("")["inputs"]}

    def get(self, path: str) -> Any:
        return self._http.get(f"{self._path}{path}").raise_for_status().json()

    def infer(self, rows: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        inputs = [
            {"name": n, "datatype": kind, "shape": [len(rows)], "data": [r[n] for r in rows]}
            for n, kind in self.tensors.items()
        ]
        body = {"inputs": inputs, **more}
        response = self._http.post(f"{self._path}/infer", json=body).raise_for_status()
        found: dict[str, Any] = response.json()
        return found


def columns(found: Mapping[str, Any]) -> dict[str, list[Any]]:
    for tensor in found["outputs"]:
        assert tensor["shape"] == [len(tensor["data"])]
    return {t["name"]: t["data"] for t in found["outputs"]}


def tensors(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    kinds = {"String": "BYTES", "Int64": "INT64", "Float64": "FP64"}
    return [
        {
            "name": c.name,
            "datatype": kinds[str(c.dtype)],
            "shape": [len(c)],
            "data": c.to_list(),
        }
        for c in frame
    ]


COMPLETE = car_rows(cars().drop_nulls())


def test_a_client_of_the_protocol_gets_the_scores_of_the_own_contract(replica: Running) -> None:
    client = V2Client(replica.client, "cars")
    found = client.infer(COMPLETE, id="42")
    assert (found["model_name"], found["id"]) == ("cars", "42")
    own = replica.score(car_request(*COMPLETE)).json()["Results"]["WebServiceOutput0"]
    assert columns(found) == {n: [r[n] for r in own] for n in own[0]}
    assert len(own) == len(COMPLETE) > 100


def test_the_tensors_are_described(replica: Running) -> None:
    found = replica.client.get(MODEL).json()
    assert found["platform"] == "modelwright"
    inputs = {t["name"]: (t["datatype"], t["shape"]) for t in found["inputs"]}
    assert inputs["make"] == ("BYTES", [-1])
    assert inputs["horsepower"] == ("INT64", [-1])
    assert "price" not in inputs
    assert found["outputs"][-1] == {"name": "Scored Labels", "datatype": "FP64", "shape": [-1]}
    (version,) = found["versions"]
    assert replica.client.get(f"{MODEL}/versions/{version}").json() == found


def test_health_and_readiness_need_no_key(replica: Running) -> None:
    for path, told in (
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        (f"{MODEL}/ready", {"name": "cars", "ready": True}),
    ):
        response = httpx.get(f"{replica.url}{path}")
        assert (response.status_code, response.json()) == (200, told)
    assert httpx.get(f"{replica.url}/v2").json()["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize(("method", "path"), [("GET", MODEL), ("POST", f"{MODEL}/infer")])
def test_the_model_needs_a_key_as_scoring_does(replica: Running, method: str, path: str) -> None:
    response = httpx.request(method, f"{replica.url}{path}", content=b"{}")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert [*response.json()] == ["error"]
    assert isinstance(response.json()["error"], str)


def test_only_the_wanted_outputs_come_in_the_wanted_order(replica: Running) -> None:
    version = replica.client.get(MODEL).json()["versions"][0]
    body = {
        "inputs": tensors(COMPLETE[:2]),
        "outputs": [{"name": "Scored Labels"}, {"name": "make"}],
    }
    found = replica.client.post(f"{MODEL}/versions/{version}/infer", json=body).json()
    assert [*columns(found)] == ["Scored Labels", "make"]
    assert found["model_version"] == version
    assert "id" not in found


def test_columns_may_be_tensors_of_two_dimensions(replica: Running) -> None:
    flat = tensors(COMPLETE[:3])
    nested = [{**t, "shape": [3, 1], "data": [[v] for v in t["data"]]} for t in flat]
    answers = [
        replica.client.post(f"{MODEL}/infer", json={"inputs": inputs}).json()["outputs"]
        for inputs in (flat, nested)
    ]
    assert answers[0] == answers[1]


def test_rows_that_a_step_drops_are_told(replica: Running) -> None:
    rows = [COMPLETE[0], {**COMPLETE[1], "num-of-doors": None}, COMPLETE[2]]
    found = replica.client.post(f"{MODEL}/infer", json={"inputs": tensors(rows)}).json()
    assert found["parameters"]["rows_dropped"] == 1
    (dropped,) = json.loads(found["parameters"]["dropped"])
    assert (dropped["row"], dropped["node"]) == (1, "Clean Missing Data")
    assert len(columns(found)["Scored Labels"]) == 2


def binary(tensor: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    values = tensor["data"]
    if tensor["datatype"] == "BYTES":
        texts = [v.encode() for v in values]
        data = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    else:
        data = struct.pack(
            f"<{len(values)}{'q' if tensor['datatype'] == 'INT64' else 'd'}", *values
        )
    described = {k: v for k, v in tensor.items() if k != "data"}
    return {**described, "parameters": {"binary_data_size": len(data)}}, data


def test_tensors_as_bytes_are_taken_and_given(replica: Running) -> None:
    given = tensors(COMPLETE[:3])
    plain = columns(replica.client.post(f"{MODEL}/infer", json={"inputs": given}).json())
    described, data = zip(*(binary(t) for t in given), strict=True)
    head = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    response = replica.client.post(
        f"{MODEL}/infer",
        content=head + b"".join(data),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )
    length = int(response.headers["inference-header-content-length"])
    found, rest = json.loads(response.content[:length]), response.content[length:]
    for tensor in found["outputs"]:
        size = tensor["parameters"]["binary_data_size"]
        part, rest = rest[:size], rest[size:]
        if tensor["name"] == "Scored Labels":
            assert list(struct.unpack("<3d", part)) == plain["Scored Labels"]
        if tensor["name"] == "make":
            expected = [m.encode() for m in plain["make"]]
            assert part == b"".join(struct.pack("<I", len(m)) + m for m in expected)
    assert rest == b""


def test_a_compressed_body_is_expanded_up_to_the_limit(replica: Running) -> None:
    body = json.dumps({"inputs": tensors(COMPLETE[:3])}).encode()
    for packed, encoding, status in (
        (gzip.compress(body), "gzip", 200),
        (zlib.compress(body), "deflate", 200),
        (gzip.compress(bytes(101_000_000)), "gzip", 413),
        (b"plain", "gzip", 400),
        (body, "br", 415),
    ):
        headers = {"Content-Encoding": encoding}
        response = replica.client.post(f"{MODEL}/infer", content=packed, headers=headers)
        assert response.status_code == status, response.text


def changed(**values: Any) -> bytes:
    first, *others = tensors(COMPLETE[:2])
    return json.dumps({"inputs": [{**first, **values}, *others]}).encode()


BAD: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"{", "not JSON"),
    (b"[]", '"inputs"'),
    (b'{"inputs": []}', "lacks the columns"),
    (b'{"inputs": [7]}', "inputs[0]"),
    (changed(shape=[3]), "3 values"),
    (changed(shape=[1, 2]), "shape is [1, 2]"),
    (changed(shape=[-2]), "shape"),
    (changed(datatype="INT65"), "INT65"),
    (changed(datatype="BYTES"), "BYTES; INT8"),
    (changed(data=None), "values"),
    (changed(data=[1, "two"]), "two"),
    (changed(name=7), "inputs[0]"),
    (changed(name="bore"), "twice"),
    (changed(parameters=[]), "parameters"),
    (changed(parameters={"binary_data_size": 99}), "99 bytes"),
    (json.dumps({"inputs": tensors(COMPLETE[:2]), "id": 4}).encode(), '"id"'),
    (json.dumps({"inputs": tensors(COMPLETE[:2]), "outputs": [{"name": "x"}]}).encode(), '"x"'),
    (json.dumps({"inputs": tensors(COMPLETE[:2]), "outputs": ["x"]}).encode(), "outputs[0]"),
]


@pytest.mark.parametrize(("body", "told"), BAD, ids=[told for _, told in BAD])
def test_a_bad_request_is_refused_in_the_shape_of_the_protocol(
    replica: Running, body: bytes, told: str
) -> None:
    response = replica.client.post(f"{MODEL}/infer", content=body)
    assert response.status_code == 400, response.text
    assert [*response.json()] == ["error"]
    assert told in response.json()["error"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["name", "shape", "datatype", "data", "parameters"])


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    field=FIELDS, value=ANYTHING, more=st.dictionaries(st.text(max_size=9), ANYTHING, max_size=2)
)
def test_whatever_comes_there_is_no_500(
    replica: Running, field: str, value: Any, more: dict[str, Any]
) -> None:
    first, *others = tensors(COMPLETE[:2])
    body = json.dumps({"inputs": [{**first, field: value}, *others], **more})
    response = replica.client.post(f"{MODEL}/infer", content=body)
    assert response.status_code in (200, 400), response.text
    assert response.status_code == 200 or [*response.json()] == ["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/trucks", 404),
        ("GET", f"{MODEL}/versions/7", 404),
        ("GET", f"{MODEL}/weights", 404),
        ("GET", "/v2/repository", 404),
        ("GET", f"{MODEL}/infer", 405),
        ("POST", "/v2/health/live", 405),
    ],
)
def test_what_is_not_served_is_told_in_the_shape_of_the_protocol(
    replica: Running, method: str, path: str, status: int
) -> None:
    response = replica.client.request(method, path)
    assert response.status_code == status
    assert isinstance(response.json()["error"], str)


def test_browsers_of_allowed_origins_may_ask(replica: Running) -> None:
    headers = {"Origin": "https://shop.example"}
    response = httpx.options(f"{replica.url}{MODEL}/infer", headers=headers)
    assert response.status_code == 204
    assert response.headers["access-control-allow-methods"] == "POST"


def test_what_numbers_of_json_cannot_say_is_told_beside_them(scripted: Running) -> None:
    found = scripted.client.post(f"{MODEL}/infer", json={"inputs": tensors(COMPLETE[:2])}).json()
    by_name = {t["name"]: t for t in found["outputs"]}
    assert by_name["dear"]["datatype"] == "BOOL"
    assert by_name["gap"]["data"] == [None, None]
    assert by_name["bad"]["data"] == [None, None]
    assert json.loads(by_name["bad"]["parameters"]["infinite"]) == {"0": 1, "1": 1}


def test_tensors_that_lack_values_stay_in_the_json_of_a_reply_in_bytes(scripted: Running) -> None:
    body = {"inputs": tensors(COMPLETE[:2]), "parameters": {"binary_data_output": True}}
    response = scripted.client.post(f"{MODEL}/infer", json=body)
    length = int(response.headers["inference-header-content-length"])
    by_name = {t["name"]: t for t in json.loads(response.content[:length])["outputs"]}
    assert by_name["gap"]["data"] == [None, None]
    assert by_name["bad"]["parameters"] == {"binary_data_size": 16}
    assert struct.pack("<2d", math.inf, math.inf) in response.content[length:]
