"""What was found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isthmus.reports.record import (
    Record,
    depth_of,
    held_out_name,
    is_local,
    is_measurement,
)
from isthmus.reports.wording import (
    at_points,
    duration,
    interval,
    number,
    numbers,
    ordinal,
    rough,
    share,
)

_ROUNDING = 1e-6  # of the first singular value: below it nothing is carried but rounding of the weights
_SURE = 0.95  # probability under resampling above which nothing needs to be said
_SUBJECT = {"autoencoder": "These data are described by", "classification": "These classes are told apart by"}
_QUESTION = {"autoencoder": "describe these data", "classification": "separate these classes"}
_RARE = 0.01  # probability below which an answer is not worth a word


def headline(record: Record) -> str:
    """One sentence with the answer."""
    if is_measurement(record):
        return f"This network passes through {numbers(record['bottleneck_rank'])} {_where(record)}."
    k, lower, upper = record["rank"], record["rank_lower"], record["rank_upper"]
    so_far = " so far: training was interrupted" if record["stopped"] == "interrupted" else ""
    if record.get("rank_is_undecided"):
        question = _QUESTION.get(record["task"], "this map passes through")
        return (
            f"The held-out rows cannot tell how many numbers {question}; the best guess is {k} "
            f"({interval(lower, upper)} agree{'s' * (lower == upper)} with them){so_far}."
        )
    if k == 0:
        doubt = f" (the data allow up to {numbers(upper)})" if upper > 0 else ""
        return f"No dependence was found{doubt}{so_far}."
    doubt = f" (the data allow {interval(lower, upper)})" if lower != upper else ""
    return f"{_SUBJECT.get(record['task'], 'This map passes through')} {numbers(k)}{doubt}{so_far}."


def summary(record: Record) -> str:
    """A paragraph: what was found and how far to trust it, warnings last."""
    return " ".join([paragraph(record), *cautions(record)])


def paragraph(record: Record) -> str:
    """What was found and the evidence for it."""
    return " ".join(_measured(record) if is_measurement(record) else _fitted(record))


def cautions(record: Record) -> list[str]:
    """Reasons to trust it less, as the run itself has noted them."""
    return list(record.get("warnings") or [])


def best_error(row: Mapping[str, Any]) -> float | None:
    """The held-out error of a rank: the lower of projection and refit."""
    errors = [row[name] for name in ("projected", "refitted") if row[name] is not None]
    return float(min(errors)) if errors else None


def _fitted(record: Record) -> Iterator[str]:
    yield (
        f"A network of depth {record['depth']} and width {record['width']} was trained on {record['data']['train']} "
        f"rows{_quality(record) if record['rank'] > 0 else ''}."
    )
    yield from _narrowed(record)
    yield from _settled(record)
    yield from _beyond(record)
    spectrum = record["jacobian"]
    yield (
        f"At tolerance {number(record['tolerance'])} its Jacobian has "
        f"{at_points(spectrum['rank_counts'], spectrum['points'])}."
    )
    yield from _over_ridges(record)
    yield from _beside_baselines(record)
    yield _ending(record)


def _quality(record: Record) -> str:
    """How well the whole network predicts rows it has not seen."""
    if "misclassified" in str(record["error_name"]):
        return f"; it misclassifies {share(record['test_error'])} of the {record['data']['test']} test rows"
    constant = record.get("constant_error")
    # With folds the held-out errors are those of other networks, of more rows.
    if constant and not record.get("cross_decision"):
        # Both errors are of the validation rows: the quotient of errors on different rows would not be a share.
        explained = 1.0 - record["whole_error"] / constant
        return f"; on rows it has not seen it explains {share(explained)} of the variation"
    return f"; its test error is {number(record['test_error'])}"


def _narrowed(record: Record) -> Iterator[str]:
    """The network at the found rank beside the whole one, and the rank below."""
    k, rows = record["rank"], {row["rank"]: row for row in record["error_curve"]}
    whole = f"{number(record['whole_error'])} ± {rough(record['whole_standard_error'])}"
    error = best_error(rows[k]) if k in rows else None
    kind = held_out_name(record).partition(" (")[0]
    if k == 0:
        at_zero = f"{number(error)}" if error is not None else "no larger"
        yield f"The best constant has held-out error {at_zero}, the whole network {whole} ({kind})."
        return
    if error is None:
        yield f"It was narrowed to {numbers(k)} {_where(record)}; the whole network has held-out error {whole}."
        return
    refitted = " and refitted" if rows[k]["refitted"] == error else ""
    fewer = best_error(rows[k - 1]) if k - 1 in rows else None
    rival = f"the best through {numbers(k - 1)}" if k > 1 else "a constant"
    below = f", {rival} {number(fewer)}" if fewer is not None else ""
    if cross := record.get("cross_decision"):
        yield (
            f"Through {numbers(k)}, networks fitted to training and validation rows without a part of them, "
            f"{cross['folds']} parts in turn, have error {number(error)} on it ({kind}); whole they have "
            f"{whole}{below}. The halves are those of the one network, narrowed {_where(record)}."
        )
        return
    yield (
        f"Narrowed to {numbers(k)} {_where(record)}{refitted}, it has held-out error {number(error)} ({kind}); the "
        f"whole network has {whole}{below}."
    )


def _settled(record: Record) -> Iterator[str]:
    lower, upper = record["rank_lower"], record["rank_upper"]
    if lower != upper:
        yield f"The held-out rows allow any rank from {lower} to {upper}."
    elif lower > 0 and not record.get("cross_decision"):
        yield "On held-out rows every smaller rank is significantly worse, and this one is significantly good enough."
    yield from _resampled(record)


def _resampled(record: Record) -> Iterator[str]:
    """How probable each answer is, or how often other held-out rows would give it, the likeliest first."""
    probabilities = record.get("rank_probabilities") or {}
    likely = [(k, p) for k, p in sorted(probabilities.items(), key=lambda item: -item[1]) if p >= _RARE]
    if likely:
        (first, p), *others = likely
        if record.get("cross_decision"):
            rest = "".join(f", {k} with {share(q)}" for k, q in others)
            yield f"The rank is {first} with probability {share(p)}{rest}."
            return
        rest = "".join(f", {k} in {share(q)}" for k, q in others)
        yield f"Resampled held-out rows give rank {first} in {share(p)} of the cases{rest}."


def _beyond(record: Record) -> Iterator[str]:
    """What would be lost by stopping at k."""
    following = record.get("next_direction")
    if not following:
        return
    carried = [
        f"{share(following[name])} of the first in the {place}"
        for name, place in (("jacobian", "Jacobian"), ("activation", "activations"))
        if following.get(name) is not None
    ]
    gain = following.get("error_gain")
    said = f"The {ordinal(record['rank'] + 1)} direction carries {' and '.join(carried)}" if carried else ""
    if gain is not None:
        turn = "lowers" if gain > 0 else "raises"
        effect = f"{turn} the held-out error by {rough(abs(gain))}" if gain else "leaves the held-out error unchanged"
        said = f"{said}; keeping it {effect}" if said else f"One more direction {effect}"
    if said:
        yield f"{said}."


def _over_ridges(record: Record) -> Iterator[str]:
    """The step of the staircase on which the answer stands, or not."""
    path = record.get("rank_path")
    if path and path["points"]:
        weak, strong = (number(path["points"][end]["ridge"]) for end in (0, -1))
        over = " over the longest range" if path["plateau"] else ""
        yield f"Trained on from λ = {weak} to {strong}, the network has rank {path['plateau']}{over}."


def _beside_baselines(record: Record) -> Iterator[str]:
    mine = record.get("network_test_error_at_rank")
    for baseline in record.get("baselines") or []:
        theirs = baseline.get("test_error_at_rank")
        if record["rank"] > 0 and mine is not None and theirs is not None:
            yield (
                f"On the test rows {baseline['name']} with as many numbers has error {number(theirs)}, "
                f"the narrowed network {number(mine)}."
            )


def _ending(record: Record) -> str:
    took = duration(record["seconds"])
    return {
        "converged": f"Training converged in {took}.",
        "budget": f"Training used its whole budget ({took}) and stopped short of convergence.",
        "interrupted": f"Training was interrupted after {took}.",
    }.get(record["stopped"], f"Training ended after {took} ({record['stopped']}).")


def _measured(record: Record) -> Iterator[str]:
    k, spectrum = record["bottleneck_rank"], record["jacobian"]
    yield (
        f"Keeping only {numbers(k)} {_where(record)} changes the function by {share(record['bottleneck_error'])} of "
        f"its spread over the data; the tolerance is {share(record['tolerance'])}."
    )
    yield f"At that tolerance its Jacobian has {at_points(spectrum['rank_counts'], spectrum['points'])}."
    yield from _following(record)
    if record["norm_per_depth"] is not None:
        yield (
            f"‖w‖²/L is {number(record['norm_per_depth'])}; no network of this depth computes the function with less "
            f"than {number(record['cost_lower'])}."
        )
    elif record["cost_lower"] is not None:
        yield (
            "No fully-connected network of this depth computes the function with ‖w‖²/L below "
            f"{number(record['cost_lower'])}."
        )
    if is_local(record):
        yield (
            "These are local measurements, derivatives at points of the data: the model is not a chain of affine maps "
            "and one positively homogeneous activation, so nothing is said about regions or norms between the points."
        )


def _following(record: Record) -> Iterator[str]:
    """Direction k + 1, the range over which the rank holds, and whether other points would say the same."""
    curve = record.get("curve")
    if not curve:
        return
    k = record["jacobian_rank"]
    following = curve["next_direction"]
    if following is not None and following > _ROUNDING:
        yield (
            f"Direction {k + 1} has up to {share(following)} of the first there: a tolerance below that says {k + 1} "
            "or more."
        )
    fine, coarse = curve["plateau"]
    yield (
        f"From tolerance {rough(coarse)} down to {rough(fine)} the rank is {curve['plateau_rank']}, the longest range."
    )
    sure = curve["resampled"].get(str(k), 0.0)
    if sure < _SURE:
        yield f"Resampled points give Jacobian rank {k} in {share(sure)} of the cases: a few points decide it."


def _where(record: Record) -> str:
    layer, place = record["bottleneck_layer"], record.get("bottleneck_place")
    if place:
        return f"at the {place}" if place in ("inputs", "outputs") else f"after {place}"
    return f"at layer {layer} of {depth_of(record)}" if layer else "at the inputs"
