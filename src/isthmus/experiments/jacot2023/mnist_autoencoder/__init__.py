"""Autoencoders of digits: slides, Figure 3 A."""

from isthmus.experiments.jacot2023.mnist_autoencoder.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
