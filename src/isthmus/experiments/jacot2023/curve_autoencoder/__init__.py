"""Autoencoders of a curve in the plane: slides, Figure 3 B and C."""

from isthmus.experiments.jacot2023.curve_autoencoder.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
