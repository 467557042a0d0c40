"""What folds may say of k = 0 … 3, written by hand."""

import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.canonical_correlations import CanonicalCorrelations
from isthmus.selection.features import Averages

TENTH = Tolerance(0.1)
EXCESS = torch.tensor([100.0, 40.0, 0.9, 0.0], dtype=torch.float64)
DEVIATIONS = torch.tensor([5.0, 20.0, 0.3, 0.0], dtype=torch.float64)
OBJECTIVES = torch.tensor([1.0, 0.5, 0.11, 0.1], dtype=torch.float64)
SENSITIVITIES = torch.tensor([1.0, 0.6, 0.02, 0.0], dtype=torch.float64)
REDUNDANCIES = torch.tensor([0.0, 0.05, 0.8, 0.0], dtype=torch.float64)
LINEAR = CanonicalCorrelations(*torch.tensor([[0.9, 0.5, 0.1, 0.0], [50.0, 2.5, -0.5, -3.0]], dtype=torch.float64))
SHARED_SLOPES = torch.tensor([1.0, 0.2, 0.001, 0.0], dtype=torch.float64)
LABEL_SCORES = torch.tensor([20.0, 6.0, 0.1, 0.0], dtype=torch.float64)
RESIDUAL_LINES = torch.tensor([9.0, 4.0, 0.4, -0.2], dtype=torch.float64)


def averages(
    excess=EXCESS,
    deviations=DEVIATIONS,
    objectives=OBJECTIVES,
    sensitivities=SENSITIVITIES,
    redundancies=REDUNDANCIES,
    linear=LINEAR,
    residual_lines=RESIDUAL_LINES,
    shared_slopes=SHARED_SLOPES,
    label_scores=LABEL_SCORES,
    agreement=8.0,
):
    seen = objectives, sensitivities, redundancies, linear, residual_lines, shared_slopes, label_scores
    return Averages(1.0 + excess, excess, deviations, *seen, agreement)
