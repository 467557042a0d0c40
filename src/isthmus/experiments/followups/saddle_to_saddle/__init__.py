"""Escape from the saddle at zero, and the rank along a training from small weights."""

from isthmus.experiments.followups.saddle_to_saddle.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
