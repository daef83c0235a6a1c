"""The Open Inference Protocol, version 2, beside the endpoint's own contract: the paths under /v2."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson

from modelwright.data.errors import ModelwrightError
from modelwright.inference.errors import MalformedBody
from modelwright.inference.scorer import Shape
from modelwright.inference.tensors import from_reply, metadata, to_request
from modelwright.serve.answers import (
    JSON,
    Answer,
    Headers,
    Refusal,
    body_too_large,
    method_not_allowed,
    not_found,
    not_ready,
    refused,
)
from modelwright.serve.live import Live

EXTENSIONS = ("binary_tensor_data",)
"""What is taken beyond the protocol itself: tensors as bytes after the JSON, as Triton's clients send."""

_LENGTH = b"inference-header-content-length"
_TABLES = Shape(tables=True, details=True)
_OPEN = ("", "health/live", "health/ready", "ready")


class Asked:
    """A request under /v2.

    page: "", "health/live", "health/ready", "model", "ready" or "infer".
    """

    __slots__ = ("name", "page", "path", "version")

    def __init__(self, path: str) -> None:
        """Raises Refusal with 404 when no page of the protocol lies there."""
        self.path = path
        self.name = self.version = ""
        parts = path.strip("/").split("/")[1:]
        if not parts or parts in (["health", "live"], ["health", "ready"]):
            self.page = "/".join(parts)
            return
        if parts[0] != "models" or len(parts) < 2:
            raise not_found(path, ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/NAME"))
        self.name = parts[1]
        rest = parts[2:]
        if rest[:1] == ["versions"] and len(rest) > 1:
            self.version, rest = rest[1], rest[2:]
        if rest not in ([], ["ready"], ["infer"]):
            raise not_found(path, ("/v2/models/NAME", "…/ready", "…/infer"))
        self.page = rest[0] if rest else "model"

    @property
    def verb(self) -> str:
        """The verb it is served for."""
        return "POST" if self.page == "infer" else "GET"

    @property
    def is_open(self) -> bool:
        """Whether it is told without a key: it gives away nothing of the model."""
        return self.page in _OPEN

    def check(self, method: str) -> None:
        """Raise Refusal with 405 for another verb."""
        if method != self.verb and not (method == "HEAD" and self.verb == "GET"):
            raise method_not_allowed(method, (self.verb, "OPTIONS"))


def version_of(live: Live) -> str:
    """The version of the model: the beginning of its package's digest, so that equal ones agree."""
    return live.package.digest.partition(":")[2][:12]


def page(asked: Asked, name: str, live: Live | None, *, draining: bool) -> Answer:
    """The answer to everything but inference.  Raises Refusal with 404 and 503."""
    from modelwright import __version__

    match asked.page:
        case "":
            about = {"name": "modelwright", "version": __version__, "extensions": EXTENSIONS}
            return _json(about)
        case "health/live":
            return _json({"live": True})
        case "health/ready":
            ready = live is not None and not draining
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            return _json({"ready": ready}, status)
    if asked.page == "ready" and live is None and asked.name == name:
        return _json({"name": name, "ready": False}, HTTPStatus.SERVICE_UNAVAILABLE)
    known = _deployed(asked, name, live)
    if asked.page == "ready":
        ready = not draining
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json({"name": name, "ready": ready}, status)
    package = known.package
    return _json(metadata(name, version_of(known), package.inputs, package.outputs))


async def infer(
    asked: Asked,
    name: str,
    live: Live | None,
    body: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    limit: int,
) -> Answer:
    """Score the tensors of a request.  Raises Refusal, InputDataError and StepFailed.

    limit: most bytes of a body that was sent compressed.
    """
    known = _deployed(asked, name, live)
    given = dict(headers)
    length = given.get(_LENGTH, b"")
    header = int(length) if length.isdigit() else None
    if encoding := given.get(b"content-encoding"):
        body = _expanded(body, encoding, limit)
    sent, wish = to_request(body, known.package.inputs, header)
    reply = await known.lane.answer(sent, _TABLES)
    found, parts = from_reply(reply, name, version_of(known), wish)
    text = orjson.dumps(found)
    if not parts:
        return Answer(HTTPStatus.OK, text)
    more: Headers = ((_LENGTH, b"%d" % len(text)),)
    return Answer(
        HTTPStatus.OK, b"".join((text, *parts)), kind=b"application/octet-stream", headers=more
    )


def _expanded(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding not in (b"gzip", b"deflate"):
        why = f"A body encoded as {encoding.decode('latin-1')} is not taken. Send it as it is."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why, {"code": "unknown-encoding"})
    try:
        found = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, limit + 1)
    except zlib.error as error:
        raise MalformedBody(f"it cannot be expanded ({error})") from None
    if len(found) > limit:
        raise body_too_large(limit)
    return found


def as_error(problem: Answer | ModelwrightError) -> Answer:
    """A refusal in the protocol's shape, {"error": TEXT}, with its status and headers."""
    answer = problem if isinstance(problem, Answer) else refused(problem).answer
    value: Any = orjson.loads(answer.body)
    body = orjson.dumps({"error": value["error"]["message"]})
    kept = tuple(h for h in answer.headers if h[0] not in (b"content-type", b"content-length"))
    return Answer(answer.status, body, kind=JSON, headers=kept, closes=answer.closes)


def _deployed(asked: Asked, name: str, live: Live | None) -> Live:
    if asked.name != name:
        raise _unknown(f'There is no model "{asked.name}"; this endpoint serves "{name}".')
    if live is None:
        raise not_ready("Nothing is deployed yet.")
    if asked.version and asked.version != version_of(live):
        raise _unknown(
            f'Model "{name}" has no version "{asked.version}"; it serves "{version_of(live)}".'
        )
    return live


def _unknown(why: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, why, {"code": "unknown-model"})


def _json(value: dict[str, Any], status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, orjson.dumps(value))
