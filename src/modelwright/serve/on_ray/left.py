"""What is left on a Ray cluster for the door of an endpoint, which finds it also after its own end.

It is in the memory of the cluster's head.  Who may run programs there can read it; Ray shows it
nowhere, as it does the configuration of deployments.
"""

from __future__ import annotations

from modelwright.serve.certificates import Pair

_NAMESPACE = b"modelwright"
_KINDS = ("certificate", "key", "port")


def leave(name: str, pair: Pair) -> None:
    """Leave the certificate that an endpoint is to show, with its key."""
    _put(name, "certificate", pair.certificate)
    _put(name, "key", pair.key)


def pair_of(name: str) -> Pair:
    """The certificate that was left.  Raises LookupError."""
    certificate, key = _get(name, "certificate"), _get(name, "key")
    if not certificate or not key:
        raise LookupError(f"no certificate was left for the endpoint {name}")
    return Pair(certificate, key)


def note_port(name: str, port: int) -> None:
    """Remember the port of a door, so that the next one has the same."""
    _put(name, "port", str(port).encode())


def port_of(name: str) -> int:
    """The port that the door of an endpoint has, or had; 0 where there was none."""
    return int(_get(name, "port") or 0)


def forget(name: str) -> None:
    """Leave nothing for the door of an endpoint."""
    from ray.experimental import internal_kv

    for kind in _KINDS:
        internal_kv._internal_kv_del(_key(name, kind), namespace=_NAMESPACE)


def _get(name: str, kind: str) -> bytes | None:
    from ray.experimental import internal_kv

    found: bytes | None = internal_kv._internal_kv_get(_key(name, kind), namespace=_NAMESPACE)
    return found


def _put(name: str, kind: str, value: bytes) -> None:
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(_key(name, kind), value, overwrite=True, namespace=_NAMESPACE)


def _key(name: str, kind: str) -> str:
    return f"endpoint/{name}/{kind}"
