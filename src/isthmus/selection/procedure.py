"""The one procedure that answers how many numbers data pass through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from isthmus.data import Sample, Task
from isthmus.data.dataset import Integers
from isthmus.data.splitting import Parts
from isthmus.errors import ConstantOutputError, OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.threads import one_thread
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.answer import WeighedFolds, answer_of, constant_answer
from isthmus.selection.cache import SelectionCache
from isthmus.selection.choice import choose_while_descending
from isthmus.selection.config import SelectionConfig
from isthmus.selection.cross_validation import cross_validate
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import Folds, Splits, folds_of, given_parts
from isthmus.selection.hyperparameters import Hyperparameters
from isthmus.selection.index_rank import select_index_rank
from isthmus.selection.leading_coordinates import keep_leading_coordinates
from isthmus.selection.rank_selection import RankSelection
from isthmus.selection.rows import as_sample
from isthmus.selection.scaling import ScaledProblem, select_scaling
from isthmus.selection.shared_slopes import shared_slopes
from isthmus.selection.size import refuse_too_large

# Of the progress: scaling, depth and λ are chosen; folds, all rows done.
_SCALED, _CHOICE_ENDS, _FOLDS_END, _ALL_END = 0.05, 0.3, 0.85, 0.95
_DEFAULT = SelectionConfig()


def select_rank(
    x: object,
    y: object | None = None,
    *,
    task: Task = "regression",
    config: SelectionConfig = _DEFAULT,
    cv: int | Splits | None = None,
    sample_weight: object | None = None,
    n_jobs: int | None = None,
    random_state: Any = 0,
    report: Report = silent,
) -> RankSelection:
    r"""Select the rank of data: the smallest k such that a function through $\mathbb R^k$ predicts as well as any.

    1. Scaling, depth and λ are chosen by rows that are held out (`select_scaling`, `select_hyperparameters`).
    2. Every row is held out once: a network that was trained on the others is restricted to k = 1, 2, … numbers, and
       the loss at these rows, how much the last number matters and whether it is one of its own are measured. Of
       classes also whether what it adds speaks for the classes of these rows (`label_scores`), and along how many
       directions networks of two halves of the rows agree (`shared_slopes`).
    3. That evidence is weighed as on functions of known rank: the rank is the likeliest k.
    4. A network that is trained on all rows is restricted to it and split there.

    Equal rows are one row that counts more, rows of weight zero do not exist, and the order of rows does not matter.
    Of more than 50,000 different rows so many are drawn, and the answer says so.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n,)` or `(n, d_out)`; class indices `(n,)`, from 0 without a gap, for a classification; None for an
            autoencoder.
        task: "regression", "classification" or "autoencoder".
        config: Depths and λ to choose from, and how to train.
        cv: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on. Or the parts, as
            (rows to train on, rows to hold out) each: where rows belong together, of one person say, draw the parts so
            that they stay together (`sklearn.model_selection.GroupKFold`), or the rank may be that of the persons.
        sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.
        n_jobs: Folds side by side, in scikit-learn's sense: None is 1, or what a `joblib.parallel_config` says; -1 all
            processors. Each computes with one thread, so the numbers are the same for any. New processes need a second
            or two, which is worth it where a selection takes ten.
        random_state: Draws the folds and the training: a number, a `numpy.random.RandomState`, or None for fresh ones.
        report: Told the fraction done.

    Returns:
        The rank, its interval and probabilities, the evidence for each k, and the function through R^k. After Ctrl-C,
        once a fold is done, what is known by then; `not_done` says what is missing.

    Raises:
        ShapeError, DtypeError, NonFiniteError: If `x` and `y` are not finite matrices of equal length.
        TooFewRowsError: If there are too few rows to hold some out.
        OptionError: If `cv` is below 2, more than there are pairs of different inputs, or no partition of the rows; if
            classes are no indices; or if another option is out of range.
        TooLargeError: If a network of this size cannot be trained in the memory of this machine.
        IsthmusError: For whatever else `fit` refuses.
        KeyboardInterrupt: If nothing is known yet.

    Source:
        Jacot (2023), the bottleneck rank; `docs/decisions/0024-one-procedure.md`.

    Example:
        >>> import numpy as np
        >>> from isthmus import SelectionConfig, select_rank
        >>> x = np.random.default_rng(0).standard_normal((60, 3))
        >>> y = np.abs(x[:, :1]) * [1.0, -2.0]  # two outputs that are functions of one number
        >>> small = SelectionConfig(depth=3, ridge=0.01, width=16)  # leave it out to have them chosen
        >>> found = select_rank(x, y, config=small, cv=2, random_state=0)
        >>> found.rank, (found.lower, found.upper)
        (1, (1, 1))
    """
    sample, inputs, weights = as_sample(x, y, task, sample_weight)
    parts = cv if cv is None or isinstance(cv, int | np.integer) else given_parts(cv, sample, inputs, weights)
    return select_rank_of(sample, config, cv=parts, seed=seed_from(random_state), n_jobs=n_jobs, report=report)


def seed_from(random_state: Any) -> int:
    """The seed that a `random_state` stands for, in scikit-learn's sense of it.

    Raises:
        OptionError: If it stands for none.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    try:
        drawn = random_state if hasattr(random_state, "randint") else np.random.RandomState(random_state)
    except (TypeError, ValueError) as refused:
        requirement = "a whole number from 0 to 2**32 - 1, a numpy.random.RandomState or None"
        raise OptionError("random_state", random_state, requirement) from refused
    return int(drawn.randint(2**31 - 1))


def select_rank_of(
    sample: Sample,
    config: SelectionConfig,
    *,
    cv: int | Integers | Parts | None = None,
    seed: int,
    cache: SelectionCache | None = None,
    n_jobs: int | None = None,
    report: Report = silent,
) -> RankSelection:
    """`select_rank` of rows that are checked and merged.

    Args:
        sample: The rows.
        config: As for `select_rank`.
        cv: As for `select_rank`; parts as `given_parts` returns them, or `Parts`, which may follow one another.
        seed: Of the folds and the training.
        cache: Where what is done is kept, so that a selection that was killed goes on from there.
        n_jobs: As for `select_rank`.
        report: Told the fraction done.
    """
    if sample.is_constant:
        return constant_answer(sample, config, "rely", "Nothing varies, so there is nothing to pass on.")
    refuse_too_large(sample, config)
    folds, cache = folds_of(sample, cv, seed), cache or SelectionCache()
    try:
        told, then = part(report, 0.0, _SCALED / 2.0), part(report, _SCALED / 2.0, _SCALED)
        with one_thread():
            scaled = select_scaling(sample, folds, config, seed=seed, cache=cache, report=told)
            scaled = keep_leading_coordinates(scaled, sample, folds, config, seed=seed, cache=cache, report=then)
        if sample.drawn_from:
            said = f"Of {sample.drawn_from:,} rows {len(sample.x):,} different ones were drawn."
            scaled = replace(scaled, reason=f"{said} {scaled.reason}".strip())
        found = _selected(scaled, folds, cache, n_jobs, part(report, _SCALED, 1.0))
    except ConstantOutputError:
        return constant_answer(sample, config, "caution", "All that varies was held out at once: too few rows differ.")
    return found if scaled.spanned is None else scaled.spanned.outside(found)


def _selected(
    scaled: ScaledProblem, folds: Folds, cache: SelectionCache, n_jobs: int | None, report: Report
) -> RankSelection:
    """The four steps of `select_rank`."""
    sample, config, networks = scaled.sample, scaled.config, scaled.networks
    tolerance, asked = Tolerance(config.tolerance), folds[: config.max_folds]
    told = part(report, 0.0, _CHOICE_ENDS)
    chosen = choose_while_descending(sample, folds, config, networks, len(asked), n_jobs=n_jobs, report=told)
    chosen = replace(chosen, standardize=scaled.scaling, reason=f"{chosen.reason} {scaled.reason}".strip())
    trains = [networks.trainer(fold, chosen.depth, chosen.ridge) for fold in range(len(asked))]
    told = part(report, _CHOICE_ENDS, _FOLDS_END)
    found = cross_validate(trains, sample, asked, tolerance=tolerance, cache=cache, n_jobs=n_jobs, report=told)
    not_done = [f"{len(asked) - len(found)} of {len(asked)} folds"] if len(found) < len(asked) else []
    with one_thread():
        fitted, shared = trains[0](silent), torch.zeros(0, dtype=torch.float64)
        if not not_done:
            try:
                told = part(report, _FOLDS_END, 1.0 if sample.labels is None else _ALL_END)
                fitted = networks.network(None, chosen.depth, chosen.ridge, told)
            except KeyboardInterrupt:
                not_done.append("the network of all rows, whose place that of the first fold takes")
        if not not_done and sample.labels is not None:
            try:
                shared = _shared_slopes_of_halves(networks, sample, chosen, part(report, _ALL_END, 1.0))
            except KeyboardInterrupt:
                not_done.append("networks of two halves of the rows, whose slopes are not weighed")
        weighed = WeighedFolds.of(found, sample, folds, tolerance, shared)
        known = weighed.chances if weighed.are_calibrated(chosen, config, sample.task) else None
        paths = [fold.combinations for fold in found]
        index = select_index_rank(paths, sample, folds, config.standardize or "columns", known)
        return answer_of(fitted, weighed, index, sample, chosen, config, tuple(not_done))


def _shared_slopes_of_halves(
    networks: FoldNetworks, sample: Sample, chosen: Hyperparameters, report: Report
) -> torch.Tensor:
    """`shared_slopes` of networks of two halves of the rows."""
    told = part(report, 0.0, 0.5), part(report, 0.5, 1.0)
    halves = zip(networks.of_halves(), told, strict=True)
    pair = [half.network(0, chosen.depth, chosen.ridge, own) for half, own in halves]
    return shared_slopes(pair, torch.from_numpy(sample.x))
