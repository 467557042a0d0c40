"""Sixty tables and more as people have them: read rightly, or refused in a sentence that says what to do."""

import gzip
import re
import zipfile
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from isthmus.data import TableFormat, load_dataset, load_inputs
from isthmus.errors import IsthmusError

N = 60
RNG = np.random.default_rng(0)
A = RNG.uniform(1.0, 9.0, N).round(3)
B = (np.arange(N) * 7 % 11).astype(float)
Y = (A + 10 * B).round(3)
KINDS = [("red", "green", "blue")[i % 3] for i in range(N)]


@dataclass
class Case:
    """How a file is written, and what is read of it: columns of inputs, words of notes and warnings, or a refusal."""

    write: object
    x: dict = field(default_factory=dict)
    y: object = None
    told: str = ""
    warned: str = ""
    refused: str = ""
    options: dict = field(default_factory=dict)


def text(name, lines, *, encoding="utf-8", end="\n"):
    return lambda folder: (folder / name).write_bytes((end.join(lines) + end).encode(encoding)) and folder / name


def rows(*columns, sep=","):
    return [sep.join(map(str, row)) for row in zip(*columns, strict=True)]


def comma(values, digits=3):
    return [f"{v:.{digits}f}".replace(".", ",") for v in values]


def dotted(values):
    return [f"{int(v):,}".replace(",", ".") for v in values]


def table(header, *columns, sep=",", before=(), after=(), name="t.csv", **how):
    return text(name, [*before, header, *rows(*columns, sep=sep), *after], **how)


def packed(pack, name):
    def write(folder):
        (folder / name).write_bytes(pack("\n".join(["a,b,y", *rows(A, B, Y)]).encode()))
        return folder / name

    return write


def archive(*names):
    def write(folder):
        with zipfile.ZipFile(folder / "t.csv.zip", "w") as file:
            for name in names:
                file.writestr(name, "\n".join(["a,b,y", *rows(A, B, Y)]))
        return folder / "t.csv.zip"

    return write


def zstd(content):
    stream = pa.BufferOutputStream()
    with pa.CompressedOutputStream(stream, "zstd") as packer:
        packer.write(content)
    return stream.getvalue().to_pybytes()


def frame(name, save, **columns):
    def write(folder):
        getattr(pd.DataFrame({"a": A, "b": B, **columns, "y": Y}), save)(folder / name)
        return folder / name

    return write


def workbook(sheets):
    def write(folder):
        pytest.importorskip("openpyxl")
        with pd.ExcelWriter(folder / "t.xlsx", engine="openpyxl") as book:
            for name, cells in sheets.items():
                pd.DataFrame(cells).to_excel(book, sheet_name=name, header=False, index=False)
        return folder / "t.xlsx"

    return write


AB = {"a": A, "b": B}
CELLS = [["a", "b", "y"], *[list(row) for row in zip(A, B, Y, strict=True)]]
CLOCK = [f"{i % 3}:{i % 60:02}:{7 * i % 60:02}" for i in range(N)]
SECONDS = np.array([3600 * (i % 3) + 60 * (i % 60) + 7 * i % 60 for i in range(N)], float)
GAPS = ["" if i % 6 == 0 else a for i, a in enumerate(A)]
KNOWN = np.arange(N) % 6 != 0
WITH_A = {"a": A}

