"""The two halves of a network at the rank that was decided."""

from __future__ import annotations

from isthmus.factorization.halves import Factorization, split_at, standardized
from isthmus.selection.restriction import Narrowed
from isthmus.selection.validation_decision import RankDecision
from isthmus.training import FittedNetwork


def decided_factorization(
    fitted: FittedNetwork, decision: RankDecision, curve: tuple[float, ...]
) -> Factorization | None:
    """The best network of the decided rank, split where it is narrow; None at rank 0: there is nothing to encode.

    Args:
        fitted: The network whose rank was decided.
        decision: The decision.
        curve: The changes of f over k = 0, 1, 2, … by projection, on the training rows.
    """
    best = decision.best
    if best.network is None:
        return None
    encoder, decoder = split_at(best.network, fitted.objective.sample()[0], best.layer, best.rank)
    return standardized(fitted, encoder, decoder, best.layer, curve)


def narrowed_factorization(fitted: FittedNetwork, narrowed: Narrowed, curve: tuple[float, ...]) -> Factorization:
    """A network that was narrowed by `descent`, split where it is narrow.

    Args:
        fitted: The network that was narrowed.
        narrowed: What it was narrowed to.
        curve: As for `decided_factorization`.
    """
    encoder, decoder = split_at(narrowed.network, fitted.objective.sample()[0], narrowed.layer, narrowed.rank)
    return standardized(fitted, encoder, decoder, narrowed.layer, curve)
