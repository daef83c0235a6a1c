"""The process of a shadow beside a replica that has no controller.

    python -m modelwright.serve.shadow_process PACKAGE NAME NUMBER TOLD SETTINGS DESCRIPTOR REPORT

NUMBER is the deployment's, TOLD the file for what it finds, SETTINGS those of the deployment as JSON.  DESCRIPTOR is
the number of the listening socket that copies come over; on REPORT one line tells whether it can score.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

from modelwright.data.errors import ModelwrightError
from modelwright.serve.limits import die_with_parent, limit_memory
from modelwright.serve.loading import load
from modelwright.serve.logs import log_to
from modelwright.serve.replica import Report, loop_factory
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.shadow import Shadow


def main(arguments: list[str]) -> int:
    """Score copies until ended; status 2 when the package cannot be scored."""
    package, name, number, told, settings, descriptor, report = arguments
    die_with_parent()
    log_to(None)
    # Those who answer callers come first.
    os.nice(5)
    listener = socket.socket(fileno=int(descriptor))
    chosen = DeploymentSettings.read(json.loads(settings))
    say = Report(int(report))
    limit_memory(chosen.memory_reserve_gb)

    async def work() -> None:
        live = await load(name, Path(package), chosen)
        say.ready("", 0)
        try:
            await Shadow(int(number), live, Path(told)).serve(listener)
        finally:
            await live.lane.close()

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(work())
    except ModelwrightError as error:
        say.failed(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
