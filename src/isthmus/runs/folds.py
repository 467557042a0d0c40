"""The rank decided by rows that are held out in turn from networks of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from isthmus.data import Dataset, folded_rows
from isthmus.data.dataset import Integers
from isthmus.foundation.progress import Report
from isthmus.foundation.statistics import standard_error
from isthmus.foundation.tolerance import Tolerance
from isthmus.runs.decided import Decided, doubts
from isthmus.runs.fitting import fitted_rows
from isthmus.runs.folder import RunFolder
from isthmus.runs.kept_folds import KeptFolds
from isthmus.runs.options import FitOptions
from isthmus.selection import (
    CrossDecision,
    CrossFit,
    cross_fit,
    decide,
    descent,
    narrowed_factorization,
)
from isthmus.selection.canonical_correlations import CHANCE
from isthmus.training import FittedNetwork

Folds = list[tuple[Integers, Integers]]


def folds_of(dataset: Dataset, options: FitOptions) -> Folds | None:
    """(rows to train on, rows held out) of the training and validation rows; None where no folds are asked for.

    Raises:
        TooFewRowsError: If there are too few rows to hold some out.
    """
    if options.folds is None:
        return None
    rows = np.sort(np.concatenate([dataset.split.train, dataset.split.validation]))
    labels = np.asarray(dataset.y[rows], np.int64) if dataset.task == "classification" else None
    parts = folded_rows(dataset.x[rows], labels, folds=options.folds, seed=options.seed)
    return [(rows[trained], rows[held_out]) for trained, held_out in parts]


def cross_fitted(
    dataset: Dataset,
    fitted: FittedNetwork,
    options: FitOptions,
    folds: Folds,
    folder: RunFolder,
    key: str,
    report: Report,
) -> CrossFit:
    """One network more a fold, of the depth and λ of `fitted`; what is done is kept in the folder.

    Raises:
        KeyboardInterrupt: If a fit was interrupted. Its checkpoint is kept.
    """

    def trained(index: int, report: Report) -> FittedNetwork:
        found = fitted_rows(
            dataset,
            options,
            folds[index][0],
            depth=fitted.network.depth,
            ridge=fitted.ridge,
            checkpoint=folder.fold_checkpoint,
            key=f"{key}:{index}",
            report=lambda fraction, state: report(fraction, f"fold {index + 1} of {len(folds)}, {state}"),
        )
        if found.stopped == "interrupted":
            raise KeyboardInterrupt
        return found

    outputs = dataset.x if dataset.task == "autoencoder" else dataset.y
    return cross_fit(
        trained,
        torch.from_numpy(dataset.x),
        torch.from_numpy(outputs),
        [torch.from_numpy(held_out) for _, held_out in folds],
        task=dataset.task,
        tolerance=Tolerance(options.tolerance),
        keep=KeptFolds(folder.folds, key=key),
        report=report,
    )


def decided_by_folds(
    fitted: FittedNetwork, cross: CrossFit, options: FitOptions, curve: tuple[float, ...], report: Report
) -> Decided:
    """The decision of `decide`, and the fitted network narrowed to its rank.

    Args:
        fitted: The network to narrow and split.
        cross: What the folds have said.
        options: With ε.
        curve: As for `decided_factorization`.
        report: Told the fraction done.
    """
    decision = decide(cross, tolerance=Tolerance(options.tolerance))
    narrowed = descent(fitted.network, fitted.objective, most=len(decision.errors) - 1, report=report)
    decision = decision.at_most(len(narrowed))
    k, errors = decision.rank, decision.errors
    chosen = narrowed[k - 1] if k else None
    return Decided(
        rank=k,
        lower=decision.lower,
        upper=decision.upper,
        probabilities=decision.probabilities,
        is_undecided=decision.is_undecided,
        tolerance=decision.tolerance.relative,
        layer=chosen.layer if chosen else 0,
        network=chosen.network if chosen else None,
        factorization=narrowed_factorization(fitted, chosen, curve) if chosen else None,
        curve=[_row(decision, k) for k in range(len(errors))],
        whole_error=decision.whole_error,
        whole_standard_error=standard_error(cross.whole, None),
        constant_error=errors[0],
        margin=None,
        gain=errors[k] - errors[k + 1] if k + 1 < len(errors) else None,
        evidence=_evidence(decision, cross),
        doubts=doubts(k, decision.lower, decision.upper, decision.probabilities, decision.is_undecided),
        more={"cross_decision": _record(decision, cross, fitted)},
    )


def _record(decision: CrossDecision, cross: CrossFit, fitted: FittedNetwork) -> dict[str, Any]:
    name = "mean squared error (standardised units)" if fitted.classes is None else "−log of the class's probability"
    facts = {"folds": len(cross.objectives), "rows": len(cross.rows), "error_name": name}
    return {**facts, **decision.record()}


def _row(decision: CrossDecision, k: int) -> dict[str, Any]:
    # Every network but the constant has been trained on under its constraint.
    error = decision.errors[k]
    errors = {"projected": None if k else error, "refitted": error if k else None}
    return {"rank": k, **errors, "standard_error": decision.standard_errors[k]}


def _evidence(decision: CrossDecision, cross: CrossFit) -> list[str]:
    k, errors = decision.rank, decision.errors
    pairs = zip(errors, decision.standard_errors, strict=True)
    excess = [f"{error - min(errors):.2g} ± {deviation:.1g}" for error, deviation in pairs]
    said = [
        f"Each of {len(cross.rows)} rows was held out from one of {len(cross.objectives)} networks. Through {k} "
        f"numbers they have held-out error {errors[k]:.4g}: {excess[k]} more than through the best number of numbers."
    ]
    if k > 0:
        said.append(f"Through {k - 1} numbers it is {errors[k - 1]:.4g}: {excess[k - 1]} more.")
    said += [
        f"In networks through {j + 1} numbers the last one matters {decision.effects[j]:.2%} as much as the first, and "
        f"the others determine {decision.dependences[j]:.0%} of it."
        for j in (k - 1, k)
        if 1 <= j < len(decision.effects)
    ]
    if decision.linear_share > 0:
        needed = next(j for j, deviations in enumerate(decision.linear) if deviations < CHANCE)
        said.append(
            f"Linear functions alone, whose multiple correlation is {decision.linear_share:.0%} of the networks', need "
            f"{needed} numbers by Bartlett's test."
        )
    return said
