"""One program at a time in a folder; the lock ends with its process, and leaves nothing behind."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from finished_runs import OPTIONS, small_dataset
from isthmus.errors import BusyFolderError, OptionError
from isthmus.foundation import locks
from isthmus.foundation.locks import locked_folder
from isthmus.runs import RunFolder, run_fit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")

HOLD = """
import sys, time
from pathlib import Path
from isthmus.foundation.locks import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_that_another_process_holds_is_refused_and_free_when_it_is_killed(tmp_path):
    folder = tmp_path / "r"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyFolderError, match=r"Another isthmus is at work in .*r\. Wait for it to end, or choose"):
            run_fit(small_dataset(), OPTIONS, folder)
        assert list(folder.iterdir()) == []
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    for _ in range(100):
        try:
            with locked_folder(folder):
                break
        except BusyFolderError:
            time.sleep(0.01)
    else:
        pytest.fail("the lock has outlived its process")
    assert list(folder.iterdir()) == []


def test_what_a_refused_fit_leaves_goes_before_its_lock_does(tmp_path, monkeypatch):
    """Afterwards the folder may be another's who waited for the lock."""
    folder = RunFolder(tmp_path / "new" / "r")
    removed, remove = [], Path.rmdir

    def spied(path):
        if path == folder.path:
            with pytest.raises(BusyFolderError), locked_folder(path):
                pass
        removed.append(path)
        remove(path)

    monkeypatch.setattr(Path, "rmdir", spied)
    with pytest.raises(OptionError), folder.locked():  # noqa: PT012
        folder.unfinished.mkdir()
        raise OptionError("this", 1, "2")
    assert removed == [folder.path, folder.path.parent]
    assert not folder.path.parent.exists()


def test_a_fit_that_waited_keeps_what_another_has_begun(tmp_path):
    """It looked at the folder before the other had made it."""
    folder = RunFolder(tmp_path / "r")

    @contextmanager
    def after_another(path):
        (folder.unfinished / "result").mkdir(parents=True)
        with locked_folder(path):
            yield

    with (  # noqa: PT012
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(OptionError),
    ):
        patch.setattr("isthmus.runs.folder.locked_folder", after_another)
        with folder.locked():
            raise OptionError("this", 1, "2")
    assert (folder.unfinished / "result").is_dir()


def test_a_lock_is_of_the_folder_that_is_there(tmp_path, monkeypatch):
    """A refused fit removed the folder after another had opened it and before that had its lock."""
    path, lock = tmp_path / "r", locks.fcntl.flock

    def late(descriptor, how):
        monkeypatch.undo()
        path.rmdir()
        lock(descriptor, how)

    monkeypatch.setattr(locks.fcntl, "flock", late)
    with locked_folder(path):
        assert path.is_dir()
        with pytest.raises(BusyFolderError), locked_folder(path):
            pass


def test_eight_fits_at_once_are_one_fit(finished, tmp_path):
    def attempt(_):
        try:
            return run_fit(finished.dataset, OPTIONS, tmp_path / "r")
        except BusyFolderError as busy:
            return busy

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(8)))
    done = [each for each in found if not isinstance(each, BusyFolderError)]
    assert done
    for record in [*done, RunFolder(tmp_path / "r").read()]:
        assert (record.rank, record.evidence) == (finished.record.rank, finished.record.evidence)


def test_a_finished_run_is_told_from_a_folder_that_nobody_may_write_to(finished, tmp_path):
    folder = finished.copy(tmp_path / "r")
    folder.chmod(0o500)
    try:
        assert run_fit(finished.dataset, OPTIONS, folder).rank == finished.record.rank
    finally:
        folder.chmod(0o700)
