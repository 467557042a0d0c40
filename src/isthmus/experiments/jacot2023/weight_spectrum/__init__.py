"""The spectrum of the weights: slides, Figure 1a."""

from isthmus.experiments.jacot2023.weight_spectrum.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
