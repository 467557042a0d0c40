"""The words follow the record: each finding is said, and nothing that is absent."""

import pytest

from isthmus.reports import headline, summary
from isthmus.reports.profiles import rank_curve
from isthmus.reports.sentences import cautions, paragraph
from isthmus.reports.wording import (
    at_points,
    duration,
    number,
    ordinal,
    share,
)
from reports.records import fit_record, images_record, measure_record, path_record

NOT_KNOWN = fit_record(2).verdict.model_copy(update={"level": "do not rely", "sentence": "Do not rely on this rank."})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (fit_record(4), "This map passes through 4 numbers."),
        (fit_record(1), "This map passes through 1 number."),
        (fit_record(4, rank_upper=6), "This map passes through 4 numbers (the data allow 4 to 6)."),
        (fit_record(0), "No dependence was found."),
        (fit_record(0, rank_upper=1), "No dependence was found (the data allow 0 to 1)."),
        (fit_record(2, task="classification"), "These classes are told apart by 2 numbers."),
        (images_record(3), "These data are described by 3 numbers."),
        (
            fit_record(4, verdict=NOT_KNOWN, rank_lower=1, rank_upper=9),
            "It is not known how many numbers this map passes through; the best guess is 4 (the data allow 1 to 9).",
        ),
        (
            fit_record(0, verdict=NOT_KNOWN, task="classification"),
            "It is not known how many numbers separate these classes; the best guess is 0.",
        ),
        (
            fit_record(1, verdict=NOT_KNOWN, task="autoencoder"),
            "It is not known how many numbers describe these data; the best guess is 1.",
        ),
        (fit_record(2, stopped="interrupted"), "This map passes through 2 numbers so far: it was interrupted."),
        (measure_record(3), "This network passes through 3 numbers at layer 6 of 13."),
        (measure_record(3, bottleneck_layer=0), "This network passes through 3 numbers at the inputs."),
        (
            measure_record(1, bottleneck_place="blocks.2.mlp"),
            "This network passes through 1 number after blocks.2.mlp.",
        ),
    ],
)
def test_headline(record, said):
    assert headline(record) == said


def test_a_summary_says_what_was_done_and_how_far_to_trust_it():
    record = fit_record(4, warnings=["Beware of this."])
    said = summary(record)
    for part in (
        "1001 rows of 50 inputs and 40 outputs, 999 others were set aside.",
        "5 networks of depth 13, each trained without a part of the rows, were restricted to fewer and fewer numbers: "
        "through 4 numbers they have held-out error 0.0128, whole 0.0358 ± 0.0062 (mean squared error (standardised "
        "units)).",
        "The rank is 4 with probability 90.0%, 5 with 10.0%.",
        record.verdict.accuracy,
        "The 5th direction carries 3.7% of the first in the Jacobian and 25.1% in the activations",
        "keeping it lowers the held-out error by 0.011",
        "At tolerance 0.1 the Jacobian of the network of all rows has rank 4 at 493 of 500 points, rank 5 at 7.",
        "All of it took 57.7 s.",
    ):
        assert part in said
    assert said.endswith("Beware of this.")
    assert paragraph(record) + " Beware of this." == said


def test_what_was_not_done_comes_before_the_warnings():
    record = fit_record(2, stopped="interrupted", not_done=["2 of 5 folds", "the ranks"], warnings=["Beware."])
    again = "Run the same command again to go on."
    assert cautions(record) == [f"Not done: 2 of 5 folds. {again}", f"Not done: the ranks. {again}", "Beware."]
    assert "It was interrupted after 57.7 s." in summary(record)
    assert "All of it took" not in summary(record)


def test_ranks_over_ridges_are_said_where_they_were_followed():
    said = summary(path_record(3))
    assert "Trained on from λ = 0.05 to 3.2, the network has rank 3 over the longest range." in said
    assert "λ" not in summary(fit_record(3))
    nothing = path_record(3).rank_path.model_copy(update={"plateau": 0})
    assert "to 3.2, the network has rank 0." in summary(path_record(3, rank_path=nothing))


def test_without_probabilities_none_are_said():
    verdict = fit_record(2).verdict.model_copy(update={"accuracy": ""})
    said = summary(fit_record(2, rank_probabilities=None, verdict=verdict, index=None))
    assert "probability" not in said
    assert "None" not in said
    assert "like this one" not in said


def test_without_rows_set_aside_none_are_mentioned():
    data = fit_record(2).data.model_copy(update={"train": 2000, "test": 0})
    said = summary(fit_record(2, data=data, test=None))
    assert said.startswith("2000 rows of 50 inputs and 40 outputs. 5 networks")


