"""A memory budget in bytes, how many rows fit into it, and what the machine has."""

from __future__ import annotations

import os
from pathlib import Path

from isthmus.errors import MemoryBudgetError, OptionError, TooLargeError

DEFAULT_MEMORY = 1 << 30  # 1 GiB: fits beside anything on today's laptops
_CGROUP = Path("/sys/fs/cgroup")


def check_memory(memory: int) -> None:
    """Raise `OptionError` unless `memory` is a positive number of bytes."""
    if memory < 1:
        raise OptionError("memory", memory, "a positive number of bytes")


def rows_within(memory: int, bytes_per_row: int, what: str) -> int:
    """How many rows of `bytes_per_row` fit into `memory`, at least one.

    Raises:
        OptionError: If `memory` is not positive.
        MemoryBudgetError: If not even one row fits; the message says how much it needs.
    """
    check_memory(memory)
    rows = memory // max(bytes_per_row, 1)
    if rows < 1:
        raise MemoryBudgetError(what, bytes_per_row, memory)
    return rows


def machine_memory() -> int | None:
    """Bytes that this process may use: of the machine, or less where its control group is limited; None if unknown."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            total = min(total, int((_CGROUP / name).read_text()))
        except (OSError, ValueError):  # no control group, or "max"
            continue
    return total if total > 0 else None


def refuse_beyond_memory(what: str, needed: int, remedy: str = "Use fewer rows or columns") -> None:
    """Raise `TooLargeError` if the work needs more bytes than the machine has: the system would kill the process."""
    memory = machine_memory()
    if memory is not None and needed > memory:
        raise TooLargeError(what, needed, memory, remedy)
