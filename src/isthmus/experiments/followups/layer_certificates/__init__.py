"""Certificates, cost of identity, energies and tangent kernels of rank-recovery networks."""

from isthmus.experiments.followups.layer_certificates.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
