"""A memory budget in bytes, and how many rows fit into it."""

from __future__ import annotations

from isthmus.errors import MemoryBudgetError, OptionError

DEFAULT_MEMORY = 1 << 30  # 1 GiB: fits beside anything on today's laptops


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
