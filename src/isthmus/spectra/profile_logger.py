"""Rank profiles while a network trains: in a plain loop, or as a Lightning callback, logged to TensorBoard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from isthmus.errors import MissingExtraError, OptionError
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.spectra.measurement import measure
from isthmus.spectra.profile import RankProfile


class Writer(Protocol):
    """What is needed of a TensorBoard `SummaryWriter`."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> Any:
        """Log one number."""


class ProfileLogger:
    """Measures a network every so many steps and logs the profile.

    ```python
    logger = ProfileLogger(x_validation, every=200, log_dir="logs")
    for step in range(10_000):
        ...
        logger(model, step)
    ```

    Logged under `isthmus/`: `jacobian_rank`, `bottleneck_rank`, `next_direction` (σ_{k+1}/σ_1), `cost_lower` and
    `norm_per_depth` where they exist, and `nonlinearity_impact/LAYER`.

    Args:
        x: Rows to measure on, as for `measure`; a few hundred are enough.
        every: Steps between measurements.
        log_dir: Where TensorBoard's files go; None keeps the profiles in memory only, unless there is a `writer`.
        writer: A `SummaryWriter` in use already, instead of `log_dir`.
        points: Rows at which the Jacobian is taken.
        tolerance: What counts as zero.
        output: Which output, where the model has several.

    Attributes:
        history: The profiles so far, as (step, profile).

    Raises:
        MissingExtraError: If `log_dir` is given and tensorboard is not installed.
        OptionError: If `every` is less than 1.
    """

    def __init__(
        self,
        x: object,
        *,
        every: int = 100,
        log_dir: str | Path | None = None,
        writer: Writer | None = None,
        points: int = 50,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
        output: str | None = None,
    ) -> None:
        if every < 1:
            raise OptionError("every", every, "at least 1")
        self.history: list[tuple[int, RankProfile]] = []
        self.writer = writer if writer is not None or log_dir is None else _summary_writer(Path(log_dir))
        self._x, self._every, self._points = x, every, points
        self._tolerance, self._output = tolerance, output

    def __call__(self, model: nn.Module, step: int) -> RankProfile | None:
        """Measure and log if `step` is one of every so many; the model and the random state stay as they are."""
        if step % self._every:
            return None
        profile = measure(model, self._x, tolerance=self._tolerance, points=self._points, output=self._output)
        self.history.append((step, profile))
        if self.writer is not None:
            for name, value in _scalars(profile).items():
                self.writer.add_scalar(f"isthmus/{name}", value, step)
        return profile


def lightning_callback(logger: ProfileLogger, part: Callable[[Any], nn.Module] = lambda module: module) -> Any:
    """A Lightning callback that hands the module to `logger` after every training batch.

    Args:
        logger: Says when and on what to measure. Without a writer of its own it logs to the trainer's TensorBoard.
        part: Which part of the LightningModule to measure, for example `lambda module: module.net`.

    Raises:
        MissingExtraError: If lightning is not installed.
    """
    try:
        from lightning.pytorch import Callback
    except ImportError as missing:
        raise MissingExtraError("The Lightning callback", "lightning", "lightning") from missing

    class RankProfileCallback(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
            experiment = getattr(trainer.logger, "experiment", None)
            if logger.writer is None and hasattr(experiment, "add_scalar"):
                logger.writer = experiment
            logger(part(pl_module), trainer.global_step)

    return RankProfileCallback()


def _summary_writer(log_dir: Path) -> Writer:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as missing:
        raise MissingExtraError("Logging profiles", "tensorboard", "tensorboard") from missing
    writer: Writer = SummaryWriter(str(log_dir))
    return writer


def _scalars(profile: RankProfile) -> dict[str, float]:
    found: dict[str, float | None] = {
        "jacobian_rank": profile.jacobian_rank.lower,
        "bottleneck_rank": profile.bottleneck_rank.upper,
        "next_direction": profile.curve.next_direction,
        "cost_lower": profile.cost_lower,
        "norm_per_depth": profile.norm_per_depth,
    }
    for layer in profile.layers:
        found[f"nonlinearity_impact/{layer.name or layer.layer}"] = layer.nonlinearity_impact
    return {name: float(value) for name, value in found.items() if value is not None}
