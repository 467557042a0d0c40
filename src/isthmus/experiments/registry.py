"""Every experiment there is: those of the slides in their order, then those of the follow-ups."""

from __future__ import annotations

from typing import Any

from isthmus.errors import OptionError
from isthmus.experiments.experiment import Experiment
from isthmus.experiments.followups import (
    convolutional_bottleneck,
    layer_certificates,
    leaky_resnets,
    linear_layers,
    neural_collapse,
    saddle_to_saddle,
)
from isthmus.experiments.jacot2023 import (
    curve_autoencoder,
    curve_diagram,
    huge_depth,
    infinite_depth,
    inverted_s_classification,
    linear_networks,
    mnist_autoencoder,
    phase_diagram,
    rank_recovery,
    recovery_diagram,
    sample_size,
    weight_spectrum,
)

EXPERIMENTS: tuple[Experiment[Any], ...] = (
    rank_recovery.EXPERIMENT,
    weight_spectrum.EXPERIMENT,
    inverted_s_classification.EXPERIMENT,
    mnist_autoencoder.EXPERIMENT,
    curve_autoencoder.EXPERIMENT,
    huge_depth.EXPERIMENT,
    sample_size.EXPERIMENT,
    linear_networks.EXPERIMENT,
    infinite_depth.EXPERIMENT,
    phase_diagram.EXPERIMENT,
    curve_diagram.EXPERIMENT,
    recovery_diagram.EXPERIMENT,
    layer_certificates.EXPERIMENT,
    saddle_to_saddle.EXPERIMENT,
    leaky_resnets.EXPERIMENT,
    linear_layers.EXPERIMENT,
    convolutional_bottleneck.EXPERIMENT,
    neural_collapse.EXPERIMENT,
)


def experiment_named(name: str) -> Experiment[Any]:
    """The experiment of that name.

    Raises:
        OptionError: If there is none.
    """
    for experiment in EXPERIMENTS:
        if experiment.name == name:
            return experiment
    raise OptionError("the experiment", name, f"one of {', '.join(e.name for e in EXPERIMENTS)}, or all")
