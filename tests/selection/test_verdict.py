"""Whether an answer can be relied on: every reason against it, in its order, and the numbers in the sentence."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.selection import SelectionConfig, select_rank, verdict
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.disagreement import Disagreement
from isthmus.selection.verdict import Comparison, compare_with_simple_methods, judge, recorded_accuracy
from isthmus.training import Schedule

MEAN = Comparison("the mean", 2.0, 1.9, 0.1)
LINEAR = Comparison("reduced-rank regression through 2 numbers", 0.52, 0.42, 0.1)
KERNEL = Comparison("kernel ridge regression", 0.1234, 0.0234, 0.02)
SURE = {
    "rank": 2,
    "interval": (2, 2),
    "probabilities": (0.0, 0.01, 0.97, 0.02),
    "error": 0.1,
    "comparisons": (MEAN, LINEAR, KERNEL),
    "disagreement": None,
    "task": "regression",
    "unjudged": 0,
    "not_done": (),
}


def beside(comparison, difference):
    return replace(comparison, difference=difference, error=0.1 + difference)


def test_an_answer_with_nothing_against_it_is_relied_on():
    found = judge(**SURE)
    assert found.level == "rely"
    assert found.sentence == (
        "Rely on 2: the network through 2 numbers predicts held-out rows at least as well as simpler methods "
        "(error 0.1; kernel ridge regression 0.123, reduced-rank regression through 2 numbers 0.52)."
    )
    assert (found.error, found.comparisons) == (0.1, SURE["comparisons"])
    assert "squared error" in found.error_name
    assert "misclassified" in judge(**{**SURE, "task": "classification"}).error_name


@pytest.mark.parametrize(
    ("change", "level", "sentence"),
    [
        (
            {"comparisons": (MEAN, LINEAR, beside(KERNEL, -0.05))},
            "do not rely",
            "Do not rely on this rank: kernel ridge regression predicts held-out rows better than the network through "
            "2 numbers (error 0.05 against 0.1).",
        ),
        (  # of several that are better the best is named
            {"comparisons": (MEAN, replace(beside(LINEAR, -0.06), standard_error=0.02), beside(KERNEL, -0.05))},
            "do not rely",
            "Do not rely on this rank: reduced-rank regression through 2 numbers predicts held-out rows better than "
            "the network through 2 numbers (error 0.04 against 0.1).",
        ),
        (
            {"comparisons": (beside(MEAN, 0.19), LINEAR, KERNEL)},
            "do not rely",
            "Do not rely on this rank: the network through 2 numbers predicts held-out rows no better than the mean "
            "(error 0.1 against 0.29).",
        ),
        (
            {"not_done": ("2 of 5 folds", "the network of all rows")},
            "caution",
            "Not finished: without 2 of 5 folds; the network of all rows.",
        ),
        (
            {"probabilities": None},
            "caution",
            "How likely the rank is cannot be said: at this depth, λ or tolerance the evidence was not weighed.",
        ),
        (
            {"probabilities": (0.0, 0.2, 0.8, 0.0), "interval": (1, 2)},
            "caution",
            "The rank is not settled: 2 has probability 80%, 1 to 2 agree.",
        ),
        (
            {"disagreement": Disagreement(4, 9.7, 0.9)},
            "caution",
            "The rank is 2 if number 3 only bends what the first 2 span (they determine 90% of it): held-out rows are "
            "predicted better through 4 numbers, by 10 standard errors.",
        ),
        (
            {"interval": (2, 3)},
            "caution",
            "The rank is likely 2, but another draw of rows may say 2 to 3.",
        ),
        (
            {"comparisons": (MEAN, beside(LINEAR, 0.19), KERNEL)},
            "rely",
            "Rely on 2; reduced-rank regression through 2 numbers predicts held-out rows no worse by two standard "
            "errors (error 0.29 against 0.1), so a linear map may be enough.",
        ),
        (  # a method that is ahead by less than two standard errors is named, not passed over
            {"comparisons": (MEAN, LINEAR, replace(beside(KERNEL, -0.05), standard_error=0.04))},
            "rely",
            "Rely on 2: no simpler method predicts held-out rows better than the network through 2 numbers by more "
            "than two standard errors (error 0.1; kernel ridge regression 0.05, reduced-rank regression through 2 "
            "numbers 0.52).",
        ),
        (  # what is clearly worse is said to be so, and named once
            {"comparisons": (MEAN, LINEAR)},
            "rely",
            "Rely on 2: the network through 2 numbers predicts held-out rows better than simpler methods (error 0.1; "
            "reduced-rank regression through 2 numbers 0.52).",
        ),
        (  # both the network and lines find nothing
            {"rank": 0, "interval": (0, 0), "probabilities": (0.9, 0.1), "comparisons": (LINEAR, KERNEL)},
            "rely",
            "Neither the network nor a simpler method finds that the outputs depend on the inputs.",
        ),
        (
            {"rank": 0, "probabilities": (0.9, 0.1), "comparisons": (beside(LINEAR, -0.5), KERNEL)},
            "do not rely",
            "Do not rely on this rank: reduced-rank regression through 2 numbers predicts held-out rows better than "
            "the network, which found nothing (error -0.4 against 0.1).",
        ),
        (
            {"task": "classification", "unjudged": 1},
            "caution",
            "The rank may be larger: of 1 class no row was held out, so nothing tells what it needs.",
        ),
        (
            {"task": "classification"},
            "caution",
            "Rely on 2: the network through 2 numbers predicts held-out rows at least as well as simpler methods "
            "(error 0.1; kernel ridge regression 0.123, reduced-rank regression through 2 numbers 0.52). But labels "
            "tell less than outputs: ranks of classes are wrong more often.",
        ),
        (  # what is no reliance gets no second caution
            {"task": "classification", "interval": (2, 3)},
            "caution",
            "The rank is likely 2, but another draw of rows may say 2 to 3.",
        ),
    ],
)
def test_what_speaks_against_an_answer_is_said(change, level, sentence):
    found = judge(**{**SURE, **change})
    assert (found.level, found.sentence) == (level, sentence)


REASONS = [  # most serious first
    {"comparisons": (beside(MEAN, 0.19), LINEAR, beside(KERNEL, -0.05))},
    {"comparisons": (beside(MEAN, 0.19), LINEAR, KERNEL)},
    {"unjudged": 2},
    {"not_done": ("1 of 5 folds",)},
    {"probabilities": None},
    {"probabilities": (0.3, 0.0, 0.7, 0.0)},
    {"disagreement": Disagreement(4, 9.7, 0.9)},
    {"interval": (1, 2)},
]


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_the_most_serious_reason_is_the_one_that_is_said(first):
    merged = {key: value for reason in reversed(REASONS[first:]) for key, value in reason.items()}
    alone, together = judge(**{**SURE, **REASONS[first]}), judge(**{**SURE, **merged})
    interval = merged.get("interval", (2, 2))
    expected = alone.sentence.replace("2 agree", f"{interval[0]} to {interval[1]} agree")
    assert (together.level, together.sentence) == (alone.level, expected)


@pytest.mark.parametrize("task", ["regression", "autoencoder", "classification"])
def test_the_accuracy_is_that_of_answers_as_sure_as_this_one(task):
    table = recorded_accuracy()["classification" if task == "classification" else "regression"]
    bounds = [1.0, *(above for above, _, _ in table)]
    for (above, right, tasks), upper in zip(table, bounds, strict=False):
        for p in (upper, (above + upper) / 2.0):
            said = judge(**{**SURE, "task": task, "probabilities": (1.0 - p, 0.0, p, 0.0)}).accuracy
            assert f"Of {tasks} answers" in said
            assert f", {right} were right" in said
            assert ("about classes" in said) == (task == "classification")
            assert 0 <= right <= tasks
    assert judge(**{**SURE, "task": task, "probabilities": None}).accuracy == ""


@pytest.mark.parametrize(
    ("bins", "at", "counted"),
    [
        ([[0.95, 17, 18], [0.5, 9, 12], [0.0, 6, 15]], 0.97, " that were, like this one, more than 95% sure,"),
        ([[0.95, 17, 18], [0.5, 9, 12], [0.0, 6, 15]], 0.7, " that were, like this one, 50% to 95% sure,"),
        ([[0.95, 17, 18], [0.0, 15, 27]], 0.7, " that were, like this one, at most 95% sure,"),
        ([[0.0, 19, 36]], 0.99, ", however sure,"),
    ],
)
def test_the_answers_that_are_counted_are_named(bins, at, counted, monkeypatch):
    monkeypatch.setattr(verdict, "recorded_accuracy", lambda: {"regression": bins})
    said = judge(**{**SURE, "probabilities": (1.0 - at, 0.0, at, 0.0)}).accuracy
    assert f"of known rank{counted} " in said


def test_two_standard_errors_make_a_difference():
    at = [Comparison("", 1.0, difference, 0.5) for difference in (-1.01, -1.0, 0.0, 1.0, 1.01)]
    assert [each.is_better for each in at] == [True, False, False, False, False]
    assert [each.is_worse for each in at] == [False, False, False, False, True]


def cross(errors, linear, full, rows):
    """What folds say of errors that a person counts, and nothing else."""
    errors, linear, full = (torch.tensor(each, dtype=torch.float64) for each in (errors, linear, full))
    nothing = torch.zeros(0, dtype=torch.float64)
    return CrossValidation(torch.tensor(rows), errors, *[nothing] * 4, None, *[nothing] * 4, errors, linear, full)


ROWS = [2, 0, 3]  # row 1 is never held out
WEIGHTS = torch.tensor([1.0, 50.0, 2.0, 1.0], dtype=torch.float64)
ERRORS = [[4.0, 8.0, 2.0], [1.0, 3.0, 1.0]]
LINES = [[4.0, 8.0, 2.0], [2.0, 3.0, 5.0]]
FULL = [[0.5, 1.0, 1.0]]


def weighed(values):
    """Mean and standard error of the mean of values at `ROWS`, which weigh 2, 1 and 1: by hand."""
    shares = np.array([0.5, 0.25, 0.25])
    mean = shares @ values
    effective = 16.0 / 6.0
    return mean, math.sqrt(shares @ (values - mean) ** 2 / (effective - 1.0))


def test_methods_are_compared_on_the_same_rows_with_their_weights():
    error, found = compare_with_simple_methods(cross(ERRORS, LINES, FULL, ROWS), WEIGHTS, 1, "regression")
    assert error == pytest.approx(1.5, rel=1e-12)  # (2·1 + 3 + 1) / 4
    names = ["the mean", "reduced-rank regression through 1 number", "kernel ridge regression"]
    assert [each.name for each in found] == names
    for each, values in zip(found, [ERRORS[0], LINES[1], FULL[0]], strict=True):
        difference, deviation = weighed(np.array(values) - np.array(ERRORS[1]))
        assert each.error == pytest.approx(weighed(np.array(values))[0], rel=1e-12)
        assert each.difference == pytest.approx(difference, rel=1e-12)
        assert each.standard_error == pytest.approx(deviation, rel=1e-12)


def test_at_rank_0_the_linear_method_may_use_all_its_numbers():
    error, found = compare_with_simple_methods(cross(ERRORS, LINES, FULL, ROWS), WEIGHTS, 0, "regression")
    assert error == pytest.approx(4.5, rel=1e-12)  # (2·4 + 8 + 2) / 4
    assert [each.name for each in found] == ["reduced-rank regression through 1 number", "kernel ridge regression"]
    assert [each.error for each in found] == [pytest.approx(3.0, rel=1e-12), pytest.approx(0.75, rel=1e-12)]


def test_of_an_autoencoder_the_linear_method_is_pca_and_there_is_no_other():
    _, found = compare_with_simple_methods(cross(ERRORS, LINES, np.zeros((0, 3)), ROWS), WEIGHTS, 1, "autoencoder")
    assert [each.name for each in found] == ["the mean", "PCA through 1 number"]


def test_of_classes_agreement_on_a_few_rows_is_no_certainty():
    right, wrong = [0.0] * 4, [0.0, 0.0, 1.0, 0.0]
    both = cross([wrong, right], [wrong, right], [right, wrong], [0, 1, 2, 3])
    error, found = compare_with_simple_methods(both, torch.ones(4, dtype=torch.float64), 1, "classification")
    assert error == 0.0
    assert [each.name for each in found] == [
        "the most frequent class",
        "reduced-rank regression through 1 number",
        "kernel ridge regression",
        "logistic regression",
    ]
    # Agresti and Min: n = 4 + 2 rows with a discordant half each way, and c rows that only the method gets wrong
    for each, c in zip(found, (1, 0, 0, 1), strict=True):
        discordant = c + 1.0
        assert each.difference == pytest.approx(c / 4.0, rel=1e-12)
        assert each.standard_error == pytest.approx(math.sqrt(discordant - c**2 / 6.0) / 6.0, rel=1e-12)


@pytest.mark.parametrize(("folds", "is_said"), [(1, True), (3, False)])
def test_a_class_of_which_no_row_is_held_out_is_told(folds, is_said):
    """As of classes that begin after all rows that are held out; here in the folds that are left out."""
    rng = np.random.default_rng(0)
    x, place = rng.standard_normal((150, 2)), np.arange(150)
    x[100:, 1] += 3.0
    y = np.where(place < 100, (x[:, 0] > 0).astype(int), 2)
    part = np.digitize(place, [75, 110])
    splits = [(np.flatnonzero(part != p), np.flatnonzero(part == p)) for p in range(3)]
    schedule = Schedule(steps=100, rounds=1, evaluations=40)
    config = SelectionConfig(depth=3, ridge=2e-3, width=16, standardize="columns", max_folds=folds, schedule=schedule)
    found = select_rank(x, y, task="classification", cv=splits, config=config)
    assert ("of 1 class no row was held out" in found.verdict.sentence) == is_said
