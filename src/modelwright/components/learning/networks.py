"""What the learners of networks share: their parameters, and how they are learnt."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.boosting import tree_inputs
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.learner import Learner, TrainerMode, TrainingData
from modelwright.components.learning.network import NATIVE, Course, learn
from modelwright.components.learning.seed import Seed
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import Expression, native
from modelwright.data.native import Native

_SINGLE = Shown(create_trainer_mode="SingleParameter")
_RANGES = Shown(create_trainer_mode="ParameterRange")


class NeuralNetwork(Learner):
    """A learner of networks: features, one hidden layer of hyperbolic tangents, and the outputs.

    Every node is connected to all of the layer before.  Numbers are scaled to a deviation of 1
    around their mean while learning and scoring; a category has an input per level.  Each step follows
    the mean gradient of a 50th of the examples, at most 200.  The loss, summed over the examples, has
    the sum of squared weights added.  With more than ten inputs starting weights shrink by the square
    root of how many times more there are.  The weights are the mean of those after the passes of the
    last quarter.
    """

    create_trainer_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of values for Tune Model Hyperparameters."""

    hidden_layer_specification: Literal["Fully connected case"] = "Fully connected case"
    """One hidden layer, connected to all inputs and all outputs."""

    number_of_hidden_nodes: Annotated[int, Field(ge=1), _SINGLE] = 100
    """Nodes of the hidden layer; more can follow finer detail."""

    number_of_hidden_nodes_range: Annotated[Range, _RANGES] = Range(values=(20, 100, 200))
    """Numbers of nodes to try."""

    learning_rate: Annotated[float, Field(gt=0), _SINGLE] = 0.1
    """Size of the steps."""

    learning_rate_range: Annotated[Range, _RANGES] = Range(values=(0.1, 0.2, 0.4))
    """Sizes of steps to try."""

    number_of_learning_iterations: Annotated[int, Field(ge=1), _SINGLE] = 100
    """Passes over the examples."""

    number_of_learning_iterations_range: Annotated[Range, _RANGES] = Range(values=(20, 40, 80, 160))
    """Numbers of passes to try."""

    the_initial_learning_weights_diameter: Annotated[float, Field(gt=0)] = 0.5
    """Starting weights are drawn from an interval of this length around 0, a shorter one of many inputs."""

    the_momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the last step that is made again in each step."""

    shuffle_examples: bool = True
    """Go through the examples in another order in every pass; else in the order of the rows."""

    random_number_seed: Seed = 0
    """Draws the starting weights and the order of the examples."""

    def network(
        self,
        data: TrainingData,
        target: Floats,
        context: Context,
        *,
        outputs: int,
        notes: dict[str, object],
    ) -> tuple[Native, list[Expression]]:
        """The network as a native value, and its answers as expressions."""
        course = Course(
            self.number_of_hidden_nodes,
            self.learning_rate,
            self.number_of_learning_iterations,
            self.the_initial_learning_weights_diameter,
            self.the_momentum,
            self.shuffle_examples,
            self.random_number_seed,
        )
        title = self.__component__.title
        content = learn(
            data.encoded, target, outputs=outputs, course=course, context=context, learner=title
        )
        inputs = tree_inputs(data.encoded.encoding)
        name = data.native(NATIVE)
        return Native("network", content, notes), [native(name, inputs, k) for k in range(outputs)]


def standardised(target: Floats) -> tuple[Floats, float, float]:
    """The target around 0 with a deviation of 1, its mean and its deviation."""
    middle, spread = float(target.mean()), float(np.std(target)) or 1.0
    return (target - middle) / spread, middle, spread
