"""Where a figure was measured, and how results are kept."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"
PACKAGE = Path(__file__).parents[1] / "src" / "isthmus"


def environment() -> dict[str, Any]:
    return {
        "isthmus": version("isthmus"),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def keep(name: str, claim: str, figures: Any, *, in_lines: bool = False) -> None:
    """Write a record; `in_lines` keeps every list in one line."""
    RESULTS.mkdir(exist_ok=True)
    result = {"claim": claim, "environment": environment(), "figures": figures}
    text = as_lines(result) if in_lines else json.dumps(result, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def recorded(name: str) -> dict[str, Any]:
    """The figures of a record; none where there is no such record."""
    file = RESULTS / f"{name}.json"
    return dict(json.loads(file.read_text())["figures"]) if file.exists() else {}


def keep_in_package(place: str, content: dict[str, Any]) -> None:
    """Write a file of numbers that the package reads, `place` from its root."""
    (PACKAGE / place).write_text(as_lines(content) + "\n")


def as_lines(content: Any, depth: int = 0) -> str:
    """JSON with a line for each entry that is no object, so that a change of numbers shows as what it is."""
    if not isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    margin = " " * (depth + 1)
    entries = [f"{margin}{json.dumps(name)}: {as_lines(value, depth + 1)}" for name, value in content.items()]
    return "{\n" + ",\n".join(entries) + "\n" + " " * depth + "}"
