"""Records of experiments as one site, and as the table of what agrees with the source and what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError, OptionError
from isthmus.experiments.jacot2023.tracing import tracing_table
from isthmus.experiments.record import verdict
from isthmus.experiments.registry import EXPERIMENTS, experiment_named
from isthmus.foundation.files import write_atomically
from isthmus.reports.figure import Drawing
from isthmus.reports.page import figure_element, rendered
from isthmus.reports.wording import duration

Record = Mapping[str, Any]
VERDICTS = {True: "agrees", False: "differs", None: "undecided"}
_MARKS = {True: "✓", False: "✗", None: "·"}


def write_experiments(records: Sequence[Record], path: Path) -> Path:
    """Write the records of experiments as one page, or where the name ends in .md as a table, atomically.

    Raises:
        OptionError: If there are no records.
        FileFormatError: If a record lacks what its figures show.
    """
    if not records:
        raise OptionError("the number of records", 0, "at least 1")
    order = [experiment.name for experiment in EXPERIMENTS]
    for record in records:
        if record["name"] not in order:
            raise FileFormatError(path, f"{record['name']!r} is no experiment of this version", "Leave it out.")
    records = sorted(records, key=lambda record: order.index(record["name"]))  # as the slides have them
    text = claims_table(records) if path.suffix == ".md" else _page(records)
    write_atomically(path, text.encode())
    return path


def claims_table(records: Sequence[Record]) -> str:
    """Every claim in Markdown: published, ours, agrees or not and why; then where those that differ hold."""
    verdicts = [claim["agrees"] for record in records for claim in record["claims"]]
    counts = ", ".join(f"{verdicts.count(value)} {VERDICTS[value]}" for value in (True, False, None))
    hours = sum(record["seconds"] for record in records)
    parts = [
        "# What the slides and follow-ups claim, and what our runs give\n\n"
        "Written from the records by `isthmus report results/*.json --out docs/reproductions.md`; the same with "
        "figures: `--out site.html`. A record is repeated by `isthmus reproduce results/NAME.json --out DIR`, which "
        f"compares all numbers.\n\n{len(verdicts)} statements: {counts}. Wall time of all records: {duration(hours)}.\n"
    ]
    for record in records:
        parts.append(
            f"## {record['title']} (`{record['name']}`)\n\n{record['claim']} Source: {record['source']}. "
            f"{_provenance(record)}\n\n| claim | published | ours | | why |\n|---|---|---|---|---|\n"
            + "".join(
                f"| {_cell(c['claim'])} | {_cell(c['published'])} | {_cell(c['measured'])} | "
                f"{VERDICTS[c['agrees']]} | {_cell(c['why'])} |\n"
                for c in record["claims"]
            )
        )
    if where := tracing_table(records):
        parts.append(where)
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _provenance(record: Record) -> str:
    cells, failed = record["results"], sum("error" in row for row in record["results"])
    said = (
        f"Scale {record['scale']}: {len(cells)} trainings or measurements, {_worked(cells)} in "
        f"{duration(record['seconds'])}, on {record['device']}."
    )
    if not record["is_complete"]:
        whole = len(experiment_named(record["name"]).cells(_settings(record)))
        said += f" Not finished: {len(cells)} of {whole} by now; the same command goes on."
    return f"{said} {failed} of them failed." if failed else said


def _worked(cells: Sequence[Mapping[str, Any]]) -> str:
    """Processor time, or of records from before it was counted what is known: wall time of the cells."""
    if all("processor_seconds" in row for row in cells):
        return f"{duration(sum(row['processor_seconds'] for row in cells))} of one processor"
    return f"{duration(sum(row['seconds'] for row in cells))} of wall time summed over them"


def _settings(record: Record) -> Any:
    return experiment_named(record["name"]).restored(record["settings"])


def _page(records: Sequence[Record]) -> str:
    figures: dict[str, Any] = {}
    sections = "\n".join(_section(record, index, figures) for index, record in enumerate(records, start=1))
    title = records[0]["title"] if len(records) == 1 else f"{len(records)} experiments"
    return rendered(f"{title} – isthmus", _overview(records), sections, figures)


def _overview(records: Sequence[Record]) -> str:
    if len(records) == 1:
        return ""
    rows = "".join(
        f'<tr><td><a href="#record-{index}">{escape(record["title"])}</a></td><td class="text">'
        f"{escape(record['claim'])}</td><td>{sum(c['agrees'] is True for c in record['claims'])} of "
        f"{len(record['claims'])}</td><td>{_in_all(record)}</td></tr>"
        for index, record in enumerate(records, start=1)
    )
    return (
        f'<section class="overview"><h1>{len(records)} experiments of the paper, run again</h1><div class="scroll">'
        '<table><thead><tr><th>experiment</th><th class="text">claim</th><th>statements that agree</th><th>in all</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _in_all(record: Record) -> str:
    is_partly = verdict(record) is False and any(claim["agrees"] for claim in record["claims"])
    return "agrees in part" if is_partly else VERDICTS[verdict(record)]


def _section(record: Record, index: int, figures: dict[str, Any]) -> str:
    drawings = _drawings(record)
    figures.update({f"figure-{index}-{drawing.name}": drawing.figure for drawing in drawings})
    elements = "".join(figure_element(f"figure-{index}-{drawing.name}", drawing) for drawing in drawings)
    return (
        f'<section class="record" id="record-{index}"><p class="eyebrow">{escape(record["name"])} '
        f"<span>{escape(record['source'])}</span></p><h1>{escape(record['title'])}</h1>"
        f'<p class="lead">{escape(record["claim"])} Published: {escape(record["published"])}</p>'
        f"{_claims(record)}<h2>Figures</h2>"
        f'<div class="figures">{elements}</div><details><summary>How this was made</summary>{_origin(record)}</details>'
        "</section>"
    )


def _drawings(record: Record) -> Sequence[Drawing]:
    try:
        return experiment_named(record["name"]).drawings(record)
    except (KeyError, TypeError, IndexError, ValueError) as missing:
        raise FileFormatError(
            Path(f"{record['name']}.json"), f"its figures need {missing}, which it does not hold", "Run it again."
        ) from missing


def _claims(record: Record) -> str:
    rows = "".join(
        f'<tr><td>{_MARKS[c["agrees"]]} {VERDICTS[c["agrees"]]}</td><td class="text">{escape(c["claim"])}</td>'
        f'<td class="text">{escape(c["published"])}</td><td class="text">{escape(c["measured"])}</td>'
        f'<td class="text">{escape(c["why"])}</td></tr>'
        for c in record["claims"]
    )
    return (
        '<div class="scroll"><table class="claims"><thead><tr><th></th><th class="text">claim</th>'
        '<th class="text">published</th><th class="text">ours</th><th class="text">how it was judged</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _origin(record: Record) -> str:
    facts = {
        "runs": _provenance(record),
        **{name: ", ".join(map(str, v)) if isinstance(v, list) else str(v) for name, v in record["settings"].items()},
        **record["environment"],
        "to repeat it": f"isthmus reproduce {record['name']}.json --out another-folder",
    }
    facts |= {f"failed: {_named(row['cell'])}": row["error"] for row in record["results"] if "error" in row}
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
    return f'<table class="origin"><tbody>{rows}</tbody></table>'


def _named(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cell.items())