CASES = {
    "comma-separated": Case(table("a,b,y", A, B, Y), AB, Y),
    "tab-separated": Case(table("a\tb\ty", A, B, Y, sep="\t", name="t.tsv"), AB, Y),
    "a text file of white space": Case(table("a b y", A, B, Y, sep="  ", name="t.txt"), AB, Y),
    "a spreadsheet's semicolons": Case(
        table("a;b;y", comma(A), comma(B), comma(Y), sep=";"), AB, Y, told="decimal commas"
    ),
    "bars": Case(table("a|b|y", A, B, Y, sep="|"), AB, Y),
    "another sign": Case(table("a~b~y", A, B, Y, sep="~"), AB, Y, options={"told": TableFormat(sep="~")}),
    "sep= as Excel writes it": Case(table("a;b;y", comma(A), comma(B), comma(Y), sep=";", before=["sep=;"]), AB, Y),
    "byte order mark": Case(table("a,b,y", A, B, Y, encoding="utf-8-sig"), AB, Y),
    "UTF-16 with its mark": Case(table("a,b,y", A, B, Y, encoding="utf-16"), AB, Y),
    "Windows' own characters": Case(
        table("a,größe,y", A, B, Y, encoding="cp1252"), refused=r"not UTF-8 text \(byte 0xF6 in line 1\).*--encoding"
    ),
    "the same, said": Case(
        table("a,größe,y", A, B, Y, encoding="cp1252"),
        {"a": A, "größe": B},
        Y,
        options={"told": TableFormat(encoding="cp1252")},
    ),
    "a wrong encoding": Case(
        table("a,größe,y", A, B, Y, encoding="cp1252"),
        refused="is not text in ascii",
        options={"told": TableFormat(encoding="ascii")},
    ),
    "lines that end with CR LF": Case(table("a,b,y", A, B, Y, end="\r\n"), AB, Y),
    "quotes everywhere": Case(
        table('"a","b","y"', [f'"{a}"' for a in A], [f'"{b}"' for b in B], [f'"{y}"' for y in Y]), AB, Y
    ),
    "a banner": Case(table("a,b,y", A, B, Y, before=["Exported by LabTool 3.1", ""]), AB, Y, told="LabTool"),
    "comments": Case(table("a,b,y", A, B, Y, before=["# one", "# two"]), AB, Y, told="2 lines above"),
    "lines to skip": Case(
        table("a,b,y", A, B, Y, before=["1,2,3", "4,5,6"]), AB, Y, options={"told": TableFormat(skip_rows=2)}
    ),
    "a row of units": Case(
        table("a,b,y", A, B, Y, before=[]) if False else text("t.csv", ["a,b,y", "[mm],[s],[kg]", *rows(A, B, Y)]),
        AB,
        Y,
        told=r"holds units \('\[mm\]'",
    ),
    "no header": Case(text("t.csv", rows(A, B, Y)), refused="line 1 holds data .* Use --no-header"),
    "no header, said": Case(
        text("t.csv", rows(A, B, Y)), {"x0": A, "x1": B}, Y, options={"told": TableFormat(header=False), "target": "x2"}
    ),
    "no header, of texts": Case(
        text("t.csv", rows(KINDS, [("cat", "dog")[i % 2] for i in range(N)])),
        refused="line 1 holds data",
        options={"target": "red"},
    ),
    "a header of numbers": Case(
        table("1,2,3", A, B, Y), {"1": A, "2": B}, Y, warned="use --no-header if it holds data", options={"target": "3"}
    ),
    "the header in every part": Case(
        text("t.csv", ["a,b,y", *rows(A, B, Y)[:30], "a,b,y", *rows(A, B, Y)[30:]]), AB, Y, told="row 31 again: left"
    ),
    "a Total below numbers": Case(table("b,a,y", B, A, Y, after=[f"Total,,{Y.sum():.3f}"]), AB, Y, told="'Total'"),
    "a Total below categories": Case(
        table("k,a,y", KINDS, A, Y, after=[f"Total,{A.sum():.3f},{Y.sum():.3f}"]),
        {"a": A, "k=red": [k == "red" for k in KINDS]},
        Y,
        told="'Total', a summary of the others",
    ),
    "mean and sum below": Case(
        table("b,a,y", B, A, Y, after=["Mean,1,2", "Sum,3,4"]), AB, Y, told="Row 61, 62 is called 'Mean'"
    ),
    "a row called Total that is none": Case(
        table("k,a,y", [*KINDS[:-1], "total"], A, Y), WITH_A, Y, warned="holds no sum and no mean of the others: it is"
    ),
    "a source below": Case(
        table("a,b,y", A, B, Y, after=["Source: office"]), AB, Y, told="holds only 'Source: office'"
    ),
    "an index without a name": Case(table(",a,b,y", range(N), A, B, Y), AB, Y),
    "an index that pandas named": Case(table("Unnamed: 0,a,b,y", range(N), A, B, Y), AB, Y),
    "a column without a name": Case(table("a,,y", A, B, Y), refused=r"\(number 2\) has no name"),
    "a separator at each end": Case(table("a,b,y,", A, B, Y, [""] * N), AB, Y),
    "an empty column": Case(table("a,b,c,y", A, B, [""] * N, Y), AB, Y),
    "a constant column": Case(table("a,b,c,y", A, B, [3] * N, Y), AB, Y),
    "names twice": Case(table("a,a,y", A, B, Y), refused="'a' stands in the header more than once"),
    "a row too long": Case(
        text("t.csv", ["a,b,y", *rows(A, B, Y)[:9], "1,2,3,4", *rows(A, B, Y)]),
        refused="row 10 has 4 fields where line 1",
    ),
    "a row too short": Case(
        text("t.csv", ["a,b,y", *rows(A, B, Y)[:9], "1,2", *rows(A, B, Y)[9:]]),
        AB,
        Y,
        told=r"without a target .*row 10",
    ),
    "points between thousands": Case(
        table("a;b;y", comma(A), dotted(1000 * B + 12345), comma(Y), sep=";"), {"a": A, "b": 1000 * B + 12345}, Y
    ),
    "points that may part thousands": Case(
        table("a;b;y", A.round(1), dotted(1000 * B + 1234), Y.round(2), sep=";"),
        {"a": A.round(1), "b": (B + 1.234).round(3)},
        Y.round(2),
        warned="three digits behind its point, .* in 'b': use --decimal ,",
    ),
    "the same, said ": Case(
        table("a;b;y", dotted(1000 * A), dotted(1000 * B + 1234), comma(Y), sep=";"),
        {"a": (1000 * A).astype(int), "b": 1000 * B + 1234},
        Y,
        options={"told": TableFormat(decimal=",")},
    ),
    "thousands in quotes": Case(
        table("a,b,y", A, [f'"{int(1000 * b + 1234):,}"' for b in B], Y),
        refused="'b' holds numbers, but '1,234' in row 1",
    ),
    "percent": Case(table("a,b,y", A, [f"{b}%" for b in B], Y), {"a": A, "b [%]": B}, Y),
    "a currency": Case(table("a,b,y", A, [f"€{b}" for b in B], Y), {"a": A, "b [€]": B}, Y),
    "two units": Case(
        table("a,b,y", A, [f"5 {('mg', 'g')[i % 2]}" for i in range(N)], Y),
        WITH_A,
        Y,
        warned="'b' holds texts that look",
    ),
    "exponents with commas": Case(
        table("a;b;y", [f"{a:.3E}".replace(".", ",") for a in A], comma(B), comma(Y), sep=";"), AB, Y
    ),
    "a typesetter's minus": Case(table("a,b,y", [f"\u2212{a}" for a in A], B, Y), {"a": -A, "b": B}, Y),
    "numbers in brackets": Case(table("a,b,y", A, [f"({b})" for b in B % 5], Y), WITH_A, Y, warned="look like numbers"),
    "h:mm:ss": Case(table("a,t,y", A, CLOCK, Y), {"a": A, "t [s]": SECONDS}, Y),
    "m:ss": Case(table("a,t,y", A, [c[2:] for c in CLOCK], Y), {"a": A, "t [s]": SECONDS % 3600}, Y),
    "durations of pandas": Case(
        table("a,t,y", A, pd.to_timedelta(SECONDS, unit="s").astype(str), Y), {"a": A, "t [s]": SECONDS}, Y
    ),
    "durations in ISO form": Case(
        table("a,t,y", A, [f"PT{int(b)}H30M" for b in B], Y), {"a": A, "t [s]": 3600 * B + 1800}, Y
    ),
    "a duration to predict": Case(table("a,b,y", A, B, CLOCK), AB, SECONDS),
    "ISO dates": Case(
        table("a,d,y", A, [f"1970-01-{i % 28 + 1:02}" for i in range(N)], Y),
        {"a": A, "d [days]": np.arange(N) % 28.0},
        Y,
    ),
    "dates with strokes": Case(
        table("a,d,y", A, [f"1970/01/{i % 28 + 1:02}" for i in range(N)], Y), {"d [days]": np.arange(N) % 28.0}, Y
    ),
    "days and months that look alike": Case(
        table("a,d,y", A, [f"{i % 12 + 1}/3/2020" for i in range(N)], Y),
        refused="cannot be told apart. Write them as YYYY",
    ),
    "months in words": Case(
        table("a,d,y", A, [f"{('Jan', 'Feb')[i % 2]} 2020" for i in range(N)], Y),
        refused="'Jan 2020', whose year, month",
    ),
    "dates without signs": Case(
        table("a,d,y", A, [f"202401{i % 28 + 1:02}" for i in range(N)], Y), WITH_A, Y, warned="read as dates"
    ),
    "identifiers of twenty digits": Case(
        table("id,a,y", [12345678901234567890 + i for i in range(N)], A, Y),
        refused="of more digits than double .*--drop 'id'",
    ),
    "the same beyond all integers": Case(
        table("id,a,y", [923456789012345678901 + i for i in range(N)], A, Y), refused="of more digits than double"
    ),
    "seventeen digits": Case(
        table("id,a,y", [90071992547409931 + i for i in range(N)], A, Y), refused="of more digits than double"
    ),
    "identifiers": Case(table("nr,a,y", RNG.permutation(N), A, Y), WITH_A, Y, warned="'nr' holds a number that counts"),
    "postal codes": Case(
        table("zip,a,y", [(1067, 20095, 80331)[i % 3] for i in range(N)], A, Y),
        WITH_A,
        Y,
        warned="'zip' holds numbers that look like codes",
    ),
    "zeros in front": Case(
        table("site,a,y", [f"0{i % 7}" for i in range(N)], A, Y),
        WITH_A,
        Y,
        warned="zeros in front, as codes have, .*'site'",
    ),
    "a copy of the target": Case(table("a,b,y,total", A, B, Y, Y), AB, Y, warned="'total' holds a copy, or nearly"),
    "a rounded copy": Case(
        table("a,b,y,z", A, B, Y, [round(2 * y + 5, 1) for y in Y]), AB, Y, warned="'z' holds a copy"
    ),
    "classes under another name": Case(
        table("a,code,k", A, [{"red": 1, "green": 2, "blue": 3}[k] for k in KINDS], KINDS),
        WITH_A,
        warned="'code' holds a copy",
        options={"target": "k"},
    ),
    "-999 for nothing": Case(
        table("a,b,y", [-999 if i % 9 == 0 else a for i, a in enumerate(A)], B, Y),
        {"b": B},
        Y,
        warned="'a' holds one far value",
    ),
    "a question mark": Case(
        table("a,b,y", ["?" if i == 4 else a for i, a in enumerate(A)], B, Y),
        refused=r"but '\?' in row 5.*--missing drop",
    ),
    "below the limit of detection": Case(
        table("a,b,y", ["<0.5" if i == 4 else a for i, a in enumerate(A)], B, Y), refused="but '<0.5' in row 5"
    ),
    "gaps": Case(
        table("a,b,y", GAPS, B, Y), refused=r"'a' has 10 missing values \(first in row 1\).*--missing indicate"
    ),
    "gaps, dropped": Case(
        table("a,b,y", GAPS, B, Y),
        {"a": A[KNOWN], "b": B[KNOWN]},
        Y[KNOWN],
        told="10 rows",
        options={"missing": "drop"},
    ),
    "gaps, told": Case(
        table("a,b,y", GAPS, B, Y),
        {"a": np.where(KNOWN, A, np.median(A[KNOWN])), "a is missing": ~KNOWN, "b": B},
        Y,
        options={"missing": "indicate"},
    ),
    "categories with gaps, told": Case(
        table("k,a,y", [k if i % 6 else "" for i, k in enumerate(KINDS)], A, Y),
        {"k=red": [k == "red" and i % 6 > 0 for i, k in enumerate(KINDS)], "k is missing": ~KNOWN, "a": A},
        Y,
        options={"missing": "indicate"},
    ),
    "targets with gaps": Case(
        table("a,b,y", A, B, [y if i % 6 else "" for i, y in enumerate(Y)]),
        {"a": A[KNOWN], "b": B[KNOWN]},
        Y[KNOWN],
        told=r"10 rows without a target were left out \(the first is row 1\)",
    ),
    "a country called NA": Case(
        table("k,a,y", [("NA", "DE")[i % 2] for i in range(N)], A, Y), refused="'k' has 30 missing values"
    ),
    "infinity": Case(table("a,b,y", ["inf", *A[1:]], B, Y), refused=r"'a' holds an infinite value \(row 1\)"),
    "free text": Case(table("t,a,y", [f"remark {i}" for i in range(N)], A, Y), refused="'t' holds 60 different texts"),
    "packed by gzip": Case(packed(gzip.compress, "t.csv.gz"), AB, Y),
    "packed by zstd": Case(packed(zstd, "t.csv.zst"), AB, Y),
    "packed by zip": Case(archive("folder/t.csv"), AB, Y),
    "packed with another": Case(
        archive("a.csv", "b.csv"), refused=r"it holds 2 files \('a.csv', 'b.csv'\), not one table"
    ),
    "packed and cut": Case(packed(lambda c: gzip.compress(c)[:-20], "t.csv.gz"), refused=r"Cannot read .*t\.csv\.gz"),
    "only its name is packed": Case(packed(bytes, "t.csv.gz"), refused="[Nn]ot a gzipped file"),
    ".parquet": Case(frame("t.parquet", "to_parquet"), AB, Y),
    ".feather": Case(frame("t.feather", "to_feather"), AB, Y),
    "a .feather that is none": Case(text("t.feather", ["no"]), refused=r"Cannot read .*t\.feather"),
    "durations by type": Case(
        frame("t.parquet", "to_parquet", t=pd.to_timedelta(SECONDS, unit="s")), {**AB, "t [s]": SECONDS}, Y
    ),
    "a workbook": Case(workbook({"data": CELLS}), AB, Y),
    "a workbook under a title": Case(
        workbook({"data": [["Report 7", None, None], [None] * 3, *CELLS]}), AB, Y, told="'Report 7'"
    ),
    "a workbook with a total": Case(workbook({"data": [*CELLS, ["Total", None, Y.sum()]]}), AB, Y, told="'Total'"),
    "two sheets": Case(
        workbook({"data": CELLS, "notes": [["x"]]}), refused=r"it has 2 sheets \('data', 'notes'\).*--sheet"
    ),
    "two sheets, one said": Case(
        workbook({"data": CELLS, "notes": [["x"]]}), AB, Y, options={"told": TableFormat(sheet="data")}
    ),
    "a sheet that is not there": Case(
        workbook({"data": CELLS}),
        refused="--sheet is 'd' but must be one of 'data'",
        options={"told": TableFormat(sheet="d")},
    ),
    "a workbook that is none": Case(text("t.xlsx", ["no"]), refused="it is no .xlsx workbook"),
    "a sheet of a text": Case(
        table("a,b,y", A, B, Y),
        refused="--sheet is 'd' but must be left out for a text file",
        options={"told": TableFormat(sheet="d")},
    ),
    "a separator of typed columns": Case(
        frame("t.parquet", "to_parquet"),
        refused="--sep is ';' but must be left out",
        options={"told": TableFormat(sep=";")},
    ),
}


