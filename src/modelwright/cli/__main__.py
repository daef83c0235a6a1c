"""The command `modelwright`, as `python -m modelwright.cli`."""

from modelwright.cli.main import main

main()
