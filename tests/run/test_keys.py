from __future__ import annotations

from modelwright.components.learning.learner import Learner
from modelwright.components.library import library
from modelwright.components.palette.classification.one_vs_all_multiclass import (
    OneVsAllMulticlass,
)
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.data.artifact import Digest
from modelwright.data.fitted import UntrainedModel
from modelwright.run.keys import identity
from modelwright.run.outputs import Output
from modelwright.run.source import source_of


def named(untrained: UntrainedModel) -> str:
    """How a key names the learner, as if it had been stored under a digest."""
    return identity(Output(Digest("sha256:1"), untrained.kind, untrained.summary()), library())


def source(learner: type[Learner]) -> str:
    found = source_of(learner)
    assert found is not None
    return found.digest


def test_a_learner_is_named_by_its_source_too() -> None:
    learner = TwoClassBoostedDecisionTree()
    assert named(learner.run()) == f"sha256:1 {source(TwoClassBoostedDecisionTree)}"


def test_a_wrapper_is_named_by_the_source_of_what_it_wraps_too() -> None:
    wrapped = OneVsAllMulticlass().run(TwoClassBoostedDecisionTree().run())
    sources = f"{source(OneVsAllMulticlass)} {source(TwoClassBoostedDecisionTree)}"
    assert named(wrapped) == f"sha256:1 {sources}"


def test_a_value_that_is_no_learner_is_named_by_its_digest_alone() -> None:
    assert identity(Output(Digest("sha256:1"), "table"), library()) == "sha256:1"
