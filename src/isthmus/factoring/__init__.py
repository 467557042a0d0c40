"""Split f where it is narrow, decide how narrow it may be, and say what passes there."""

from isthmus.factoring.alignment import Alignment, alignment
from isthmus.factoring.attribution import Attribution, attribution
from isthmus.factoring.constants import best_constant
from isthmus.factoring.cross_decision import CrossDecision, decide
from isthmus.factoring.cross_fitting import CrossFit, Fold, cross_fit
from isthmus.factoring.decision import Candidate, RankDecision, decide_rank
from isthmus.factoring.descent import Narrowed, descent
from isthmus.factoring.factorization import Factorization, factor, split_at, standardized
from isthmus.factoring.halves import decided_factorization, narrowed_factorization
from isthmus.factoring.linear import LinearBaseline, linear_baseline
from isthmus.factoring.losses import row_losses
from isthmus.factoring.rank_path import RankPath, RidgePoint, rank_path
from isthmus.factoring.refit import refit

__all__ = [
    "Alignment",
    "Attribution",
    "Candidate",
    "CrossDecision",
    "CrossFit",
    "Factorization",
    "Fold",
    "LinearBaseline",
    "Narrowed",
    "RankDecision",
    "RankPath",
    "RidgePoint",
    "alignment",
    "attribution",
    "best_constant",
    "cross_fit",
    "decide",
    "decide_rank",
    "decided_factorization",
    "descent",
    "factor",
    "linear_baseline",
    "narrowed_factorization",
    "rank_path",
    "refit",
    "row_losses",
    "split_at",
    "standardized",
]
