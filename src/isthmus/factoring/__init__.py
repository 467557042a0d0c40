"""Split f where it is narrow, and decide how narrow it may be."""

from isthmus.factoring.decision import Candidate, RankDecision, decide_rank, row_losses
from isthmus.factoring.factorization import Factorization, factor, split_at, standardized
from isthmus.factoring.linear import LinearBaseline, linear_baseline
from isthmus.factoring.refit import refit

__all__ = [
    "Candidate",
    "Factorization",
    "LinearBaseline",
    "RankDecision",
    "decide_rank",
    "factor",
    "linear_baseline",
    "refit",
    "row_losses",
    "split_at",
    "standardized",
]
