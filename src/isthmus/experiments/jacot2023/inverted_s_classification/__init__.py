"""Four inverted S in the plane: slides, Figure 2 on low-dimensional topology."""

from isthmus.experiments.jacot2023.inverted_s_classification.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
