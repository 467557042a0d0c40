"""Collapse of classifiers along their training, and the rank of their logits before and after."""

from isthmus.experiments.followups.neural_collapse.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
