"""A record that lacks something is refused by name, wherever the gap is."""

from pathlib import Path

import pytest

from isthmus.errors import FileFormatError, OptionError
from isthmus.reports import evidence_table, validate_record, write_report
from reports.records import curve_record, fit_record, folds_record, images_record, measure_record

SOURCE = Path("somewhere/run.json")
OPTIONAL = {
    *("kind", "warnings", "cost_lower", "next_direction", "latent", "reconstructions", "arrows", "baselines"),
    *("network_test_error_at_rank", "constant_error"),
    *("correlations", "linear", "linear_share"),
    *("rank_probabilities", "rank_is_undecided", "attribution"),  # records of version 1 from before they were computed
}


@pytest.mark.parametrize(
    "record", [fit_record(0), fit_record(4), images_record(), curve_record(), folds_record(), measure_record()]
)
def test_complete_records_are_returned_as_they_are(record):
    assert validate_record(record, SOURCE) is record


@pytest.mark.parametrize("key", sorted(set(fit_record()) - OPTIONAL - {"format"}))
def test_every_needed_key_of_a_fit_is_missed_by_name(key):
    record = fit_record()
    del record[key]
    with pytest.raises(FileFormatError, match=rf"somewhere/run.json: the record lacks {key}\. Fit or measure again"):
        validate_record(record, SOURCE)


@pytest.mark.parametrize("key", sorted(set(measure_record()) - {"format", "kind"}))
def test_every_needed_key_of_a_measurement_is_missed_by_name(key):
    record = measure_record()
    del record[key]
    with pytest.raises(FileFormatError, match=rf"the record lacks {key}\."):
        validate_record(record, SOURCE)


def test_earlier_records_without_what_lines_say_are_read():
    record = folds_record()
    for key in ("correlations", "linear", "linear_share"):
        del record["cross_decision"][key]
    validate_record(record, SOURCE)
    assert {cells[-1] for _, cells in evidence_table.rows(record["cross_decision"])} == {"–"}


@pytest.mark.parametrize(
    "key", ["rank", "errors", "objectives", "effects", "dependences", "probabilities", "folds", "error_name"]
)
def test_what_was_asked_for_must_be_whole(key):
    record = folds_record()
    del record["cross_decision"][key]
    with pytest.raises(FileFormatError, match=rf"the record lacks cross_decision\.{key}\."):
        validate_record(record, SOURCE)
    record = folds_record()
    del record["rank_path"]["points"][1]["ridge"]
    with pytest.raises(FileFormatError, match=r"lacks rank_path\.points\[1\]\.ridge\."):
        validate_record(record, SOURCE)


def test_gaps_inside_are_located():
    record = fit_record()
    del record["layers"][2]["weight_singular_values"]
    del record["jacobian"]["median"]
    with pytest.raises(FileFormatError, match=r"lacks jacobian.median, layers\[2\].weight_singular_values\."):
        validate_record(record, SOURCE)
    for moment in record["history"]:
        del moment["step"]
    with pytest.raises(FileFormatError, match=r"history\[0\].step and \d+ more"):
        validate_record(record, SOURCE)
    with pytest.raises(FileFormatError, match="lacks the list layers"):
        validate_record(fit_record(layers=3), SOURCE)
    with pytest.raises(FileFormatError, match="lacks the object data"):
        validate_record(fit_record(data=None), SOURCE)


@pytest.mark.parametrize("value", [None, [], "text", {}, {"format": "another"}])
def test_what_is_no_record_is_refused(value):
    with pytest.raises(FileFormatError, match="not a record of isthmus"):
        validate_record(value, SOURCE)


def test_a_page_of_a_bad_record_or_of_none_is_not_written(tmp_path):
    page = tmp_path / "report.html"
    record = fit_record(name="broken run")
    del record["error_curve"]
    with pytest.raises(FileFormatError, match="Cannot read broken run: the record lacks error_curve"):
        write_report([fit_record(), record], page)
    with pytest.raises(OptionError, match="at least 1"):
        write_report([], page)
    assert list(tmp_path.iterdir()) == []
