"""What a Web Service Input asks of the columns of a request."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator


class RequestRule(BaseModel):
    """How a request may treat one column; columns without a rule are required.

    use: "required", "optional" (a row without it gets the default), or "ignored" (it may be sent, and
    is not read).  default: as JSON; null stands for a missing value.  missing: whether null is
    allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    use: Literal["required", "optional", "ignored"] = "required"
    default: Any = None
    missing: bool = True

    @model_validator(mode="after")
    def _fitting(self) -> RequestRule:
        if self.use != "optional" and self.default is not None:
            raise ValueError(
                f'only an optional column has a default, and "{self.name}" is {self.use}'
            )
        if self.use == "optional" and self.default is None and not self.missing:
            raise ValueError(f'"{self.name}" may not be missing, so it needs a default')
        return self
