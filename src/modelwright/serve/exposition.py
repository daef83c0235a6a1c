"""What an endpoint did, as Prometheus reads it.

Source: the text format, version 0.0.4, of the Prometheus documentation.
"""

from __future__ import annotations

from modelwright.serve.meters import BOUNDS, Meter

KIND = b"text/plain; version=0.0.4; charset=utf-8"

# Every third bound is fine enough for a graph, and keeps the text short.
_SHOWN = range(2, len(BOUNDS), 3)


def exposition(endpoint: str, whole: Meter, *, replicas: int, wanted: int) -> str:
    """The counts since the controller began, as text; replicas and requests in work as they are."""
    label = f'endpoint="{endpoint}"'
    succeeded = whole.requests - whole.refused - whole.failed
    lines = [
        "# HELP modelwright_requests_total Requests answered, by the class of their status.",
        "# TYPE modelwright_requests_total counter",
    ]
    for kind, value in (("2xx", succeeded), ("4xx", whole.refused), ("5xx", whole.failed)):
        lines.append(f'modelwright_requests_total{{{label},status="{kind}"}} {value}')
    lines += [
        "# HELP modelwright_request_seconds Time to answer a request.",
        "# TYPE modelwright_request_seconds histogram",
    ]
    for index in _SHOWN:
        many = sum(whole.took[: index + 1])
        lines.append(
            f'modelwright_request_seconds_bucket{{{label},le="{BOUNDS[index]:.6g}"}} {many}'
        )
    middles = (bound / 1.118 for bound in BOUNDS)
    seconds = sum(many * middle for many, middle in zip(whole.took, middles, strict=True))
    lines += [
        f'modelwright_request_seconds_bucket{{{label},le="+Inf"}} {whole.requests}',
        f"modelwright_request_seconds_sum{{{label}}} {seconds:.6g}",
        f"modelwright_request_seconds_count{{{label}}} {whole.requests}",
    ]
    for name, text, value in (
        ("replicas", "Replicas that answer.", replicas),
        ("replicas_wanted", "Replicas that the load needs.", wanted),
        ("requests_busy", "Requests in work.", whole.busy),
        ("requests_queued", "Requests that wait for a replica.", whole.queued),
    ):
        lines += [
            f"# HELP modelwright_{name} {text}",
            f"# TYPE modelwright_{name} gauge",
            f"modelwright_{name}{{{label}}} {value}",
        ]
    return "\n".join(lines) + "\n"
