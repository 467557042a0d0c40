"""The claims of the paper as values that run again; each returns a record, also when it contradicts the claim."""

from isthmus.experiments.experiment import Claim, Experiment, Scale, plain
from isthmus.experiments.record import EXPERIMENT_FORMAT, differences, measurements, read_record, verdict
from isthmus.experiments.registry import EXPERIMENTS, experiment_named
from isthmus.experiments.running import reproduce

__all__ = [
    "EXPERIMENTS",
    "EXPERIMENT_FORMAT",
    "Claim",
    "Experiment",
    "Scale",
    "differences",
    "experiment_named",
    "measurements",
    "plain",
    "read_record",
    "reproduce",
    "verdict",
]
