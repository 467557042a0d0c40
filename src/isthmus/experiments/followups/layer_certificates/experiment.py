"""Layers of networks of known rank: how near isometries they are, what an identity costs there, and the kernel."""

from __future__ import annotations

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.layer_certificates.claims import judge
from isthmus.experiments.followups.layer_certificates.figures import drawings
from isthmus.experiments.followups.layer_certificates.settings import EPSILON, Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.experiments.jacot2023.teacher_networks import (
    GROWN,
    Candidate,
    Task,
    build_rank_one,
    grow,
    train_candidates,
)
from isthmus.spectra import measure


def cells(settings: Settings) -> list[Cell]:
    """A teacher for each rank and seed."""
    return [{"rank": rank, "seed": seed} for rank in settings.ranks for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """The network of every depth, and beside it the interpolant of rank 1 that underestimates a rank above 1."""
    k, seed = int(cell["rank"]), int(cell["seed"])
    task = Task(k, settings.rows, settings.side, settings.width, settings.ridge, seed, settings.steps, settings.rounds)
    objective = task.objective(device)
    (trained,) = train_candidates(task, settings.depths[0], device, grown_from=settings.depths[0])
    found = []
    for depth in settings.depths:
        if depth > trained.network.depth:
            network = grow(task, objective, trained.network, depth)
            trained = Candidate(GROWN, network, objective.value(network))
        found.append(_account(trained, objective.sample()[0]))
        if k > 1:
            found.append(_account(build_rank_one(task, depth), objective.sample()[0].cpu()))
    return {"networks": found}


def _account(candidate: Candidate, x: object) -> Numbers:
    profile = measure(candidate.network, x, scale_inputs="none", scale_outputs="none")
    certificate = profile.certificate
    assert certificate is not None  # None only for a constant, which no teacher of rank 1 and more is
    hidden = profile.layers[:-1]
    return {
        "start": candidate.start,
        "depth": candidate.network.depth,
        "objective": candidate.objective,
        "jacobian_rank": profile.jacobian_rank.lower,
        "bottleneck_rank": profile.bottleneck_rank.upper,
        "norm_per_depth": candidate.network.norm_per_depth,
        "kernel_per_depth": profile.kernel_per_depth,
        "certificate_rank": certificate.rank,
        "excess": certificate.excess,
        "squares": certificate.rank * sum(each**2 for each in certificate.distances),
        "certified_share": certificate.certified_share(EPSILON),
        "guaranteed_share": certificate.guaranteed_share(EPSILON),
        "distances": round_for_figures(certificate.distances),
        "cost_of_identity": round_for_figures([layer.cost_of_identity or 0.0 for layer in hidden]),
        "energies": round_for_figures(profile.energies),
    }


EXPERIMENT = Experiment(
    name="layer-certificates",
    title="Layers near isometries, and the cost of identity",
    claim="Most layers of a deep network of rank k are near partial isometries of rank k, an identity costs k there, "
    "and networks that underestimate the rank have a large tangent kernel.",
    source="follow-ups: Jacot, arXiv 2305.19008; Jacot and Kaiser, arXiv 2405.17573",
    published="Almost all W_ℓ have k singular values near 1, the others O(L^{-1/2}); the energy of an optimal path is "
    "conserved; the kernel of rank-underestimating fits grows faster than L.",
    smoke=Settings(ranks=(1, 2), depths=(5, 8), seeds=(0,), rows=60, side=6, width=16, steps=60, rounds=1),
    full=Settings(ranks=(1, 2, 3, 4, 5, 6), depths=(13, 30, 80), seeds=(0,), rows=500, side=50, width=100),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
