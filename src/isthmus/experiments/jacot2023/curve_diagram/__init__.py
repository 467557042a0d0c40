"""What is left of the distance to a curve, over depth and weight decay."""

from isthmus.experiments.jacot2023.curve_diagram.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
