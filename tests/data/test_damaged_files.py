"""Files in which some bytes are others: read, or refused in a sentence; never an exception of a reader."""

import gzip
import io
import random
import zipfile

import numpy as np
import pandas as pd
import pytest

from isthmus.data import load_dataset
from isthmus.errors import IsthmusError

N, TRIES = 40, 40
PIECES = [
    *(
        b",",
        b";",
        b'"',
        b"\n",
        b"\r\n",
        b"\t",
        b"#",
        b"-",
        b"NA",
        b"Total",
        b"1e999",
        b"%",
        b"0x1",
        b"9" * 25,
        b"12:30",
    ),
    *(b"2024-13-45", b"99999-01-01", b"inf", b"= 1", b"P1D", b"0001-01-01", b"true", b"sep=;\n", "−".encode(), b"\xff"),
]


def contents():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.uniform(1, 9, N).round(3),
            "k": ["u", "v"] * (N // 2),
            "d": pd.date_range("2024-01-01", periods=N).astype(str),
            "p": [f"{i}%" for i in range(N)],
            "y": rng.uniform(1, 9, N).round(2),
        }
    )
    text = frame.to_csv(index=False).encode()
    files = {name: io.BytesIO() for name in ("t.parquet", "t.npz", "t.npy", "t.csv.zip")}
    frame.to_parquet(files["t.parquet"])
    np.savez(files["t.npz"], x=frame[["a", "y"]].to_numpy(), y=frame["y"].to_numpy())
    np.save(files["t.npy"], frame[["a", "y"]].to_numpy())
    with zipfile.ZipFile(files["t.csv.zip"], "w") as archive:
        archive.writestr("t.csv", text)
    found = {name: stream.getvalue() for name, stream in files.items()}
    return {
        "t.csv": text,
        "t.tsv": frame.to_csv(index=False, sep="\t").encode(),
        "t.txt": frame.to_csv(index=False, sep=";", decimal=",").encode(),
        "t.csv.gz": gzip.compress(text),
        **found,
    }


def mutated(content, rng, *, is_text):
    content = bytearray(content)
    for _ in range(rng.randint(1, 5)):
        place, kind = rng.randrange(len(content)), rng.random()
        if kind < 0.4:
            content[place:place] = rng.choice(PIECES) if is_text else bytes([rng.randrange(256)])
        elif kind < 0.7:
            del content[place : place + rng.randint(1, 20)]
        else:
            content[place] = ord(rng.choice(',;."0123456789-eE%:\n ')) if is_text else rng.randrange(256)
    return bytes(content)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.csv.gz", "t.csv.zip", "t.parquet", "t.npz", "t.npy"])
def test_a_damaged_file_is_read_or_refused(tmp_path, name):
    content, rng, path = contents()[name], random.Random(name), tmp_path / name
    options = {} if name.startswith("t.np") else {"target": "y"}
    path.write_bytes(content)
    load_dataset(str(path), **options)
    said = []
    for _ in range(TRIES):
        path.write_bytes(mutated(content, rng, is_text=name in ("t.csv", "t.tsv", "t.txt")))
        try:
            load_dataset(str(path), missing=rng.choice(["refuse", "drop", "indicate"]), **options)
        except IsthmusError as refused:
            said.append(str(refused))
    assert said
    assert [each for each in said if "\n" in each or not each.endswith(".")] == []
    assert list(tmp_path.iterdir()) == [path]
