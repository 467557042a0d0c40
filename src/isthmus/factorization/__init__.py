"""Split f where it is narrow, and say what passes there."""

from isthmus.factorization.constrained_fit import refit
from isthmus.factorization.halves import (
    Factorization,
    factor,
    latent_names,
    split_at,
    standardized,
)
from isthmus.factorization.input_attribution import Attribution, attribution
from isthmus.factorization.latent_alignment import Alignment, alignment
from isthmus.factorization.reduced_rank_regression import LinearBaseline, linear_baseline
from isthmus.factorization.regularity import HalfRegularity, Regularity

__all__ = [
    "Alignment",
    "Attribution",
    "Factorization",
    "HalfRegularity",
    "LinearBaseline",
    "Regularity",
    "alignment",
    "attribution",
    "factor",
    "latent_names",
    "linear_baseline",
    "refit",
    "split_at",
    "standardized",
]
