"""A selection that was killed goes on where it was, to the same numbers; what belongs to another is not used."""

from functools import cache

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

from isthmus.data.sample import Sample
from isthmus.errors import FileFormatError
from isthmus.selection import SelectionCache, SelectionConfig, select_rank_of
from isthmus.training import loop
from selection.quick import QUICK, SCHEDULE, Interrupt, assert_same, corners, curve


class Killed(BaseException):
    """The end of a process: nobody catches it."""


class Kill(Interrupt):
    def __call__(self, fraction, state):
        try:
            super().__call__(fraction, state)
        except KeyboardInterrupt:
            raise Killed from None


class Watched(SelectionCache):
    """Notes which folds are made, and which networks are asked for."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.asked, self.made = [], []

    def network(self, name, *args, **how):
        self.asked.append(name)
        return super().network(name, *args, **how)

    def keep(self, fold):
        self.made.append(len(self.folds))
        super().keep(fold)


LADDER = SelectionConfig(width=8, schedule=SCHEDULE)
CURVE = Sample.merged(*curve(), np.ones(60), "regression")
CORNERS = Sample.merged(*corners(), np.ones(60), "classification")
CASES = {"given": (CURVE, QUICK), "chosen": (CURVE, LADDER), "classes": (CORNERS, QUICK)}


def selected(case, folder=None, report=None, *, kind=SelectionCache, key="a"):
    sample, config = CASES[case]
    kept = kind(folder, key=key)
    how = {} if report is None else {"report": report}
    return select_rank_of(sample, config, cv=3, seed=5, cache=kept, **how), kept


@cache
def undisturbed(case):
    return selected(case)[0]


EACH_STEP, WHEN_DONE = 0.0, 1e9  # seconds between two states of a network that are saved


@pytest.mark.parametrize(
    ("case", "reports", "at", "saves_every"),
    [
        *(("given", Kill, at, EACH_STEP) for at in ((0.05, 0.2), (0.4, 0.55), (0.6, 0.9))),
        *(("given", Interrupt, at, WHEN_DONE) for at in ((0.05, 0.2), (0.4, 0.55), (0.6, 0.9))),
        ("chosen", Interrupt, (0.05, 0.2), EACH_STEP),
        ("chosen", Kill, (0.7, 0.95), WHEN_DONE),
        ("classes", Interrupt, (0.55, 0.9), EACH_STEP),
        ("classes", Kill, (0.1, 0.6), WHEN_DONE),
    ],
)
def test_a_selection_that_was_cut_short_ends_at_the_same_numbers(case, reports, at, saves_every, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(loop, "_SAVE_EVERY", saves_every)
        for fraction in at:
            try:
                found, _ = selected(case, tmp_path / "c", reports(fraction))
            except (Killed, KeyboardInterrupt):
                continue
            assert found.not_done
    assert_same(selected(case, tmp_path / "c")[0], undisturbed(case), CASES[case][0].x)


@pytest.mark.parametrize("case", CASES)
def test_what_is_done_is_not_done_again(case, tmp_path):
    with pytest.raises(Killed):
        selected(case, tmp_path / "c", Kill(0.7))  # two folds are done
    _, watched = selected(case, tmp_path / "c", kind=Watched)
    assert watched.made == [2]
    of_halves = [f"columns-half-{at}-depth-3-fold-0" for at in (0, 1)] if case == "classes" else []
    last = [name for name in ("columns-depth-3-all-rows", *of_halves) for _ in range(2)]
    assert [name.partition("-ridge-")[0] for name in watched.asked[-len(last) :]] == last or case == "chosen"
    again, watched = selected(case, tmp_path / "c", kind=Watched)
    assert watched.made == []
    if case != "chosen":  # where all folds judge λ, their networks are read again
        assert {name.partition("-ridge-")[0] for name in watched.asked} == {
            "columns-depth-3-fold-0",
            "columns-depth-3-all-rows",
            *of_halves,
        }
    assert_same(again, undisturbed(case), CASES[case][0].x)


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    selected("given")
    assert list(tmp_path.iterdir()) == []
    SelectionCache().clear()
    assert SelectionCache.key_in(None) is None


def test_what_belongs_to_another_selection_is_thrown_away(tmp_path):
    folder = tmp_path / "c"
    assert SelectionCache.key_in(folder) is None
    selected("given", folder)
    assert SelectionCache.key_in(folder) == "a"
    kept = {path.name for path in folder.iterdir()}
    assert {"folds.safetensors", "columns-depth-3-all-rows.safetensors", "columns-depth-3-fold-1.safetensors"} < kept
    SelectionCache(folder, key="a")
    assert {path.name for path in folder.iterdir()} == kept
    SelectionCache(folder, key="b")
    assert {path.name for path in folder.glob("*")} <= {"key"}
    # the folds of another sample are not taken for this one's
    selected("given", folder, key="b")
    assert SelectionCache.key_in(folder) == "b"
    assert_same(selected("classes", folder, key="c")[0], undisturbed("classes"), CORNERS.x)
    SelectionCache(folder, key="c").clear()
    assert not folder.exists()


@pytest.fixture
def kept(tmp_path):
    selected("given", tmp_path / "c")
    return tmp_path / "c"


@pytest.mark.parametrize("file", ["folds.safetensors", "columns-depth-3-all-rows.safetensors"])
def test_a_damaged_file_is_named_with_the_remedy(file, kept):
    content = (kept / file).read_bytes()
    (kept / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=rf"c/{file}.* is damaged.*Delete it to start") as refused:
        selected("given", kept)
    assert str(kept / file) in str(refused.value)
    (kept / file).unlink()
    assert_same(selected("given", kept)[0], undisturbed("given"), CURVE.x)


def test_a_file_of_something_else_is_refused(kept):
    path = kept / "folds.safetensors"
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file(tensors, path, {**metadata, "format": "isthmus-network"})
    with pytest.raises(FileFormatError, match="it does not hold folds of a fit"):
        SelectionCache(kept, key="a")
    for broken in ({**metadata, "folds": "4"}, {**metadata, "folds": "many"}, {"format": metadata["format"]}):
        safetensors.numpy.save_file(tensors, path, broken)
        with pytest.raises(FileFormatError, match=r"its content does not fit together.*Delete it to start"):
            SelectionCache(kept, key="a")
    del tensors["1.losses"]
    safetensors.numpy.save_file(tensors, path, metadata)
    with pytest.raises(FileFormatError, match=r"does not fit together.*1\.losses"):
        SelectionCache(kept, key="a")
