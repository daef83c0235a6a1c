"""A C# program made ready to run, with whichever compiler is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def csharp_program(source: str, folder: Path) -> list[str] | None:
    """The command that runs a program; None where no compiler is installed.  Fails on a mistake in it."""
    if shutil.which("dotnet"):
        place = folder / "program"
        # The SDK wants a home, and would else tell its maker what is done.
        environment = {
            **os.environ,
            "DOTNET_CLI_HOME": str(folder),
            "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
        }
        made = ["dotnet", "new", "console", "-o", str(place)]
        subprocess.run(made, check=True, timeout=120, env=environment, stdout=subprocess.DEVNULL)
        (place / "Program.cs").write_text(source, encoding="utf-8")
        return ["dotnet", "run", "--project", str(place)]
    if shutil.which("mcs") and shutil.which("mono"):
        file, made_file = folder / "Program.cs", folder / "Program.exe"
        file.write_text(source, encoding="utf-8")
        done = subprocess.run(
            ["mcs", "-warnaserror", "-r:System.Net.Http.dll", f"-out:{made_file}", str(file)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return ["mono", str(made_file)]
    return None