def test_there_are_enough():
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_a_table_is_read_rightly_or_refused_rightly(tmp_path, name):
    case = CASES[name]
    path = str(case.write(tmp_path))
    options = {"target": "y", **case.options}
    if case.refused:
        with pytest.raises(IsthmusError, match=case.refused) as raised:
            load_dataset(path, **options)
        assert str(raised.value).endswith(".")
        return
    data = load_dataset(path, **options)
    found = dict(zip(data.input_names, data.x.T, strict=True))
    assert case.x.keys() <= found.keys()
    for column, expected in case.x.items():
        assert np.array_equal(found[column], np.asarray(expected, data.x.dtype)), column
    if case.y is not None:
        assert np.array_equal(data.y[:, 0], np.asarray(case.y, float))
    if not (case.warned or case.refused) and len(case.x) > 1 and "k=red" not in case.x:
        assert len(found) == len(case.x)  # nothing else is an input
    said, warned = " ".join(data.notes), " ".join(data.warnings)
    assert re.search(case.told, said), said
    assert re.search(case.warned, warned) if case.warned else not warned, warned
    # new rows are encoded in the same way
    options = {key: options[key] for key in options.keys() & {"told"}}
    if not case.told and options.get("missing") != "drop" and "gaps" not in name:
        assert np.array_equal(load_inputs(path, input_names=data.input_names, **options), data.x)