def test_the_next_direction_is_told_as_far_as_it_was_measured():
    following = fit_record(2).next_direction
    partial = following.model_copy(update={"activation": None, "error_gain": 0.0})
    said = summary(fit_record(4, next_direction=partial))
    assert "carries 3.7% of the first in the Jacobian; keeping it leaves the held-out error unchanged." in said
    raised = following.model_copy(update={"jacobian": 0.02, "activation": None, "error_gain": -0.5})
    said = summary(fit_record(4, next_direction=raised))
    assert "2.0% of the first in the Jacobian; keeping it raises the held-out error by 0.5." in said
    assert "direction carries" not in summary(fit_record(4, next_direction=None))


def test_how_weak_a_further_number_may_be_is_told_where_it_is_known():
    said = summary(fit_record(4, detection_limit=0.083))
    assert "A further number that matters less than 8.3% as much as the first would not pay for its norm" in said
    assert "further number" not in summary(fit_record(4))


def test_rank_zero_claims_nothing():
    said = summary(fit_record(0))
    assert "through 0 numbers they have held-out error 8," in said
    assert "direction carries" not in said
    assert "None" not in said


def test_a_measurement_says_what_keeping_k_changes():
    said = summary(measure_record(3))
    for part in (
        "Keeping only 3 numbers at layer 6 of 13 changes the function by 2.2% of its spread over the data",
        "‖w‖²/L is 9.804; no network of this depth computes the function with less than 5.891.",
        "Direction 4 has up to 3.0% of the first there: a tolerance below that says 4 or more.",
        "From tolerance 0.7 down to 0.031 the rank is 3, the longest range.",
    ):
        assert part in said
    assert "Resampled" not in said
    assert cautions(measure_record(3)) == []


def test_a_measurement_that_a_few_points_decide_says_so():
    curve = measure_record(3).curve.model_copy(update={"resampled": {"3": 0.6, "2": 0.4}, "next_direction": 1e-9})
    said = summary(measure_record(3, curve=curve))
    assert "Resampled points give Jacobian rank 3 in 60.0% of the cases: a few points decide it." in said
    assert "Direction 4" not in said  # it carries the rounding of the weights


def test_what_is_no_chain_is_measured_locally():
    said = summary(measure_record(3, method="local", norm_per_depth=None, cost_lower=None))
    assert "These are local measurements" in said
    assert "‖w‖²" not in said
    bounded = summary(measure_record(3, norm_per_depth=None))
    assert "No fully-connected network of this depth computes the function with ‖w‖²/L below 5.891." in bounded


def test_a_rank_of_some_singular_values_is_a_least_one():
    full = measure_record(3)
    spectrum = {**dict(full.jacobian), "is_sketched": True, "is_leading": True, "rank_counts": {"3": 500}}
    for end in ("low", "median", "high"):
        spectrum[end] = spectrum[end][:3]
    curve = full.curve.model_copy(update={"plateau_rank": None, "plateau": None, "next_direction": None})
    said = summary(measure_record(3, jacobian=spectrum, curve=curve, method="local"))
    assert "at least rank 3 at each of 500 points: of its singular values only the largest 3 were bounded." in said
    assert "the longest range" not in said  # it ends where the values that were looked at do
    differences = {**spectrum, "is_leading": False}
    said = summary(measure_record(3, jacobian=differences, method="differences"))
    assert "at least rank 3 at each of 500 points: a direction below its error bar is not counted." in said
    assert not rank_curve(measure_record(3, curve=curve)).layout.shapes
    assert len(rank_curve(full).layout.shapes) == 1


def test_a_direction_is_numbered_by_the_spectrum_also_where_fewer_numbers_are_the_answer():
    spectrum = {**dict(measure_record(3).jacobian), "rank_counts": {"4": 500}}
    curve = measure_record(3).curve.model_copy(update={"resampled": {"4": 1.0}})
    said = summary(measure_record(3, jacobian=spectrum, curve=curve))
    assert "Direction 5 has up to 3.0% of the first" in said
    assert "Resampled" not in said


def test_the_longest_range_is_said_of_what_is_known():
    full = measure_record(3)
    assert "the longest range" in summary(full)


def test_a_module_that_is_called_by_a_number_is_called_a_module():
    assert "after module 4" in summary(measure_record(3, bottleneck_place="4"))
    assert "after encoder.1" in summary(measure_record(3, bottleneck_place="encoder.1"))


def test_numbers_are_worded_for_readers():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th")
    ]
    assert [number(v) for v in (None, 0.5687978, -2.0, 123456.0)] == ["–", "0.5688", "−2", "1.235e+05"]
    shares = [share(v) for v in (0.0, 0.1234, 0.00012, 5e-16)]
    assert shares == ["0.0%", "12.3%", "0.012%", "under 0.01%"]
    assert [duration(v) for v in (41.23, 600.0, 10800.0)] == ["41.2 s", "10 min", "3 h"]
    assert at_points({"4": 500}, 500) == "rank 4 at each of 500 points"
