"""Infinite depth: Theorem 1."""

from isthmus.experiments.jacot2023.infinite_depth.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