def test_every_column_has_one_fate(tmp_path):
    path = table("i,a,k,c,e,w,y", range(1, N + 1), A, KINDS, [3] * N, [""] * N, [1 + i % 2 for i in range(N)], Y)
    data = load_dataset(str(path(tmp_path)), target="y", weights="w", drop="i")
    assert [(each.name, each.kind) for each in data.columns] == [
        ("a", "number"),
        ("k", "categories"),
        ("c", "left out"),
        ("e", "left out"),
        ("y", "target"),
        ("w", "weights"),
        ("i", "left out"),
    ]


def test_gaps_in_new_rows_are_told_as_in_the_fit(tmp_path):
    data = load_dataset(str(table("a,b,y", GAPS, B, Y)(tmp_path)), target="y", missing="indicate")
    assert data.fills == {"a": float(np.median(A[KNOWN]))}
    new = table("b,a", [1, 2], ["", 3.5], name="new.csv")(tmp_path)
    rows = load_inputs(str(new), input_names=data.input_names, fills=data.fills)
    assert np.array_equal(rows, [[np.median(A[KNOWN]), 1, 1], [3.5, 0, 2]])
    new = table("b,a", ["", 2], ["", 3.5], name="new.csv")(tmp_path)
    for missing in ("refuse", "indicate"):
        with pytest.raises(IsthmusError, match=r"'b' has .*row 1"):
            load_inputs(str(new), input_names=data.input_names, fills=data.fills, missing=missing)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_frames_are_read_as_files_are(tmp_path, kind):
    columns = {"a": A, "k": KINDS, "y": Y}
    expected = load_dataset(str(table("a,k,y", A, KINDS, Y)(tmp_path)), target="y")
    if kind == "pandas":
        given = pd.DataFrame(columns, index=range(7, 7 + N))
    else:
        given = pa.table(columns) if kind == "arrow" else pytest.importorskip("polars").DataFrame(columns)
    data = load_dataset(given, target="y")
    assert (data.input_names, data.sha256, data.name) == (expected.input_names, expected.sha256, "a frame")
    assert np.array_equal(load_inputs(given, input_names=data.input_names), data.x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": "ab"}, "--sep is 'ab' but must be one character"),
        ({"sep": "a"}, "--sep is 'a'"),
        ({"decimal": ";"}, "--decimal is ';' but must be . or ,"),
        ({"sep": ",", "decimal": ","}, "another sign than --sep"),
        ({"encoding": "klingon"}, "--encoding is 'klingon' but must be one that Python knows"),
        ({"encoding": "zlib"}, "--encoding is 'zlib'"),
        ({"skip_rows": -1}, "--skip-rows is -1"),
    ],
)
def test_formats_that_there_are_not_are_refused(options, message):
    with pytest.raises(IsthmusError, match=re.escape(message)):
        TableFormat(**options)
