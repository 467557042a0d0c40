"""What holds for all tests: how they are repeated, and fixtures that many rooms share."""

from __future__ import annotations

import os

# Before torch is imported. Threads that wait for others would spin, and where processes share cores, the tests of
# results that do not depend on the threads take a hundred times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
from hypothesis import settings

from cases import ACTIVATIONS

# A failure is found again, and the time of a run known.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

pytest_plugins = ["commands", "finished_runs"]


@pytest.fixture(params=ACTIVATIONS, ids=lambda a: a.name)
def activation(request):
    return request.param


@pytest.fixture
def points():
    return torch.randn(40, 5, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


@pytest.fixture(autouse=True, scope="session")
def _no_progress():
    """What is said on standard error is not to depend on how busy the machine is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("isthmus.foundation.progress._PATIENCE", 3600.0)
        yield
