"""What is said of an answer, case by case, and comparisons by hand."""

import numpy as np
import pytest
import torch

from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.simple_methods import FULL
from isthmus.selection.verdict import Comparison, compare_with_simple_methods, judge, recorded_accuracy

WORSE, SAME, BETTER = (Comparison("it", 0.5 + d, d, 0.1) for d in (0.3, 0.1, -0.3))


def named(name, like):
    return Comparison(name, like.error, like.difference, like.standard_error)


MEAN, LINEAR, KERNEL = "the mean", "reduced-rank regression through 2 numbers", "kernel ridge regression"


def judged(*, rank=2, interval=None, at=0.97, mean=WORSE, linear=WORSE, kernel=SAME, task="regression", not_done=()):
    """Of an answer that is right in every respect but what is said otherwise."""
    probabilities = None if at is None else tuple(at if k == rank else (1.0 - at) / 3.0 for k in range(4))
    comparisons = (named(MEAN, mean), named(LINEAR, linear), named(KERNEL, kernel))
    return judge(
        rank=rank,
        interval=interval or (rank, rank),
        probabilities=probabilities,
        error=0.5,
        comparisons=comparisons if rank > 0 else comparisons[1:],
        task=task,
        not_done=not_done,
    )


def test_better_and_worse_are_beyond_two_standard_errors():
    assert [(each.is_better, each.is_worse) for each in (WORSE, SAME, BETTER)] == [
        (False, True),
        (False, False),
        (True, False),
    ]
    assert not Comparison("it", 0.3, -0.2, 0.1).is_better


@pytest.mark.parametrize(
    ("case", "level", "words"),
    [
        ({}, "rely", "Rely on 2: the network through 2 numbers predicts held-out rows at least as well as simpler"),
        ({"linear": SAME}, "rely", "so a linear map is enough"),
        ({"kernel": BETTER}, "do not rely", f"{KERNEL} predicts held-out rows better than the network through 2"),
        ({"linear": BETTER}, "do not rely", f"{LINEAR} predicts held-out rows better"),
        ({"mean": SAME}, "do not rely", "predicts held-out rows no better than the mean"),
        ({"at": 0.7, "interval": (1, 3)}, "caution", "2 has probability 70%, 1 to 3 agree"),
        ({"at": 0.8}, "caution", "2 has probability 80%, 2 agree"),
        ({"interval": (2, 3)}, "caution", "The rank is likely 2, but another draw of rows may say 2 to 3."),
        ({"at": None}, "caution", "at this depth and λ the evidence was not weighed"),
        ({"not_done": ("2 of 5 folds",)}, "caution", "Not finished: without 2 of 5 folds."),
        ({"rank": 0, "linear": SAME}, "rely", "Neither the network nor a simpler method finds"),
        ({"rank": 0, "kernel": BETTER}, "do not rely", "better than the network, which found nothing"),
        ({"rank": 1}, "rely", "the network through 1 number predicts"),
        ({"task": "classification"}, "caution", "But ranks of classes are often wrong"),
        ({"task": "classification", "kernel": BETTER}, "do not rely", KERNEL),
    ],
)
def test_what_is_said(case, level, words):
    found = judged(**case)
    assert found.level == level
    assert words in found.sentence


def test_the_most_serious_reason_is_given():
    everything = {"kernel": BETTER, "mean": SAME, "not_done": ("the folds",), "at": 0.5, "interval": (1, 3)}
    for reason, words in (
        ("kernel", KERNEL),
        ("mean", "no better"),
        ("not_done", "Not finished"),
        ("at", "not settled"),
    ):
        assert words in judged(**everything).sentence
        del everything[reason]
    assert "another draw" in judged(**everything).sentence


def test_how_often_answers_as_sure_were_right_is_what_was_recorded(monkeypatch):
    monkeypatch.setitem(recorded_accuracy(), "regression", [[0.9, 39, 40], [0.5, 12, 17]])
    assert judged(at=0.97).accuracy.startswith("Of 40 answers about outputs of known rank")
    assert "39 were right" in judged(at=0.97).accuracy
    assert "Of 17 answers" in judged(at=0.9).accuracy
    assert judged(at=0.4).accuracy == ""
    assert judged(at=None).accuracy == ""


def test_every_probability_has_a_record():
    for rows in (recorded_accuracy()[kind] for kind in ("regression", "classification")):
        assert [above for above, *_ in rows] == sorted((above for above, *_ in rows), reverse=True)
        assert rows[-1][0] == 0.0
        assert all(0 <= right <= tasks for _, right, tasks in rows)


def cross(errors, linear, full):
    errors, linear, full = (torch.tensor(each, dtype=torch.float64) for each in (errors, linear, full))
    rest = dict.fromkeys(("losses", "whole", "objectives", "sensitivities", "redundancies", "linear", "linear_share"))
    rows = torch.tensor([3, 1, 0, 2])
    return CrossValidation(rows=rows, **rest, errors=errors, linear_errors=linear, full_errors=full)


def test_methods_are_compared_on_the_same_rows():
    errors = [[4.0, 4.0, 2.0, 2.0], [1.0, 2.0, 1.0, 0.0]]
    found = cross(errors, [[4.0, 4.0, 2.0, 2.0], [2.0, 2.0, 1.0, 3.0]], [[0.0, 1.0, 1.0, 1.0]])
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])  # of rows 0 … 3, which the folds held out as 3, 1, 0, 2
    counted = np.array([4.0, 2.0, 1.0, 3.0])
    error, (mean, linear, kernel) = compare_with_simple_methods(found, weights, 1, "regression")
    assert error == pytest.approx(np.average(errors[1], weights=counted))
    assert [each.name for each in (mean, linear, kernel)] == [MEAN, LINEAR.replace("2 numbers", "1 number"), KERNEL]
    assert mean.error == pytest.approx(np.average(errors[0], weights=counted))
    assert linear.difference == pytest.approx(np.average([1.0, 0.0, 0.0, 3.0], weights=counted))
    assert kernel.error == pytest.approx(np.average([0.0, 1.0, 1.0, 1.0], weights=counted))
    equal = compare_with_simple_methods(found, torch.ones(4), 1, "regression")[1]
    assert equal[1].standard_error == pytest.approx(np.std([1.0, 0.0, 0.0, 3.0], ddof=1) / 2.0)


def test_beside_a_constant_stands_the_linear_method_through_all_numbers():
    found = cross([[4.0] * 4, [1.0] * 4], [[4.0] * 4, [3.0] * 4, [2.0] * 4], [[1.0] * 4])
    _, methods = compare_with_simple_methods(found, torch.ones(4), 0, "regression")
    assert [(each.name, each.error) for each in methods] == [(LINEAR, 2.0), (KERNEL, 1.0)]


def test_an_autoencoder_is_compared_with_principal_components():
    found = cross([[4.0] * 4, [1.0] * 4], [[4.0] * 4, [2.0] * 4], torch.zeros(0, 4).tolist())
    _, methods = compare_with_simple_methods(found, torch.ones(4), 1, "autoencoder")
    assert [each.name for each in methods] == [MEAN, "PCA through 1 number"]
    assert FULL["autoencoder"] == ()
