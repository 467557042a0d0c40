from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch) -> Path:
    """The folder of the benchmarks, whose modules can be imported."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return BENCHMARKS
