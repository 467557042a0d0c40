"""`isthmus reproduce`: replay the experiments of the paper."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.cli.options import Device, Jobs, checked_device
from isthmus.errors import FileFormatError, OptionError
from isthmus.foundation.progress import progress_bar

if TYPE_CHECKING:
    from isthmus.experiments import Experiment, Scale

_EVERY = "all"


class ScaleName(StrEnum):
    """How much is run."""

    smoke = "smoke"
    full = "full"


_SCALES: Mapping[ScaleName, Scale] = {ScaleName.smoke: "smoke", ScaleName.full: "full"}


@dataclass(frozen=True)
class _Wanted:
    """What to run: an experiment at a scale, or again from the record of one."""

    experiment: Experiment[Any]
    scale: Scale
    settings: Any
    before: dict[str, Any] | None


def reproduce_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of experiments, all, or the .json record of one to run again. Without any: a list.",
            metavar="NAME…",
        ),
    ] = None,
    scale: Annotated[
        ScaleName, typer.Option(help="smoke takes seconds; full is the size of the committed records.")
    ] = ScaleName.smoke,
    out: Annotated[Path, typer.Option(help="Folder of the records and pages.")] = Path("reproductions"),
    n_jobs: Jobs = -1,
    device: Device = "cpu",
    overwrite: Annotated[bool, typer.Option(help="Run again what is finished, or replace other records.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, one object an experiment.")] = False,
) -> None:
    """Run the experiments of the paper again, and set our numbers beside the published ones."""
    if not names:
        _list(as_json)
        return
    checked_device(device)
    from isthmus.experiments import reproduce
    from isthmus.experiments.report import write_experiments

    wanted = [_wanted(name, _SCALES[scale], out) for name in _expanded(names)]
    answers = []
    for each in wanted:
        with progress_bar(each.experiment.name, logs=True) as report:
            record = reproduce(
                each.experiment,
                scale=each.scale,
                settings=each.settings,
                folder=out,
                n_jobs=n_jobs,
                device=device,
                overwrite=overwrite,
                report=report,
            )
        page = write_experiments([record], out / f"{each.experiment.name}.html")
        answer = _answer(record, out / f"{each.experiment.name}.json", page, each.before)
        answers.append(answer)
        if not as_json:
            _print(record, answer)
    if as_json:
        _write(answers)


def _expanded(names: list[str]) -> list[str]:
    from isthmus.experiments import EXPERIMENTS

    return [e for name in names for e in ([x.name for x in EXPERIMENTS] if name == _EVERY else [name])]


def _wanted(name: str, scale: Scale, out: Path) -> _Wanted:
    from isthmus.experiments import experiment_named, read_record

    if not name.endswith(".json"):
        experiment = experiment_named(name)
        return _Wanted(experiment, scale, experiment.settings(scale), None)
    path = Path(name)
    record = read_record(path)
    if not record["is_complete"]:
        raise FileFormatError(path, "its experiment is not finished", "Finish it first: run it again by its name.")
    experiment = experiment_named(record["name"])
    if (out / f"{experiment.name}.json").resolve() == path.resolve():
        raise OptionError("--out", str(out), "another folder than that of the record, which is compared with")
    try:
        settings = experiment.restored(record["settings"])
    except ValueError as wrong:
        raise FileFormatError(path, str(wrong), "Pass a record that this version of isthmus wrote.") from wrong
    return _Wanted(experiment, _SCALES[ScaleName(record["scale"])], settings, record)


def _list(as_json: bool) -> None:
    from isthmus.experiments import EXPERIMENTS

    if as_json:
        _write(
            [
                {"name": e.name, "claim": e.claim, "source": e.source, "published": e.published}
                | {"measured": None, "agrees": None}
                for e in EXPERIMENTS
            ]
        )
        return
    table = Table(box=None)
    for column in ("experiment", "claim", "source"):
        table.add_column(column)
    for experiment in EXPERIMENTS:
        table.add_row(experiment.name, experiment.claim, experiment.source)
    console = Console(highlight=False)
    console.print(table)
    console.print("\n  isthmus reproduce NAME… --scale smoke|full --out DIR; NAME may be all", soft_wrap=True)


def _answer(record: dict[str, Any], path: Path, page: Path, before: dict[str, Any] | None) -> dict[str, Any]:
    from isthmus.experiments import differences, verdict

    answer = {
        **{name: record[name] for name in ("name", "claim", "source", "published", "scale", "seconds")},
        "measured": "; ".join(claim["measured"] for claim in record["claims"]),
        "agrees": verdict(record),
        "claims": record["claims"],
        "failed": sum("error" in row for row in record["results"]),
        "record": str(path),
        "report": str(page),
    }
    if before is not None:
        apart = differences(before, record)
        where, size = max(apart, key=lambda found: found[1], default=("", 0.0))
        answer["compared"] = {"differing": len(apart), "where": where} | {
            "largest": size if size < float("inf") else None  # not JSON: something is there in one of them only
        }
    return answer


def _print(record: dict[str, Any], answer: dict[str, Any]) -> None:
    from isthmus.experiments.report import VERDICTS

    console = Console(highlight=False)
    console.print(f"\n[bold]{record['title']}[/bold] ({record['name']}, {record['scale']})\n")
    for claim in record["claims"]:
        console.print(Padding(f"[bold]{VERDICTS[claim['agrees']]}[/bold]  {_plain(claim['claim'])}", (0, 0, 0, 2)))
        for name, key in (("published", "published"), ("ours", "measured"), ("judged", "why")):
            console.print(Padding(f"{name}: {_plain(claim[key])}", (0, 0, 0, 6)))
        console.print()
    if answer["failed"]:
        console.print(f"  {answer['failed']} of {len(record['results'])} cells failed; the page says why.")
    if "compared" in answer:
        console.print(f"  {_compared(answer['compared'])}")
    for name in ("record", "report"):
        console.print(f"  {name:7} {answer[name]}", soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _compared(found: dict[str, Any]) -> str:
    if not found["differing"]:
        return "Same numbers as in the record, bit for bit."
    size = "of another kind" if found["largest"] is None else f"{found['largest']:.2g} relative"
    return f"{found['differing']} values differ from the record; the largest difference, {size}, at {found['where']}."


def _write(answers: list[dict[str, Any]]) -> None:
    json.dump(answers, sys.stdout, allow_nan=False, ensure_ascii=False)
    sys.stdout.write("\n")
