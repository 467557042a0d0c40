"""Pieces side by side: in order, as the caller computes, and with the caller's threads as they were."""

import threading
import time

import pytest
import torch

from cases import random_layers
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.threads import side_by_side
from isthmus.networks import RELU
from isthmus.spectra import jacobian_spectra


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_order_from_as_many_threads_as_are_allowed(threads):
    together = threading.Barrier(threads, timeout=60)

    def work(piece):
        if piece < threads:
            together.wait()  # passes only if so many pieces are in work at once
        return piece * piece, threading.get_ident(), torch.get_num_threads()

    found = list(side_by_side(work, range(12)))
    assert [square for square, _, _ in found] == [n * n for n in range(12)]
    assert len({ident for _, ident, _ in found}) <= threads
    assert {own for _, _, own in found} == {1}
    assert torch.get_num_threads() == threads


def test_new_threads_get_the_callers_number_afterwards(threads):
    list(side_by_side(abs, [1, 2, 3]))
    seen = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [threads]


def test_denormals_and_gradients_are_as_the_caller_has_them(threads):
    def state(_):
        return float(torch.tensor(1e-30) * torch.tensor(1e-9)) == 0.0, torch.is_grad_enabled()

    assert set(side_by_side(state, range(6))) == {(False, True)}
    with flushed_denormals(), torch.no_grad():
        assert set(side_by_side(state, range(6))) == {(True, False)}
    assert set(side_by_side(state, range(6))) == {(False, True)}


def test_an_error_ends_the_work_and_leaves_the_threads(threads):
    done = []

    def work(piece):
        done.append(piece)
        time.sleep(2e-3)  # on a busy machine all pieces could end before the error is seen
        return 1 / (piece - 2)

    with pytest.raises(ZeroDivisionError):
        list(side_by_side(work, range(1000)))
    assert len(done) < 1000
    assert torch.get_num_threads() == threads


def test_spectra_do_not_depend_on_the_number_of_threads():
    network = random_layers((9, 30, 30, 30, 9), RELU, seed=0)
    x = torch.randn(200, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, found = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        try:
            found.append(jacobian_spectra(network, x).singular_values)
        finally:
            torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
