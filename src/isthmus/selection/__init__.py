"""Split f where it is narrow, decide how narrow it may be, and say what passes there."""

from isthmus.selection.constants import best_constant
from isthmus.selection.cross_validation import CrossFit, Fold, cross_fit
from isthmus.selection.narrowed_halves import decided_factorization, narrowed_factorization
from isthmus.selection.rank_selection import CrossDecision, decide
from isthmus.selection.restriction import Narrowed, descent
from isthmus.selection.ridge_path import RankPath, RidgePoint, rank_path
from isthmus.selection.validation_decision import Candidate, RankDecision, decide_rank

__all__ = [
    "Candidate",
    "CrossDecision",
    "CrossFit",
    "Fold",
    "Narrowed",
    "RankDecision",
    "RankPath",
    "RidgePoint",
    "best_constant",
    "cross_fit",
    "decide",
    "decide_rank",
    "decided_factorization",
    "descent",
    "narrowed_factorization",
    "rank_path",
]
