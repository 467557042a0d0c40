"""Options that several commands share: their values and the checks on them."""

from __future__ import annotations

from enum import StrEnum

import torch

from isthmus.errors import OptionError


class TaskName(StrEnum):
    """What to learn."""

    regression = "regression"
    classification = "classification"
    autoencoder = "autoencoder"


class ScalingName(StrEnum):
    """How columns are scaled."""

    columns = "columns"
    shared = "global"


class MissingName(StrEnum):
    """What to do with rows that have missing values."""

    refuse = "refuse"
    drop = "drop"


def checked_seed(seed: int) -> int:
    """`seed`, if it seeds a generator."""
    if not 0 <= seed < 2**31:
        raise OptionError("--seed", seed, "between 0 and 2147483647")
    return seed


def checked_device(name: str) -> str:
    """`name`, if torch finds the device."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as absent:
        raise OptionError("--device", name, "a device that torch finds on this machine, such as cpu") from absent
    return name


def split_names(text: str) -> tuple[str, ...]:
    """The names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
