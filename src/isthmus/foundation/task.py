"""What can be learned from rows."""

from __future__ import annotations

from typing import Literal, get_args

Task = Literal["regression", "classification", "autoencoder"]
TASKS: tuple[Task, ...] = get_args(Task)
