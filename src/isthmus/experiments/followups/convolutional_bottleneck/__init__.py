"""Which channels and frequencies pass through autoencoders of circular convolutions."""

from isthmus.experiments.followups.convolutional_bottleneck.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
