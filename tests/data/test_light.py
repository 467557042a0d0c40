"""Data and their errors do without torch, which takes a second to import."""

import subprocess
import sys

import numpy as np
import pytest

_ERROR = """
import sys
from isthmus.data import load_dataset, load_inputs
from isthmus.errors import IsthmusError
try:
    {call}
except IsthmusError as error:
    print(error)
else:
    print("nothing was refused")
assert "torch" not in sys.modules, "torch"
assert {pandas} or "pandas" not in sys.modules, "pandas"
"""


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_room_is_light():
    run("import isthmus.data, sys; assert 'torch' not in sys.modules; assert 'pandas' not in sys.modules")


@pytest.mark.parametrize(
    ("call", "message", "pandas"),
    [
        ("load_dataset('none.csv')", "There is no none.csv", False),
        ("load_inputs('none.npy')", "There is no none.npy", False),
        ("load_dataset('techer')", "Did you mean teacher", False),
        ("load_dataset('teacher:rank=3')", "a setting of teacher", False),
        ("load_dataset('curve', test=0.9)", "--test is 0.9", False),
        ("load_dataset({folder!r} + '/t.csv', target='z')", "--target is 'z'", False),
        ("load_dataset({folder!r} + '/t.csv', target='a', missing='no')", "--missing is 'no'", False),
        ("load_dataset({folder!r} + '/a.npz')", "y has 29", False),
        ("load_dataset({folder!r} + '/a.npz', weights='w')", "--weights is 'w'", False),
        ("load_dataset({folder!r} + '/t.csv', target='b')", "'a' holds numbers, but 'x' in row 2", True),
    ],
)
def test_what_is_refused_is_refused_without_torch(tmp_path, call, message, pandas):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\nx,3\n4,4\n" * 10)
    np.savez(tmp_path / "a.npz", x=np.eye(30), y=np.eye(30)[1:])
    said = run(_ERROR.format(call=call.format(folder=str(tmp_path)), pandas=pandas))
    assert message in said
