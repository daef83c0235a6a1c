"""What can go wrong with endpoints and their settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.serve.names import ENDPOINT_NAME_RULE


class InvalidSetting(ModelwrightError):
    """A setting of a deployment or endpoint is not allowed."""

    code = "invalid-setting"

    def __init__(self, setting: str, value: Any, wanted: str) -> None:
        super().__init__(
            f'Setting "{setting}" is {value!r}; {wanted} is needed.',
            remedy=f'Change "{setting}".',
            setting=setting,
            value=value if isinstance(value, (str, int, float, bool, type(None))) else repr(value),
            wanted=wanted,
        )


class UnknownSetting(ModelwrightError):
    """A setting that there is none of."""

    code = "unknown-setting"

    def __init__(self, setting: str, known: Iterable[str]) -> None:
        names = tuple(known)
        super().__init__(
            f'There is no setting "{setting}".',
            remedy=f"{suggestion(setting, names)}The settings are {', '.join(names)}.",
            setting=setting,
        )


class InvalidEndpointName(ModelwrightError):
    """A name that cannot stand in an address."""

    code = "invalid-endpoint-name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'"{name}" cannot name an endpoint.',
            remedy=f"Use {ENDPOINT_NAME_RULE}.",
            name=name,
        )


class UnknownEndpoint(ModelwrightError):
    """An endpoint that there is none of."""

    code = "unknown-endpoint"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = tuple(known)
        super().__init__(
            f'There is no endpoint "{name}".',
            remedy=f"{suggestion(name, names)}See them with: modelwright endpoint list.",
            name=name,
        )


class EndpointBusy(ModelwrightError):
    """Another change of the endpoint is under way."""

    code = "endpoint-busy"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'Endpoint "{name}" is being changed by another command.',
            remedy="Wait until that one has ended, then try again.",
            name=name,
        )


class DeploymentFailed(ModelwrightError):
    """A deployment did not become ready; what served before serves on."""

    code = "deployment-failed"

    def __init__(self, name: str, why: str, *, log: str = "") -> None:
        super().__init__(
            f'The deployment of endpoint "{name}" did not become ready: {why}',
            remedy="Mend the pipeline or the settings and deploy again"
            + (f"; the log is {log}." if log else "."),
            name=name,
            why=why,
            log=log,
        )


class AddressTaken(ModelwrightError):
    """The wanted address is in use."""

    code = "address-taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Another program listens on {host}:{port}.",
            remedy="Choose another port, or 0 for any free one.",
            host=host,
            port=port,
        )


class NoKeys(ModelwrightError):
    """An endpoint would be open to everybody, and nobody has said that it should."""

    code = "no-keys"

    def __init__(self) -> None:
        super().__init__(
            "There is no file of keys, so everybody could call the endpoint.",
            remedy="Give --keys-file FILE, or --auth none if everybody may.",
        )


class MalformedKeys(ModelwrightError):
    """A file of keys cannot be read."""

    code = "malformed-keys"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"The file of keys {path} cannot be read: {why}.",
            remedy="Make new keys with: modelwright endpoint keys NAME --regenerate.",
            path=path,
            why=why,
        )
