"""Sentences of the evidence speak of numbers that there are."""

from types import SimpleNamespace

import pytest

from isthmus.runs.wording import evidence_in_words
from reports.records import evidence_row


@pytest.mark.parametrize("task", ["regression", "classification", "autoencoder"])
@pytest.mark.parametrize("beside_the_last", [0, 1])
def test_beyond_the_last_k_there_is_no_number(task, beside_the_last):
    evidence = evidence_row(2, task)
    last = len(evidence.errors) - 1
    k = last - beside_the_last
    said = " ".join(evidence_in_words(SimpleNamespace(rank=k, evidence=evidence, task=task)))
    assert f"number {last + 1} " not in said
    assert f"Through {last + 1} numbers" not in said
    assert f"networks through {last + 1} numbers" not in said
    assert (f"number {last} " in said) == (task == "classification")
    assert f"networks through {last} numbers" in said


def test_of_rows_that_are_all_the_same_nothing_is_said_of_numbers():
    evidence = evidence_row(2, "classification")
    alone = evidence.model_copy(update={name: list(value)[:1] for name, value in evidence if isinstance(value, list)})
    said = evidence_in_words(SimpleNamespace(rank=0, evidence=alone, task="classification"))
    assert len(said) == 1
