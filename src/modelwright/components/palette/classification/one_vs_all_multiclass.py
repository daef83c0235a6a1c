"""One-vs-All Multiclass: a two-class model for each class."""

from __future__ import annotations

from modelwright.components.context import Context
from modelwright.components.learning.learner import CLASSIFICATION, Fitted, TrainingData
from modelwright.components.learning.scores import multiclass_scores
from modelwright.components.learning.wrappers import Part, TwoClassWrapper
from modelwright.data.expression import dot, when


class OneVsAllMulticlass(TwoClassWrapper, category=CLASSIFICATION, title="One-vs-All Multiclass"):
    """Makes a learner for several classes of a two-class learner, a model per class against the rest.

    The class whose model is the surest is scored.  Probabilities are those of the models, as shares
    of their sum.
    """

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        against = [Part(str(n), data.target == n) for n in range(len(data.classes))]
        parts, likely = self.fit_parts(data, against, context)
        working = parts.working
        total = working.column(dot([(p, 1.0) for p in likely]))
        # When every model is sure of the rest, each class is as likely as any other.
        equal = 1.0 / len(data.classes)
        shares = working.columns([when(total > 0.0, p / total, equal) for p in likely])
        return Fitted(
            multiclass_scores(data.label, data.classes, shares, working),
            natives=parts.natives,
            learnt={
                "classes": [
                    {"class": name, **learnt}
                    for name, learnt in zip(data.classes, parts.learnt, strict=True)
                ]
            },
            libraries=parts.libraries,
            working=working,
        )
