"""The rank of data: one procedure, one result."""

from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig, usual_schedule
from isthmus.selection.evidence import RankEvidence
from isthmus.selection.hyperparameters import Hyperparameters
from isthmus.selection.index_evidence import IndexEvidence
from isthmus.selection.index_rank import IndexRank
from isthmus.selection.procedure import seed_from, select_rank, select_rank_of
from isthmus.selection.rank_selection import RankSelection
from isthmus.selection.restriction import RestrictedNetwork, restrict_to_ranks
from isthmus.selection.ridge_path import RankPath, RidgePoint, rank_path

__all__ = [
    "Hyperparameters",
    "IndexEvidence",
    "IndexRank",
    "RankEvidence",
    "RankPath",
    "RankSelection",
    "RestrictedNetwork",
    "RidgePoint",
    "SelectionCache",
    "SelectionConfig",
    "rank_path",
    "restrict_to_ranks",
    "seed_from",
    "select_rank",
    "select_rank_of",
    "usual_schedule",
]
