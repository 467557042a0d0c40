"""Training that goes on from a network that is good already."""

from __future__ import annotations

from dataclasses import replace

from isthmus.foundation.progress import Report, silent
from isthmus.networks import FullyConnected
from isthmus.training.config import DEFAULT_SCHEDULE, Schedule
from isthmus.training.loop import Training
from isthmus.training.objective import Objective

WARM_SCHEDULE = replace(DEFAULT_SCHEDULE, steps=300, learning_rate=3e-3, ridge_factor=1.0, relax_at=0.0)
"""The schedule for a warm start: shorter, gentler steps, and λ itself from the first one on."""


def warm_start_fit(
    network: FullyConnected,
    objective: Objective,
    *,
    schedule: Schedule = WARM_SCHEDULE,
    seed: int = 0,
    report: Report = silent,
) -> FullyConnected:
    """`network` trained further on `objective`; itself where training makes it no better."""
    training = Training([network], objective, schedule, seed=seed, save=lambda progress: None, report=report)
    if not training.run():
        raise KeyboardInterrupt
    found = training.networks[0]
    return found if objective.value(found) < objective.value(network) else network
