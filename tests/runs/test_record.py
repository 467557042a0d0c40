"""A record survives writing and reading, and what is no record of this edition is refused by name, with its place."""

import json

import pytest
from pydantic import ValidationError

from isthmus.errors import FileFormatError, FileMissingError
from isthmus.runs.record import FitRecord, MeasureRecord, as_json, read_record, write_record
from reports.records import curve_record, fit_record, images_record, measure_record, path_record

RECORDS = [
    fit_record(0),
    fit_record(4),
    fit_record(2, task="classification", rank_probabilities=None, test=None),
    images_record(),
    curve_record(),
    path_record(),
    measure_record(),
]
WITH_DEFAULTS = {"format", "version", "kind", "bottleneck_place", "traversals", "units", "detection_limit"}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.json"


def plain(record):
    return json.loads(record.model_dump_json())


def read(value, file, kind=FitRecord):
    file.write_text(json.dumps(value))
    return read_record(file, kind)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.kind} {record.name}")
def test_a_record_survives_writing_and_reading(record, file):
    write_record(record, file)
    assert read_record(file, type(record)) == record
    assert json.loads(file.read_text()) == plain(record)


def test_every_number_survives_to_the_last_bit(file):
    record = fit_record(2, norm_per_depth=0.1 + 0.2, objective=1e-310, constant=[1 / 3, 1e300, -0.0])
    write_record(record, file)
    found = read_record(file, FitRecord)
    assert found.norm_per_depth.hex() == (0.1 + 0.2).hex()
    assert [v.hex() for v in (found.objective, *found.constant)] == [
        v.hex() for v in (record.objective, *record.constant)
    ]


def test_a_record_from_before_there_were_traversals_is_read(file):
    value = plain(fit_record())
    del value["traversals"]
    assert read(value, file).traversals is None


@pytest.mark.parametrize("name", sorted(set(FitRecord.model_fields) - WITH_DEFAULTS))
def test_what_a_fit_lacks_is_named(name, file):
    value = plain(fit_record())
    del value[name]
    with pytest.raises(FileFormatError, match=rf"run\.json.*\({name}: field required\).*Fit or measure again"):
        read(value, file)


@pytest.mark.parametrize("name", sorted(set(MeasureRecord.model_fields) - WITH_DEFAULTS))
def test_what_a_measurement_lacks_is_named(name, file):
    value = plain(measure_record())
    del value[name]
    with pytest.raises(FileFormatError, match=rf"\({name}: field required\)"):
        read(value, file, MeasureRecord)


def test_gaps_inside_are_located(file):
    value = plain(path_record())
    del value["layers"][2]["weight_singular_values"]
    del value["jacobian"]["median"]
    with pytest.raises(
        FileFormatError, match=r"jacobian\.median: field required; layers\.2\.weight_singular_values: field required\)"
    ):
        read(value, file)
    for moment in value["history"]:
        del moment["step"]
    with pytest.raises(FileFormatError, match=r"history\.0\.step: field required and \d+ more\)"):
        read(value, file)


def test_what_has_the_wrong_type_is_located(file):
    value = plain(path_record())
    value["rank_path"]["points"][1]["ridge"] = "strong"
    with pytest.raises(FileFormatError, match=r"rank_path\.points\.1\.ridge: input should be a valid number"):
        read(value, file)
    with pytest.raises(FileFormatError, match=r"layers: input should be a valid list"):
        read({**plain(fit_record()), "layers": 3}, file)
    with pytest.raises(FileFormatError, match=r"data: input should be"):
        read({**plain(fit_record()), "data": None}, file)
    value = plain(fit_record())
    value["verdict"]["level"] = "perhaps"
    with pytest.raises(FileFormatError, match=r"verdict\.level: input should be 'rely', 'caution' or 'do not rely'"):
        read(value, file)


def test_unknown_entries_are_refused(file):
    with pytest.raises(FileFormatError, match=r"cross_decision: extra inputs are not permitted"):
        read({**plain(fit_record()), "cross_decision": None}, file)
    value = plain(fit_record())
    value["evidence"]["dependences"] = []
    with pytest.raises(FileFormatError, match=r"evidence\.dependences: extra inputs are not permitted"):
        read(value, file)


def test_the_first_edition_is_named_with_what_to_do(file):
    old = {"format": "isthmus-run", "version": 1, "kind": "fit", "rank": 3}
    with pytest.raises(FileFormatError, match=r"by the first edition of isthmus.*Fit again.*--overwrite"):
        read(old, file)
    with pytest.raises(FileFormatError, match="by another edition of isthmus"):
        read({**old, "version": 2}, file)
    with pytest.raises(FileFormatError, match="by another edition of isthmus"):
        read({"format": "isthmus-run"}, file)


@pytest.mark.parametrize("value", [None, [], "text", {}, {"format": "another"}, 3.5])
def test_what_is_no_record_is_refused(value, file):
    with pytest.raises(FileFormatError, match="not a record of isthmus"):
        read(value, file)


def test_damage_and_absence_are_told_apart(file):
    with pytest.raises(FileMissingError, match=r"There is no .*run\.json"):
        read_record(file, FitRecord)
    file.write_text('{"format": "isthmus-run", ')
    with pytest.raises(FileFormatError, match="not valid JSON"):
        read_record(file, FitRecord)


def test_a_record_of_another_kind_is_refused(file):
    with pytest.raises(FileFormatError, match=r"kind: input should be 'fit'"):
        read(plain(measure_record()), file)
    with pytest.raises(FileFormatError, match=r"kind: input should be 'measure'"):
        read(plain(fit_record()), file, MeasureRecord)


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        fit_record().rank = 5


def test_what_is_only_drawn_can_be_left_out():
    record = fit_record()
    short = as_json(record, without=("history", "latent"))
    assert set(plain(record)) - set(short) == {"history", "latent"}
    assert {name: plain(record)[name] for name in short} == short
