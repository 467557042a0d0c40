"""Where classifiers of the plane have tripoints: the phase diagram of the slides' classification figure."""

from isthmus.experiments.jacot2023.phase_diagram.experiment import EXPERIMENT

__all__ = ["EXPERIMENT"]
