"""Rank recovery: slides, Figure 2."""

from isthmus.experiments.jacot2023.rank_recovery.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
