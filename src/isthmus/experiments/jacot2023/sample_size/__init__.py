"""Sample size: Theorem 2 and Proposition 5."""

from isthmus.experiments.jacot2023.sample_size.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
