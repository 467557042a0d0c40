"""What does not fit into the memory is refused before it is tried, with what it would take."""

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from isthmus.data import load_dataset, load_inputs
from isthmus.errors import IsthmusError, TooLargeError
from isthmus.foundation import memory

ROWS = "a,b,y\n" + "1,2,3\n4,5,7\n" * 5000  # 60 kB


def text(folder):
    (folder / "t.csv").write_text(ROWS)
    return folder / "t.csv"


def packed(folder):
    (folder / "t.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    return folder / "t.csv.gz"


def zstd(folder):
    with pa.CompressedOutputStream(pa.OSFile(str(folder / "t.csv.zst"), "wb"), "zstd") as stream:
        stream.write(ROWS.encode())
    return folder / "t.csv.zst"


def archive(folder):
    with zipfile.ZipFile(folder / "t.csv.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("t.csv", ROWS)
    return folder / "t.csv.zip"


def parquet(folder):
    pd.DataFrame({"a": np.zeros(9000), "y": np.zeros(9000)}).to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def workbook(folder):
    pytest.importorskip("openpyxl")
    pd.DataFrame({"a": np.arange(900), "y": np.arange(900)}).to_excel(folder / "t.xlsx", index=False)
    return folder / "t.xlsx"


def npz(folder):
    np.savez_compressed(folder / "t.npz", x=np.zeros((900, 90)), y=np.zeros(900))
    return folder / "t.npz"


def npy(folder):
    np.save(folder / "t.npy", np.zeros((900, 90)))
    return folder / "t.npy"


@pytest.mark.parametrize("write", [text, packed, zstd, archive, parquet, workbook, npz, npy])
def test_more_than_the_machine_has_is_refused_with_what_it_takes(tmp_path, monkeypatch, write):
    path = write(tmp_path)
    assert path.stat().st_size < 700_000
    monkeypatch.setattr(memory, "machine_memory", lambda: 40_000)
    with pytest.raises(
        TooLargeError, match=r"takes about [\d.e-]+ GB of memory, and this machine has 4e-05 GB\. "
    ) as raised:
        load_dataset(str(path), target=[] if path.suffix in (".npz", ".npy") else ["y"])
    assert path.name in str(raised.value)


def test_a_small_file_that_unpacks_to_much_is_stopped_on_the_way(tmp_path, monkeypatch):
    """By the bytes that have come, not by what the file says of itself; the table itself would fit."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress((ROWS + "\n" * 3_000_000).encode()))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(memory, "machine_memory", lambda: 2_000_000)
    with pytest.raises(TooLargeError, match=r"What is packed in .*t\.csv\.gz takes about 0\.002"):
        load_inputs(str(path))


def test_the_memory_is_that_of_the_machine_or_of_its_control_group(tmp_path, monkeypatch):
    told = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    found = memory.machine_memory()
    assert 0 < found <= 1024 * int(told[1])
    (tmp_path / "memory.max").write_text("123456789\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.machine_memory() == 123456789
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.machine_memory() == 1024 * int(told[1])
    monkeypatch.setattr(memory, "machine_memory", lambda: None)  # where nobody knows, nothing is refused
    memory.refuse_beyond_memory("all", 10**18)


def test_formulas_are_not_computed(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a", "y"])
    for row in range(30):
        book.active.append([row, row**2 if row != 7 else "=1+1"])
    book.save(tmp_path / "t.xlsx")
    data = load_dataset(str(tmp_path / "t.xlsx"), target="y")
    assert data.notes == ("1 row without a target was left out (row 8).",)  # its value was never computed


def test_names_of_files_in_an_archive_lead_nowhere(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    with zipfile.ZipFile(folder / "t.csv.zip", "w") as file:
        file.writestr("../t.csv", ROWS + "".join(f"{i},1,2\n" for i in range(50)))
    load_dataset(str(folder / "t.csv.zip"), target="y")
    assert [file.name for file in tmp_path.rglob("*")] == ["inner", "t.csv.zip"]


@pytest.mark.parametrize("columns", [3000])
def test_many_columns_are_read_in_a_pass(tmp_path, columns):
    """A look at each column alone would take minutes at 200,000 of them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, columns)).round(3)
    lines = [",".join(map(str, row)) for row in np.c_[x[:, :3].sum(1).round(6), x]]
    (tmp_path / "t.csv").write_text("\n".join([",".join(["y", *(f"g{i}" for i in range(columns))]), *lines]) + "\n")
    data = load_dataset(str(tmp_path / "t.csv"), target="y")
    assert np.array_equal(data.x, x)
    assert np.array_equal(load_inputs(str(tmp_path / "t.csv"), input_names=data.input_names), x)


def test_the_error_is_one_sentence_or_two_with_a_remedy():
    with pytest.raises(IsthmusError, match=r"Use fewer rows or columns, or a machine with more memory\.$"):
        memory.refuse_beyond_memory("a table", 10**18)
