"""Settings chosen by what was measured so far: a tree-structured Parzen estimator, with pruning.

Source: Bergstra, Bardenet, Bengio & Kégl 2011, as Optuna has it; a try is pruned when its mean over the
folds measured so far is worse than the median of the other tries after as many folds.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from modelwright.components.errors import MissingExtra
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.sweep import Settings, Spans, spans_of, values_of
from modelwright.components.learning.trials import Trials, Try
from modelwright.data.errors import ModelwrightError

if TYPE_CHECKING:
    import optuna.study
    import optuna.trial

AT_A_TIME = 4
"""Tries that are under way together, whatever the number of workers, so that it changes no result."""

REDRAWN = 20
"""So often another draw is asked for when one was tried before; then what is left is gone through."""

RANDOM_TRIES = 8
UNPRUNED_TRIES = 4


def search(learner: Learner, trials: Trials, count: int, seed: int) -> None:
    """Choose and measure so many tries.

    Raises NothingToTune, and MissingExtra without Optuna.
    """
    values, spans = values_of(learner), spans_of(learner)
    tpe = _optuna()
    study = tpe.create_study(
        direction="minimize" if trials.ranking.smallest else "maximize",
        sampler=tpe.samplers.TPESampler(
            seed=seed, n_startup_trials=RANDOM_TRIES, constant_liar=True
        ),
        pruner=tpe.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIES),
    )
    under_way: list[tuple[optuna.trial.Trial, Try]] = []
    while len(trials.tries) < count or under_way:
        while len(under_way) < AT_A_TIME and len(trials.tries) < count:
            asked, settings = _drawn(tpe, study, trials, values, spans)
            under_way.append((asked, trials.new(settings)))
        trials.measure_next([one for _, one in under_way])
        under_way = [pair for pair in under_way if _goes_on(tpe, study, trials, *pair)]


def most_tries(learner: Learner, count: int) -> int:
    """How many different settings a search for so many can try.  Raises NothingToTune."""
    values, spans = values_of(learner), spans_of(learner)
    return count if _endless(values, spans) else min(count, _combinations(values))


def _drawn(
    tpe: Any,
    study: optuna.study.Study,
    trials: Trials,
    values: dict[str, tuple[Any, ...]],
    spans: Spans,
) -> tuple[optuna.trial.Trial, Settings]:
    """Settings that were not tried yet, where there are any."""
    tried = [one.settings for one in trials.tries]
    for _ in range(REDRAWN):
        asked = study.ask()
        settings = _suggested(asked, values, spans)
        if settings not in tried:
            return asked, settings
        # A measurement that is known already says nothing new to the estimator.
        study.tell(asked, state=tpe.trial.TrialState.FAIL)
    if not _endless(values, spans):
        points = (dict(zip(values, point, strict=True)) for point in product(*values.values()))
        left = next((point for point in points if point not in tried), None)
        if left is not None:
            study.enqueue_trial(left)
    asked = study.ask()
    return asked, _suggested(asked, values, spans)


def _endless(values: dict[str, tuple[Any, ...]], spans: Spans) -> bool:
    """Whether a parameter has a span of more than one value."""
    return any(name in spans and len(known) > 1 for name, known in values.items())


def _combinations(values: dict[str, tuple[Any, ...]]) -> int:
    return math.prod(len(known) for known in values.values())


def _goes_on(
    tpe: Any, study: optuna.study.Study, trials: Trials, asked: optuna.trial.Trial, one: Try
) -> bool:
    """Whether a try is to be measured on another fold; if not, it is settled."""
    outcome, states = one.outcome(), tpe.trial.TrialState
    value = trials.ranking.value(outcome)
    if isinstance(outcome, ModelwrightError) or value is None:
        study.tell(asked, state=states.FAIL)
    else:
        asked.report(value, len(one.folds))
        if len(one.folds) == trials.folds:
            study.tell(asked, value)
        elif asked.should_prune():
            one.pruned = True
            study.tell(asked, state=states.PRUNED)
        else:
            return True
    trials.settle(one)
    return False


def _suggested(
    trial: optuna.trial.Trial, values: dict[str, tuple[Any, ...]], spans: Spans
) -> Settings:
    settings: Settings = {}
    for name, known in values.items():
        span = spans.get(name)
        if span is None or len(known) == 1:
            settings[name] = trial.suggest_categorical(name, known)
            continue
        # The first and the last value are those of the span, whole where the parameter is.
        low, high, log = known[0], known[-1], span.scale == "log"
        if isinstance(low, int):
            settings[name] = trial.suggest_int(name, low, high, log=log)
        else:
            settings[name] = trial.suggest_float(name, low, high, log=log)
    return settings


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtra("optuna", "tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
