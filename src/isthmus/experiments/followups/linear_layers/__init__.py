"""Linear layers in front of a layer of neurons: cost, quasi-norm and index rank over their number."""

from isthmus.experiments.followups.linear_layers.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
