"""What was found, in words."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.reports import index_table
from isthmus.reports.record import Record
from isthmus.reports.wording import (
    at_points,
    duration,
    interval,
    number,
    numbers,
    numbers_of,
    ordinal,
    rough,
    share,
)
from isthmus.runs import FitRecord, MeasureRecord

_ROUNDING = 1e-6  # of the first singular value: below it nothing is carried but rounding of the weights
_SURE = 0.95  # probability under resampling above which nothing needs to be said
_SUBJECT = {"autoencoder": "These data are described by", "classification": "These classes are told apart by"}
_QUESTION = {"autoencoder": "describe these data", "classification": "separate these classes"}
_RARE = 0.01  # probability below which an answer is not worth a word


def headline(record: Record) -> str:
    """One sentence with the answer."""
    if isinstance(record, MeasureRecord):
        lower, upper = record.bottleneck_rank_lower, record.bottleneck_rank
        if record.bottleneck_error is None and lower < upper:
            return f"This network passes through {interval(lower, upper)} numbers."
        return f"This network passes through {numbers(upper)} {_where(record)}."
    k, lower, upper = record.rank, record.rank_lower, record.rank_upper
    so_far = " so far: it was interrupted" if record.stopped == "interrupted" else ""
    doubt = f" (the data allow {interval(lower, upper)})" if lower != upper else ""
    if record.verdict.level == "do not rely":
        question = _QUESTION.get(record.task, "this map passes through")
        return f"It is not known how many numbers {question}; the best guess is {k}{doubt}{so_far}."
    if k == 0:
        return f"No dependence was found{doubt}{so_far}."
    return f"{_SUBJECT.get(record.task, 'This map passes through')} {numbers(k)}{doubt}{so_far}."


def summary(record: Record) -> str:
    """A paragraph: what was found and how far to trust it, warnings last."""
    return " ".join([paragraph(record), *cautions(record)])


def paragraph(record: Record) -> str:
    """What was found and the evidence for it."""
    return " ".join(_measured(record) if isinstance(record, MeasureRecord) else _fitted(record))


def cautions(record: Record) -> list[str]:
    """Reasons to trust it less, beside the verdict."""
    if isinstance(record, MeasureRecord):
        return []
    undone = [f"Not done: {each}. Run the same command again to go on." for each in record.not_done]
    return [*undone, *record.data.warnings, *record.warnings]


def _fitted(record: FitRecord) -> Iterator[str]:
    found, data = record.evidence, record.data
    aside = f", {data.test} others were set aside" if data.test else ""
    told = f"{data.outputs} classes" if record.task == "classification" else numbers_of(data.outputs, "output")
    yield f"{data.train} rows of {numbers_of(data.inputs, 'input')} and {told}{aside}."
    if found.folds:
        yield (
            f"{found.folds} networks of depth {record.depth}, each trained without a part of the rows, were restricted "
            f"to fewer and fewer numbers: through {numbers(record.rank)} they have held-out error "
            f"{number(found.errors[record.rank])}, whole {number(found.whole_error)} ± "
            f"{rough(found.whole_standard_error)} ({found.error_name})."
        )
    yield from _likely(record)
    if record.index is not None:
        yield from index_table.sentences(record.index)
    yield from _beyond(record)
    if record.detection_limit is not None:
        yield (
            f"A further number that matters less than {share(record.detection_limit)} as much as the first would not "
            "pay for its norm at this λ: the networks could not have seen it."
        )
    spectrum = record.jacobian
    yield (
        f"At tolerance {number(record.tolerance)} the Jacobian of the network of all rows has "
        f"{at_points(spectrum.rank_counts, spectrum.points)}."
    )
    yield from _over_ridges(record)
    yield _ending(record)


def _likely(record: FitRecord) -> Iterator[str]:
    """How probable each answer is, the likeliest first, and how often such answers are right."""
    probabilities = record.rank_probabilities or {}
    likely = [(k, p) for k, p in sorted(probabilities.items(), key=lambda item: -item[1]) if p >= _RARE]
    if likely:
        (first, p), *others = likely
        rest = "".join(f", {k} with {share(q)}" for k, q in others)
        yield f"The rank is {first} with probability {share(p)}{rest}."
    if record.verdict.accuracy:
        yield record.verdict.accuracy


def _beyond(record: FitRecord) -> Iterator[str]:
    """What would be lost by stopping at k."""
    following = record.next_direction
    if following is None:
        return
    carried = f"{share(following.jacobian)} of the first in the Jacobian"
    if following.activation is not None:
        carried += f" and {share(following.activation)} in the activations"
    gain = following.error_gain
    turn = "lowers" if gain > 0 else "raises"
    effect = f"{turn} the held-out error by {rough(abs(gain))}" if gain else "leaves the held-out error unchanged"
    yield f"The {ordinal(record.rank + 1)} direction carries {carried}; keeping it {effect}."


def _over_ridges(record: FitRecord) -> Iterator[str]:
    """The step of the staircase on which the answer stands, or not."""
    path = record.rank_path
    if path is not None and path.points:
        weak, strong = (number(path.points[end].ridge) for end in (0, -1))
        over = " over the longest range" if path.plateau else ""
        yield f"Trained on from λ = {weak} to {strong}, the network has rank {path.plateau}{over}."


def _ending(record: FitRecord) -> str:
    took = duration(record.seconds)
    return f"All of it took {took}." if record.stopped != "interrupted" else f"It was interrupted after {took}."


def _measured(record: MeasureRecord) -> Iterator[str]:
    k, spectrum, limit = record.bottleneck_rank, record.jacobian, share(record.tolerance)
    if record.bottleneck_error is None:
        yield f"{_capitalised(record.bottleneck_evidence)}; the tolerance is {limit}."
    else:
        yield (
            f"Keeping only {numbers(k)} {_where(record)} changes the function by {share(record.bottleneck_error)} of "
            f"its spread over the data; the tolerance is {limit}."
        )
    ranks = at_points(spectrum.rank_counts, spectrum.points)
    if spectrum.is_leading:
        yield (
            f"At that tolerance its Jacobian has at least {ranks}: of its singular values only the largest "
            f"{len(spectrum.median)} were bounded."
        )
    elif spectrum.is_sketched:
        yield f"At that tolerance its Jacobian has at least {ranks}: a direction below its error bar is not counted."
    else:
        yield f"At that tolerance its Jacobian has {ranks}."
    yield from _following(record)
    if record.norm_per_depth is not None:
        yield (
            f"‖w‖²/L is {number(record.norm_per_depth)}; no network of this depth computes the function with less "
            f"than {number(record.cost_lower)}."
        )
    elif record.cost_lower is not None:
        yield (
            "No fully-connected network of this depth computes the function with ‖w‖²/L below "
            f"{number(record.cost_lower)}."
        )
    if record.method == "local":
        yield (
            "These are local measurements, derivatives at points of the data, as of every model that is not a chain of "
            "affine maps and one positively homogeneous activation, or where they are asked for: nothing is said about "
            "regions or norms between the points."
        )
    if record.units:
        yield record.units
    yield from record.notes


def _following(record: MeasureRecord) -> Iterator[str]:
    """Direction k + 1, the range over which the rank holds, and whether other points would say the same."""
    curve = record.curve
    k = max(map(int, record.jacobian.rank_counts))  # the rank of the record may be one of a function near this one
    following = curve.next_direction
    if following is not None and following > _ROUNDING:
        yield (
            f"Direction {k + 1} has up to {share(following)} of the first there: a tolerance below that says {k + 1} "
            "or more."
        )
    if curve.plateau is not None:
        fine, coarse = curve.plateau
        held = f"From tolerance {rough(coarse)} down to {rough(fine)} the rank is {curve.plateau_rank}"
        yield f"{held}, the longest range."
    sure = curve.resampled.get(str(k), 0.0)
    if sure < _SURE:
        yield f"Resampled points give Jacobian rank {k} in {share(sure)} of the cases: a few points decide it."


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _where(record: Record) -> str:
    layer, place = record.bottleneck_layer, record.bottleneck_place
    if place:
        if place in ("inputs", "outputs"):
            return f"at the {place}"
        return f"after module {place}" if place[0].isdigit() else f"after {place}"
    return f"at layer {layer} of {record.network_depth}" if layer else "at the inputs"
