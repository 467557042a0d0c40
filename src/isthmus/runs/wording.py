"""A selection in sentences, for the record."""

from __future__ import annotations

from isthmus.foundation.likelihood import likelihood_of
from isthmus.selection import RankSelection
from isthmus.spectra import RankProfile


def evidence_in_words(selection: RankSelection) -> list[str]:
    """What speaks for the rank, a sentence each."""
    k, found = selection.rank, selection.evidence
    most = len(found.errors) - 1  # beyond it there is no number more to say anything of
    least = min(found.errors)
    excess = [f"{e - least:.2g} ± {s:.1g}" for e, s in zip(found.errors, found.standard_errors, strict=True)]
    said = [
        f"Each of {found.rows} rows was held out from one of {found.folds} networks. Through {_numbers(k)} they have "
        f"held-out error {found.errors[k]:.4g}: {excess[k]} more than through the best number of numbers."
    ]
    if k > 0:
        said.append(f"Through {_numbers(k - 1)} it is {found.errors[k - 1]:.4g}: {excess[k - 1]} more.")
    said += [
        f"In networks through {_numbers(j + 1)} the last one matters {found.sensitivities[j]:.2%} as much as the "
        f"first, and the others determine {found.redundancies[j]:.0%} of it."
        for j in (k - 1, k)
        if 1 <= j < most
    ]
    around = [j for j in (k - 1, k) if j >= 0]
    if selection.task == "regression":
        seen = [f"{_numbers(j)} leave{'s' * (j == 1)} by {found.residual_lines[j]:.1f}" for j in around]
        said.append(
            f"Linear functions of the inputs see what {' and what '.join(seen)} standard deviations clearer than what "
            "the whole networks leave."
        )
    further = [j for j in around if j < most]
    if selection.task == "classification" and further:
        shared = [f"number {j + 1} {found.shared_slopes[j]:.2%}" for j in further]
        said.append(
            f"How far networks of two halves of the rows agree on a number, relative to the first: {', '.join(shared)}."
        )
        spoken = [f"number {j + 1} {found.label_scores[j]:.1f}" for j in further]
        said.append(f"How clearly a number speaks for the classes of rows held out, in σ: {', '.join(spoken)}.")
    return said


def warnings_in_words(selection: RankSelection, profile: RankProfile) -> list[str]:
    """Reasons to trust the rank less, beside the verdict."""
    said = []
    one = min(selection_width(selection))
    if one == 1:
        said.append(
            "With one output, one input or two classes the rank can only be 0 or 1. The index rank, of outputs, says "
            "more: how many linear combinations of the inputs matter."
        )
    index = selection.index
    if index is not None and (index.rank < selection.rank or index.rank > 0 == selection.rank):
        said.append(
            f"A function of {index.rank} linear combination{'s' * (index.rank != 1)} of its inputs cannot have rank "
            f"{selection.rank}: the rank or the index rank is wrong."
        )
    if profile.bottleneck_rank.upper != selection.rank:
        said.append(
            f"The network itself needs {_numbers(profile.bottleneck_rank.upper)} to be kept within "
            f"{profile.tolerance.relative:.0%}; held-out data ask for {selection.rank}."
        )
    if selection.task == "classification":
        said.append("The rank of a classification is judged by the probabilities of the classes.")
    return said


def selection_width(selection: RankSelection) -> tuple[int, int]:
    """Inputs, and numbers that tell the outputs: no rank is larger."""
    network = selection.network
    if network is None:
        return 0, 0
    return network.network.d_in, likelihood_of(selection.task).free_outputs(network.network.d_out)


def _numbers(k: int) -> str:
    return f"{k} number{'s' * (k != 1)}"
