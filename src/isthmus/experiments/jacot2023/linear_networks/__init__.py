"""Linear networks: the Schatten quasi-norm."""

from isthmus.experiments.jacot2023.linear_networks.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
