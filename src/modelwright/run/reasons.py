"""Why a step runs, or why its result is reused: a code for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelwright.run.history import Past

_SHORT = 60
WORKER_AWAITED = "worker-awaited"


@dataclass(frozen=True)
class Reason:
    """One reason.  The sentence names the parameter, the port or the node it speaks of."""

    code: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Code, text and fields."""
        return {"code": self.code, "text": self.text, "fields": dict(self.fields)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reason:
        """Read what `to_json` wrote."""
        return cls(value["code"], value["text"], dict(value.get("fields") or {}))


def as_stored(what: str) -> Reason:
    """A source: its value is in the store."""
    return Reason("stored", f"{what} is taken from the store as it is.")


def request_only() -> Reason:
    """A Web Service Input: in a run, the data that share its port are used."""
    return Reason(
        "request-only", "Used by requests only; in a run the data on the same port are used."
    )


def unchanged(finished_at: datetime | None, note: str = "") -> Reason:
    """The result of an equal step is known.  note: a sentence about what that means."""
    when = f" of {finished_at.astimezone():%Y-%m-%d %H:%M}" if finished_at else ""
    return Reason(
        "unchanged",
        f"Component, settings and inputs are the same as those of the stored result{when}. {note}".rstrip(),
        {"finished_at": finished_at.isoformat() if finished_at else None, "note": note},
    )


def forced() -> Reason:
    """The user asked for it."""
    return Reason("forced", "Asked to run again.")


def not_deterministic(title: str) -> Reason:
    """The component may give another result each time."""
    return Reason(
        "not-deterministic", f'"{title}" may give another result each time, so it always runs.'
    )


def asked_for_anew(why: str) -> Reason:
    """The node's settings say that it runs each time."""
    return Reason("regenerated", why)


def source_unknown(title: str) -> Reason:
    """Whether the component has changed cannot be told."""
    return Reason(
        "source-unknown",
        f'The source of "{title}" cannot be read, so it cannot be told whether it has changed.',
    )


def never_run() -> Reason:
    """Nothing is known of this node."""
    return Reason("never-run", "It has not run yet in this pipeline.")


def result_missing(port: str | None = None) -> Reason:
    """A result was recorded, but the store has it no longer."""
    which = f'the result on port "{port}"' if port else "its result"
    return Reason("result-missing", f"The store no longer has {which}.", {"port": port})


def result_corrupt(port: str, consumer: str) -> Reason:
    """A stored result turned out to be unreadable when another step wanted it."""
    return Reason(
        "result-corrupt",
        f'The stored result on port "{port}" cannot be read, and "{consumer}" needs it.',
        {"port": port, "consumer": consumer},
    )


def result_lost(why: str) -> Reason:
    """The worker ended before it had stored what it had made."""
    return Reason("result-lost", f"The worker that had run it {why} before the result was stored.")


def worker_lost(why: str) -> Reason:
    """The worker ended in the middle of the step, for no fault of the step's that is known."""
    return Reason("worker-lost", f"The worker that ran it was {why}; it is begun again.")


def handed_on_anew(port: str) -> Reason:
    """An input was lost on its way, and is in the store by now."""
    return Reason(
        "handed-on-anew",
        f'Input "{port}" was lost with the machine that had it; it is read from the store.',
        {"port": port},
    )


def worker_awaited(target: str, why: str) -> Reason:
    """A worker was asked for and is not there yet."""
    return Reason(WORKER_AWAITED, f'A worker of "{target}" is awaited: {why}.', {"target": target})


def input_may_change(port: str, source: str) -> Reason:
    """An input is made anew; if it comes out equal, the stored result is reused."""
    return Reason(
        "input-may-change",
        f'Input "{port}" is made anew by "{source}"; if it comes out the same, the result is reused.',
        {"port": port, "source": source},
    )


def differences(now: Past, before: Past) -> Iterator[Reason]:
    """What differs between a step as it is now and as it last ran; inputs not known yet are left out."""
    if now.component != before.component:
        yield Reason(
            "component-changed",
            f'The component is "{now.component}" now; it was "{before.component}".',
            {"old": before.component, "new": now.component},
        )
        return
    if now.version != before.version:
        yield Reason(
            "version-changed",
            f"The component has version {now.version} now; it was {before.version}.",
            {"old": before.version, "new": now.version},
        )
    yield from _settings(now, before)
    yield from _sources(now, before)
    yield from _inputs(now, before)


def _settings(now: Past, before: Past) -> Iterator[Reason]:
    for name in [*now.settings, *(n for n in before.settings if n not in now.settings)]:
        old, new = before.settings.get(name), now.settings.get(name)
        if name not in before.settings:
            text = f'Parameter "{name}" is {_shown(new)} now; it did not matter before.'
        elif name not in now.settings:
            text = f'Parameter "{name}" no longer matters; it was {_shown(old)}.'
        elif old != new:
            text = f'Parameter "{name}" changed from {_shown(old)} to {_shown(new)}.'
        else:
            continue
        yield Reason("parameter-changed", text, {"parameter": name, "old": old, "new": new})


def _sources(now: Past, before: Past) -> Iterator[Reason]:
    names = sorted(now.modules.keys() | before.modules.keys())
    changed = [n for n in names if now.modules.get(n) != before.modules.get(n)]
    if changed:
        listed = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
        yield Reason(
            "source-changed",
            f"The source of the component changed: {listed}.",
            {"modules": changed},
        )


def _inputs(now: Past, before: Past) -> Iterator[Reason]:
    for port in [*now.inputs, *(p for p in before.inputs if p not in now.inputs)]:
        old, new = before.inputs.get(port), now.inputs.get(port)
        if new is None:
            assert old is not None  # noqa: S101  # the port is in one of the two
            text = f'Input "{port}" is no longer connected; it came from {old.pin}.'
        elif old is None:
            text = f'Input "{port}" is connected to {new.pin} now.'
        elif new.identity is None or new.identity == old.identity:
            continue
        elif new.pin != old.pin:
            text = f'Input "{port}" comes from {new.pin} now; it came from {old.pin}.'
        else:
            text = f'Input "{port}" from {new.pin} is not what it was.'
        yield Reason("input-changed", text, {"port": port, "source": new.pin if new else None})


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
