"""Searches over the rank that train on for fewer steps: what they keep and find in which order is the same."""

from dataclasses import replace

from isthmus.training import WARM_SCHEDULE, rank_search, warm_start_fit


def shorten_searches(monkeypatch, *, steps, evaluations):
    """Every warm start of `search_rank` takes at most so many steps, and one round."""

    def brief(network, objective, *, schedule=WARM_SCHEDULE, **options):
        steps_taken, rounds = min(steps, schedule.steps), min(1, schedule.rounds)
        shorter = replace(schedule, steps=steps_taken, rounds=rounds, evaluations=evaluations)
        return warm_start_fit(network, objective, schedule=shorter, **options)

    monkeypatch.setattr(rank_search, "warm_start_fit", brief)
