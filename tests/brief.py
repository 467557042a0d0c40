"""Searches over the rank that train on for fewer steps: what they keep, and in which order, is the same."""

from dataclasses import replace

from isthmus.costs import window_networks
from isthmus.training import WARM_SCHEDULE, rank_search, warm_start_fit


def shorten_searches(monkeypatch, *, steps, evaluations, rounds=1):
    """Every warm start of `search_rank` and `depth_window` takes at most so many steps and rounds."""

    def brief(network, objective, *, schedule=WARM_SCHEDULE, **options):
        shorter = replace(
            schedule, steps=min(steps, schedule.steps), rounds=min(rounds, schedule.rounds), evaluations=evaluations
        )
        return warm_start_fit(network, objective, schedule=shorter, **options)

    for module in (rank_search, window_networks):
        monkeypatch.setattr(module, "warm_start_fit", brief)
