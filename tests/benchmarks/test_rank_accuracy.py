import json

import pytest


def test_the_package_says_what_the_records_hold(benchmarks):
    from _environment import PACKAGE, as_lines
    from _rank_accuracy import accuracy

    records = [benchmarks / "results" / f"rank_decision_fifth{seed}.json" for seed in ("", "_1", "_2")]
    rows = [row for each in records for row in json.loads(each.read_text())["figures"]["rows"]]
    assert len(rows) == 3 * 72
    content = {"found_by": "benchmarks/rank_decision.py fifth", **accuracy(rows)}
    assert as_lines(content) + "\n" == (PACKAGE / "selection" / "accuracy.json").read_text()


def test_bins_hold_what_is_above_their_bound():
    from _rank_accuracy import by_probability

    answers = [(0.99, True)] * 12 + [(0.95, True)] * 10 + [(0.6, False)] * 11 + [(0.5, True)] * 3 + [(0.2, False)] * 7
    assert by_probability(answers) == [[0.95, 12, 12], [0.8, 10, 10], [0.5, 0, 11], [0.0, 3, 10]]


@pytest.mark.parametrize(
    ("answers", "bins"),
    [
        ([], []),
        ([(0.9, True)], [[0.0, 1, 1]]),
        ([(0.99, True)] * 9 + [(0.9, False)] * 1, [[0.8, 9, 10]]),
        ([(0.99, True)] * 10 + [(0.3, False)] * 9, [[0.0, 10, 19]]),
        ([(0.99, True)] * 10 + [(0.9, True)] * 9 + [(0.6, False)] * 2, [[0.95, 10, 10], [0.5, 9, 11]]),
    ],
)
def test_bins_of_few_tasks_are_joined(answers, bins):
    from _rank_accuracy import by_probability

    assert by_probability(answers) == bins


def test_right_answers_are_counted_of_all_and_of_what_the_oracle_decides(benchmarks, monkeypatch, tmp_path):
    import _environment
    import _rank_accuracy as module

    families = {"a": {module.task_name(3, 0.05, 200): [True, 4.0], module.task_name(2, 0.0, 500): [False, 1.0]}}
    (tmp_path / "rank_decidable_some.json").write_text(json.dumps({"figures": {"families": families}}))
    monkeypatch.setattr(_environment, "RESULTS", tmp_path)
    answers = [(3, 0.05, 200, 3, [2, 3]), (2, 0.0, 500, 5, [4, 6]), (1, 0.0, 500, 1, [1, 1])]
    rows = [dict(zip(("k", "noise", "rows", "rank", "interval"), each, strict=True), family="a") for each in answers]
    found = module.with_verdicts(rows, "some", 0)
    assert [row["is_decidable"] for row in found] == [True, False, None]
    assert module.right(found) == {"tasks": 3, "exact": 2, "off_by_more_than_one": 1, "interval_holds": 2}
    assert module.right_of_decidable(found) == dict.fromkeys(("tasks", "exact", "interval_holds"), 1) | {
        "off_by_more_than_one": 0
    }
    assert [row["is_decidable"] for row in module.with_verdicts(rows, "some", 1)] == [None, None, None]


def test_every_answer_is_counted_once():
    from _rank_accuracy import accuracy

    rows = [
        {"is_classification": k > 2, "k": k, "rank": 2, "probabilities": [0.0, 0.1 * k, p]}
        for k in (1, 2, 3)
        for p in (0.05, 0.5, 0.8, 0.81, 0.95, 1.0) * 4
    ]
    found = accuracy(rows)
    assert sum(tasks for _, _, tasks in found["regression"]) == 48
    assert sum(right for _, right, _ in found["regression"]) == 24
    assert sum(tasks for _, _, tasks in found["classification"]) == 24
    assert not any(right for _, right, _ in found["classification"])
