"""The words follow the record: each finding is said, and nothing that is absent."""

import pytest

from isthmus.reports import headline, summary
from isthmus.reports.wording import (
    at_points,
    duration,
    number,
    ordinal,
    share,
)
from reports.records import fit_record, folds_record, images_record, measure_record


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (fit_record(4), "This map passes through 4 numbers."),
        (fit_record(1), "This map passes through 1 number."),
        (fit_record(4, rank_upper=6), "This map passes through 4 numbers (the data allow 4 to 6)."),
        (fit_record(0), "No dependence was found."),
        (fit_record(0, rank_upper=1), "No dependence was found (the data allow up to 1 number)."),
        (fit_record(2, task="classification"), "These classes are told apart by 2 numbers."),
        (images_record(3), "These data are described by 3 numbers."),
        (
            fit_record(4, rank_is_undecided=True, rank_lower=1, rank_upper=9),
            "The held-out rows cannot tell how many numbers this map passes through; the best guess is 4 "
            "(1 to 9 agree with them).",
        ),
        (
            fit_record(0, rank_is_undecided=True, rank_upper=2, task="classification"),
            "The held-out rows cannot tell how many numbers separate these classes; the best guess is 0 "
            "(0 to 2 agree with them).",
        ),
        (fit_record(2, stopped="interrupted"), "This map passes through 2 numbers so far: training was interrupted."),
        (measure_record(3), "This network passes through 3 numbers at layer 6 of 13."),
        (measure_record(3, bottleneck_layer=0), "This network passes through 3 numbers at the inputs."),
    ],
)
def test_headline(record, said):
    assert headline(record) == said


def test_a_summary_says_how_far_to_trust_the_answer():
    said = summary(fit_record(4, warnings=["Beware of this."]))
    for part in (
        "depth 13 and width 100 was trained on 500 rows",
        "explains 65.7% of the variation",
        "Narrowed to 4 numbers at layer 6 of 13 and refitted, it has held-out error 16.78 (mean squared error)",
        "the whole network has 16.83 ± 0.62, the best through 3 numbers",
        "every smaller rank is significantly worse",
        "Resampled held-out rows give rank 4 in 93.0% of the cases, 5 in 7.0%.",
        "The 5th direction carries 3.7% of the first in the Jacobian and 25.1% of the first in the activations",
        "keeping it lowers the held-out error by 0.011",
        "At tolerance 0.1 its Jacobian has rank 4 at 493 of 500 points, rank 5 at 7.",
        "reduced-rank regression with as many numbers has error 23.23, the narrowed network 16.88",
        "Training converged in 57.7 s.",
    ):
        assert part in said
    assert said.endswith("Beware of this.")


def test_by_folds_it_is_said_whose_errors_they_are():
    said = summary(folds_record(3))
    for part in (
        "Through 3 numbers, networks fitted to training and validation rows without a part of them, 5 parts in turn, "
        "have error 0.064 on it (mean squared error); whole they have 0.084 ± 0.62, the best through 2 numbers 0.32.",
        "The halves are those of the one network, narrowed at layer 6 of 13.",
        "The held-out rows allow any rank from 3 to 4.",
        "The rank is 3 with probability 90.0%, 4 with 10.0%.",
        "Trained on from λ = 0.05 to 3.2, the network has rank 3 over the longest range.",
    ):
        assert part in said
    assert "significantly" not in summary(folds_record(3, rank_upper=3))
    classes = folds_record(2, task="classification", error_name="misclassified fraction", test_error=0.03)
    classes["cross_decision"]["error_name"] = "−log of the class's probability"
    said = summary(classes)
    assert "it misclassifies 3.0% of the 999 test rows" in said
    assert "on it (−log of the class's probability)" in said


def test_an_unsettled_rank_and_an_early_end_are_said():
    said = summary(fit_record(2, rank_upper=5, stopped="budget"))
    assert "allow any rank from 2 to 5" in said
    assert "significantly good enough" not in said
    assert "stopped short of convergence" in said
    assert "interrupted after 57.7 s" in summary(fit_record(2, stopped="interrupted"))


def test_classification_is_judged_by_what_is_misclassified():
    record = fit_record(2, task="classification", error_name="misclassified fraction", test_error=0.032)
    assert "misclassifies 3.2% of the 999 test rows" in summary(record)
    assert "of the variation" not in summary(record)
    assert "test error is 0.21" in summary(
        fit_record(2, error_name="cross-entropy", test_error=0.21, constant_error=None)
    )


def test_rank_zero_claims_nothing():
    said = summary(fit_record(0))
    assert "The best constant has held-out error" in said
    assert "Narrowed" not in said
    assert "explains" not in said


def test_missing_parts_are_passed_over_in_silence():
    bare = fit_record(4)
    for name in ("kind", "warnings", "next_direction", "baselines", "network_test_error_at_rank", "constant_error"):
        del bare[name]
    del bare["rank_probabilities"], bare["rank_is_undecided"], bare["attribution"]
    bare["error_curve"] = []
    said = summary(bare)
    assert "None" not in said
    assert "direction carries" not in said
    assert "Resampled" not in said
    partial = fit_record(4, next_direction={"error_gain": 0.0}, baselines=[{"name": "PCA", "errors": {}}])
    assert "One more direction leaves the held-out error unchanged." in summary(partial)
    raised = fit_record(4, next_direction={"jacobian": 0.02, "error_gain": -0.5})
    assert "2.0% of the first in the Jacobian; keeping it raises the held-out error by 0.5." in summary(raised)


def test_a_measurement_says_what_keeping_k_changes():
    said = summary(measure_record(3))
    assert "Keeping only 3 numbers at layer 6 of 13 changes the function by 2.2%" in said
    assert "‖w‖²/L is 9.804" in said
    assert "less than 5.891" in said


def test_numbers_are_worded_for_readers():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th")
    ]
    assert [number(v) for v in (None, 0.5687978, -2.0, 123456.0)] == ["–", "0.5688", "−2", "1.235e+05"]
    shares = [share(v) for v in (0.0, 0.1234, 0.00012, 5e-16)]
    assert shares == ["0.0%", "12.3%", "0.012%", "under 0.01%"]
    assert [duration(v) for v in (41.23, 600.0, 10800.0)] == ["41.2 s", "10 min", "3 h"]
    assert at_points({"4": 500}, 500) == "rank 4 at each of 500 points"
