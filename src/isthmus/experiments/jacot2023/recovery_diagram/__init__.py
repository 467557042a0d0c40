"""How often the rank of a teacher is recovered, over depth, sample size and λ."""

from isthmus.experiments.jacot2023.recovery_diagram.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
