"""Huge depth: Propositions 2 and 4."""

from isthmus.experiments.jacot2023.huge_depth.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
