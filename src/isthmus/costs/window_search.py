r"""How deep a network should be for the rank of its data to be found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from isthmus.costs.window import DepthWindow, longest_range
from isthmus.costs.window_networks import RankNetworks
from isthmus.costs.window_reasons import doubts_in_words, ends_in_words
from isthmus.errors import OptionError, ShapeError
from isthmus.foundation.parallel import workers_of
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.training import RankSearch, TrainingConfig, search_rank
from isthmus.training.problem import Problem

WINDOW_CONFIG = TrainingConfig(n_init=4)
"""One random start alone often loses directions."""
_DEPTHS = (3, 6, 12)
_FOLLOWED = (36, 108)  # depths whose λ/L the networks of the deepest search are followed to
_SHARES = (0.1, 0.25, 0.55, 0.65, 0.7, 0.75)  # of the progress bar: the three searches end, and up to three in between


def depth_window(
    x: object,
    y: object | None = None,
    *,
    rank: int | None = None,
    config: TrainingConfig = WINDOW_CONFIG,
    task: str = "regression",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    known: Sequence[FullyConnected] = (),
    seed: int = 0,
    n_jobs: int | None = None,
    report: Report = silent,
) -> DepthWindow:
    r"""The depths at which the global minimum of loss + (λ/L)‖w‖² has rank k.

    $$\mathcal L_r(L) = \min_{(E, C)} E + \lambda \left(r + \frac{C}{L}\right)$$

    over the networks found of rank r, as a network of rank r grows by identity layers that cost r each. Smaller ranks
    have the smaller slope and win where the network is deep (the global minimum underestimates the rank), larger ranks
    have the smaller constant and win where it is shallow.

    1. `search_rank` at depths 3, 6 and 12, and in between, where the window begins or ends between two of them.
    2. For depths beyond, the networks of rank ≤ k found at depth 12 are trained on at depth 12 with λ/L of L = 36 and
       108, until a smaller rank wins: with less weight on the norm a smaller rank spends more of it to fit better.

    Every objective compared is one that a network reaches (or, between two depths searched, an interpolation of such),
    so it is an upper bound of the minimum of its rank, and the window an estimate: a better network of a smaller rank
    would move the deep end down.

    Args:
        x: As for `fit`.
        y: As for `fit`.
        rank: k ≥ 1. Default: the rank of lowest objective at depth 12.
        config: As for `fit`, with λ > 0. Its depth is ignored: the depths are those above. Its schedule is that of the
            random starts at each of them.
        task: As for `fit`.
        tolerance: At which the rank of a network is read.
        known: Networks that compete as well, in the units of the standardised data; for example a rank-1 interpolant.
        seed: As for `fit`.
        n_jobs: Networks that are trained at the same time, as for `in_parallel`: those beyond depth 12 and those that
            are tried at each layer. What follows from one another, the searches, is not spread.
        report: Told the fraction done.

    Returns:
        The window, the reasons and the numbers behind. After Ctrl-C what is known by then, once the first search is
        over.

    Raises:
        OptionError: If `rank` is not possible for the data, or λ or `n_jobs` is 0.
        ShapeError: If a known network does not fit the data.
        As `fit` otherwise.

    Source:
        Jacot (2023), Propositions 2 and 5; the series in L: arXiv 2305.19008.

    Example:
        >>> import numpy as np
        >>> from isthmus import TrainingConfig, depth_window
        >>> from isthmus.training import Schedule
        >>> x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
        >>> short = TrainingConfig(width=6, ridge=0.02, n_init=1, schedule=Schedule(steps=30, rounds=1, evaluations=20))
        >>> depth_window(x, x[:, :1] + x[:, 1:], config=short, seed=0).rank
        1
    """
    if config.ridge == 0:
        raise OptionError("ridge", config.ridge, "positive: without it no depth prefers a rank")
    workers_of(n_jobs)  # refused before anything is computed
    problem = Problem.of(x, y, config=config, task=task)
    _check_rank(rank, problem, config.width)
    found = RankNetworks(problem.objective, config.width, seed, tolerance, n_jobs)
    for network in known:
        _check_fits(network, problem)
        found.note(network, found.rank_of(network))
    config = replace(config, ridge=problem.objective.ridge)
    search = partial(search_rank, x, y, task=task, tolerance=tolerance, seed=seed)
    is_complete = True
    try:
        _explore(found, search, config, rank, report)
        found.follow(_sought(found, rank), _FOLLOWED, part(report, _SHARES[-1], 1.0))
    except KeyboardInterrupt:
        if not found.searched:
            raise
        is_complete = False  # what was found so far is the result
    return _window(found, rank, is_complete=is_complete)


def _check_rank(rank: int | None, problem: Problem, width: int) -> None:
    x = problem.objective.x
    most = min(x.shape[1], problem.d_out, len(x), width)
    if rank is not None and not 1 <= rank <= most:
        raise OptionError(
            "rank",
            rank,
            f"between 1 and {most}, the smallest of the numbers of inputs ({x.shape[1]}), outputs ({problem.d_out}), "
            f"rows ({len(x)}) and neurons ({width})",
        )


def _check_fits(network: FullyConnected, problem: Problem) -> None:
    needed = problem.objective.x.shape[1], problem.d_out
    if (network.d_in, network.d_out) != needed:
        raise ShapeError(
            f"A known network maps {network.d_in} numbers to {network.d_out}, but the data map {needed[0]} to "
            f"{needed[1]}. Pass networks of these data, in their standardised units."
        )


def _sought(found: RankNetworks, rank: int | None) -> int:
    """The rank that was given, or that of the lowest objective at the deepest of the main depths."""
    return found.winner(min(_DEPTHS[-1], max(found.searched))) if rank is None else rank


def _explore(
    found: RankNetworks, search: Callable[..., RankSearch], config: TrainingConfig, rank: int | None, report: Report
) -> None:
    """Search at the main depths, then between two of them where the window begins or ends there."""
    pending, begin = list(_DEPTHS), 0.0
    for end in _SHARES:
        if not pending and (between := _undecided(found, _sought(found, rank))) is not None:
            pending.append(between)
        if not pending:
            break
        depth = pending.pop(0)
        # The rank of the minimum falls with the depth: a larger one than won at a smaller depth need not be tried.
        # That one must be, as the random start of this depth may have lost it.
        won = [found.winner(shallower) for shallower in found.searched if shallower < depth]
        most = max([*won[-1:], *([] if rank is None else [rank + 1])], default=0)
        at_depth = replace(config, depth=depth)
        searched = search(config=at_depth, most=most or None, report=part(report, begin, end))
        found.add_search(searched, depth, is_main=depth in _DEPTHS)
        begin = end


def _undecided(found: RankNetworks, rank: int) -> int | None:
    """A depth between two neighbouring ones that were searched, where the rank wins at one and not at the other."""
    for shallow, deep in reversed(list(pairwise(found.searched))):
        if deep - shallow > 1 and (found.winner(deep) == rank) != (found.winner(shallow) == rank):
            return max(shallow + 1, math.isqrt(deep * shallow))
    return None


def _window(found: RankNetworks, rank: int | None, *, is_complete: bool) -> DepthWindow:
    sought = _sought(found, rank)
    own = longest_range(found.ranges(), sought)
    window = DepthWindow(
        rank=sought,
        shallowest=None if own is None else own.shallowest,
        deepest=None if own is None else own.deepest,
        reasons=(),
        lines=tuple(found.lines),
        ridge=found.objective.ridge,
        searched=tuple(found.searched),
        is_complete=is_complete,
    )
    at = min(_DEPTHS[-1], max(found.searched))
    origin = f"Rank {sought} has the lowest objective at depth {at}." if rank is None else f"Rank {sought} was given."
    reasons = [origin, *ends_in_words(window, own, followed=_FOLLOWED[-1]), *doubts_in_words(found.objective)]
    if not is_complete:
        reasons.append("The search was interrupted: what was not reached may change the window.")
    return replace(window, reasons=tuple(reasons))
