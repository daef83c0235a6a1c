"""What may name an endpoint: one rule for addresses, folders and the workspace."""

from __future__ import annotations

import re

ENDPOINT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,31}")
"""It stands in an address and names a folder."""

ENDPOINT_NAME_RULE = 'letters, digits and "-", 3 to 32 of them, a letter first'
"""The same for people."""
