"""Settings of a deployment and of an endpoint: names, defaults, ranges, each in one line."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

import msgspec
from msgspec import Meta

from modelwright.serve.errors import InvalidSetting, UnknownSetting


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values with a default each."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The settings with these changed.  Raises InvalidSetting and UnknownSetting."""
        known = cls.__struct_fields__
        for name in values:
            if name not in known:
                raise UnknownSetting(name, known)
        hints = get_type_hints(cls, include_extras=True)
        read = {}
        for name, value in values.items():
            try:
                read[name] = msgspec.convert(value, hints[name])
            except msgspec.ValidationError:
                raise InvalidSetting(name, value, _wanted(cls.explained()[name])) from None
        settings = cls(**read)
        settings.check()
        return settings

    def change(self, values: Mapping[str, Any]) -> Self:
        """The settings with these changed.  Raises InvalidSetting and UnknownSetting."""
        return self.read({**self.to_json(), **values})

    def check(self) -> None:
        """Raise InvalidSetting where settings contradict each other."""

    def to_json(self) -> dict[str, Any]:
        """Every setting by name."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value

    @classmethod
    def explained(cls) -> dict[str, dict[str, Any]]:
        """Each setting's type, range, default and what it does, as JSON Schema properties."""
        schema = msgspec.json.schema(cls)["$defs"][cls.__name__]["properties"]
        found: dict[str, dict[str, Any]] = schema
        return found


def _wanted(schema: Mapping[str, Any]) -> str:
    """What a setting takes, for people."""
    match schema["type"]:
        case "boolean":
            return "true or false"
        case "integer" | "number" as kind:
            number = "a whole number" if kind == "integer" else "a number"
            if "minimum" in schema:
                return f"{number} from {schema['minimum']} to {schema['maximum']}"
            return f"{number} above {schema['exclusiveMinimum']} and up to {schema['maximum']}"
        case "array":
            return "a list of texts"
        case "object":
            return "names with a text each"
    choices = str(schema.get("pattern", "")).removeprefix("^(").removesuffix(")$")
    return f"one of {choices.replace('|', ', ')}" if choices else "a text"


class DeploymentSettings(_Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a deployment answers and scales; each can be changed while it serves."""

    diagnostics: Annotated[
        bool, Meta(description="Write a line to the log for every request answered.")
    ] = False
    scoring_timeout_ms: Annotated[
        int,
        Meta(ge=1, le=3_600_000, description="Longest time a request may take before it gets 504."),
    ] = 60_000
    autoscale: Annotated[
        bool,
        Meta(description="Change the number of replicas with the load; else keep the minimum."),
    ] = True
    min_replicas: Annotated[
        int,
        Meta(
            ge=0, le=1000, description="Fewest replicas; 0 stops all while there are no requests."
        ),
    ] = 1
    max_replicas: Annotated[int, Meta(ge=1, le=1000, description="Most replicas.")] = 10
    target_utilization: Annotated[
        int, Meta(ge=1, le=100, description="Percent of the replicas that should be busy.")
    ] = 70
    refresh_period_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Seconds between two looks at the load.")
    ] = 1.0
    calm_s: Annotated[
        float,
        Meta(ge=0, le=86_400, description="Seconds of less load before replicas are removed."),
    ] = 60.0
    cpu_reserve: Annotated[
        float, Meta(gt=0, le=1024, description="Processor cores kept for each replica.")
    ] = 0.1
    memory_reserve_gb: Annotated[
        float, Meta(ge=0.05, le=4096, description="Gigabytes of memory each replica may use.")
    ] = 0.5
    max_concurrent_requests: Annotated[
        int, Meta(ge=1, le=1000, description="Requests a replica answers at the same time.")
    ] = 1
    max_queue_wait_ms: Annotated[
        int,
        Meta(ge=0, le=600_000, description="Longest wait for a free replica before a 503."),
    ] = 500

    data_collection: Annotated[
        bool, Meta(description="Keep requests and their replies in files of the endpoint.")
    ] = False
    collection_share: Annotated[
        int, Meta(ge=1, le=100, description="Percent of the requests that are kept.")
    ] = 100
    collection_format: Annotated[
        str,
        Meta(
            pattern="^(jsonl|parquet)$",
            description="Kept as JSON lines or as Parquet: jsonl, parquet.",
        ),
    ] = "jsonl"
    collection_file_mb: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Megabytes after which a new file of JSON lines begins."),
    ] = 50
    collection_files: Annotated[
        int, Meta(ge=1, le=10_000, description="Files that are kept; the oldest are deleted.")
    ] = 20

    def check(self) -> None:
        """Raise InvalidSetting when the fewest replicas are more than the most."""
        if self.min_replicas > self.max_replicas:
            raise InvalidSetting(
                "min_replicas", self.min_replicas, f"at most max_replicas, {self.max_replicas},"
            )


class EndpointSettings(_Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call an endpoint."""

    auth: Annotated[
        str,
        Meta(
            pattern="^(both|keys|tokens|none)$",
            description="What opens it: keys, short-lived tokens, both, or none to let everybody call it.",
        ),
    ] = "both"
    allowed_origins: Annotated[
        tuple[str, ...],
        Meta(
            description='Web origins whose pages may call it, such as https://a.example; "*" is all.'
        ),
    ] = ()
    max_body_mb: Annotated[
        int, Meta(ge=1, le=100, description="Largest body of a request in megabytes.")
    ] = 100
    body_timeout_s: Annotated[
        float, Meta(ge=0.05, le=3600, description="Longest time in which a body must have arrived.")
    ] = 60.0
    head_timeout_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Longest time for the head of a request.")
    ] = 10.0
    keep_alive_s: Annotated[
        int, Meta(ge=1, le=3600, description="How long a connection may lie idle.")
    ] = 75
    tls_certificate: Annotated[
        str, Meta(description="PEM file of the certificate and its chain; empty for plain HTTP.")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of the certificate's private key.")] = ""
    tags: Annotated[dict[str, str], Meta(description="Free names and values for people.")] = (
        msgspec.field(default_factory=dict)
    )

    def check(self) -> None:
        """Raise InvalidSetting for a certificate that cannot be used."""
        if not (self.tls_certificate or self.tls_key):
            return
        for name in ("tls_certificate", "tls_key"):
            value: str = getattr(self, name)
            if not value or not Path(value).is_file():
                raise InvalidSetting(
                    name, value, "the path of a PEM file, as the other of the two,"
                )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # A locked key would ask for its password on a terminal that nobody sits at.
            context.load_cert_chain(self.tls_certificate, self.tls_key, password=lambda: "")
        except (ssl.SSLError, OSError, ValueError) as error:
            why = f"an unlocked key that belongs to the certificate ({error})"
            raise InvalidSetting("tls_key", self.tls_key, why) from None
