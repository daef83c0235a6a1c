"""A component as in `parts`, with another source."""

from __future__ import annotations

from modelwright.components.contract import Component
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Task


class Learner(Component, category="Test"):
    """Gives a learner to be trained, which would now be trained in another way."""

    strength: int = 1

    def run(self) -> UntrainedModel:
        return UntrainedModel(Task.REGRESSION, "learner", 1, {"strength": self.strength})
