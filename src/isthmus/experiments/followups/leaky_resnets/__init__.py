"""Leaky ResNets over their effective depth: energies, plateau of the cost of identity, adapted layer steps."""

from isthmus.experiments.followups.leaky_resnets.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
