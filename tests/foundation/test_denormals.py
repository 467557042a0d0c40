"""Denormals are flushed in every thread that computes, and only inside the block."""

import pytest
import torch

from isthmus.foundation import denormals
from isthmus.foundation.denormals import flushed_denormals

MANY = 4_000_000  # enough for torch to share the work out over its workers


@pytest.fixture(autouse=True)
def _several_workers():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def survivors():
    """How many of many products that are denormal are not zero."""
    return int((torch.full((MANY,), 1e-30) * torch.full((MANY,), 1e-9)).count_nonzero())


def test_every_worker_flushes_inside_and_none_outside():
    assert survivors() == MANY  # also starts the workers
    with flushed_denormals():
        assert survivors() == 0
        with flushed_denormals():
            assert survivors() == 0
        assert survivors() == 0
    assert survivors() == MANY


def test_the_flag_is_restored_after_an_error():
    with pytest.raises(ZeroDivisionError), flushed_denormals():
        _ = 1 // 0
    assert survivors() == MANY


def test_a_caller_who_flushes_keeps_flushing():
    torch.set_flush_denormal(True)
    try:
        with flushed_denormals():
            pass
        assert float(torch.tensor(1e-30) * torch.tensor(1e-9)) == 0.0
    finally:
        torch.set_flush_denormal(False)


def test_without_openmp_the_calling_thread_flushes(monkeypatch):
    monkeypatch.setattr(denormals, "_openmp", lambda: None)
    with flushed_denormals():
        assert float(torch.tensor(1e-30) * torch.tensor(1e-9)) == 0.0
    assert float(torch.tensor(1e-30) * torch.tensor(1e-9)) != 0.0
