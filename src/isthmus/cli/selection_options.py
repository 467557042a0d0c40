"""How the rank is selected: the options that stand for a `SelectionConfig`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from isthmus.cli.data_options import ActivationName, Standardize, Starts
from isthmus.cli.options import Device, Tolerated, checked_device
from isthmus.errors import OptionError

if TYPE_CHECKING:
    from isthmus.selection import SelectionConfig

_QUICK_FOLDS = 2


@dataclass(frozen=True)
class SelectionOptions:
    """What was said on the command line of networks and evidence; each field is an option."""

    panel: ClassVar[str] = "Networks and evidence"

    quick: Annotated[
        bool, typer.Option("--quick", help=f"The same rule with less evidence: {_QUICK_FOLDS} of the folds.")
    ] = False
    tolerance: Tolerated = 0.1
    depth: Annotated[
        str | None,
        typer.Option(help="Number of weight matrices L, or several to choose from. Default: chosen.", metavar="N,…"),
    ] = None
    ridge: Annotated[
        str | None,
        typer.Option(help="λ in (λ/L)‖w‖², or several to choose from. Default: chosen.", metavar="λ,…"),
    ] = None
    width: Annotated[int | None, typer.Option(help="Width of the hidden layers. Default: 64.")] = None
    activation: ActivationName = "relu"
    standardize: Standardize = None
    n_init: Starts = 1
    learning_rate: Annotated[float | None, typer.Option(help="Peak step size of the descent.")] = None
    steps: Annotated[int | None, typer.Option(help="Steps of the descent (SOAP) of each network.")] = None
    rounds: Annotated[int | None, typer.Option(help="At most so many rounds of L-BFGS after it.")] = None
    batch_size: Annotated[int | None, typer.Option(help="Rows in a step of the descent. Default: all up to 4096.")] = (
        None
    )
    device: Device = "cpu"

    def check(self) -> None:
        """Raise `OptionError` where a list of numbers is none; this needs no torch."""
        self._choices()

    def config(self) -> SelectionConfig:
        """The configuration that the options stand for.

        Raises:
            OptionError: If a value is out of range or the device is not there.
        """
        from isthmus.selection import SelectionConfig, usual_schedule

        given = self._choices() | {
            "width": self.width,
            "standardize": None if self.standardize is None else self.standardize.value,
            "max_folds": _QUICK_FOLDS if self.quick else None,
        }
        config = SelectionConfig(
            activation=self.activation,
            tolerance=self.tolerance,
            n_init=self.n_init,
            device=checked_device(self.device),
            **_given(given),
        )
        schedule = _given({name: getattr(self, name) for name in ("learning_rate", "steps", "rounds", "batch_size")})
        if not schedule:
            return config
        return replace(config, schedule=replace(usual_schedule(max(config.depths or (1,))), **schedule))

    def _choices(self) -> dict[str, Any]:
        return {"depth": _several("--depth", self.depth, int), "ridge": _several("--ridge", self.ridge, float)}


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _several(option: str, text: str | None, kind: type[int] | type[float]) -> Any:
    """The numbers between commas: one, or a list of several to choose from; None where the option is not given."""
    if text is None:
        return None
    try:
        found = [kind(piece) for piece in text.split(",")]
    except ValueError as wrong:
        what = "a whole number" if kind is int else "a number"
        hint = "; left out, it is chosen by held-out rows" if text == "auto" else ""
        raise OptionError(option, text, f"{what}, or several separated by commas{hint}") from wrong
    return found[0] if len(found) == 1 else found
