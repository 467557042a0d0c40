"""The traces as Markdown: a table a statement, in bold where it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.experiments.jacot2023 import curve_diagram, phase_diagram, recovery_diagram
from isthmus.experiments.jacot2023.tracing.statements import TRACES
from isthmus.experiments.jacot2023.tracing.trace import Place, Trace
from isthmus.experiments.record import measurements

Record = Mapping[str, Any]
DIAGRAMS = {each.EXPERIMENT.name: each.EXPERIMENT for each in (phase_diagram, curve_diagram, recovery_diagram)}


def tracing_table(records: Sequence[Record]) -> str:
    """Every statement that differs in its record, with the places of its diagram; empty where no record is there.

    Args:
        records: Of experiments, in any order; a trace needs that of its statement and that of its diagram.
    """
    by_name = {record["name"]: record for record in records}
    parts = [
        _section(trace, by_name[trace.diagram])
        for trace in TRACES
        if trace.diagram in by_name and _differs(trace, by_name.get(trace.experiment))
    ]
    if not parts:
        return ""
    used = {trace.diagram for trace in TRACES if trace.diagram in DIAGRAMS} & {
        record["name"] for record in records if not record["is_complete"]
    }
    rests = "".join(f" `{name}` is not finished: {_progress(by_name[name])}." for name in sorted(used))
    return (
        "## Where the statements of the slides that differ hold, and where not\n\n"
        f"{len(parts)} statements, read off the diagrams, or where none covers them off their own records. **Bold**: "
        f"it holds there. Empty: nothing to judge, such as no network that classifies its rows.{rests}\n\n"
        + "\n".join(parts)
    )


def _progress(record: Record) -> str:
    """How many cells of a diagram are there, and of how many seeds all."""
    experiment = DIAGRAMS[record["name"]]
    cells = experiment.cells(experiment.restored(record["settings"]))
    done = [row["cell"] for row in record["results"]]
    whole = sum(
        all(dict(cell) in done for cell in cells if cell["seed"] == seed) for seed in record["settings"]["seeds"]
    )
    return f"{len(done)} of {len(cells)} cells, {whole} of {len(record['settings']['seeds'])} seeds whole"


def _differs(trace: Trace, record: Record | None) -> bool:
    claims = () if record is None else record["claims"]
    return any(claim["claim"] == trace.claim and claim["agrees"] is False for claim in claims)


def _section(trace: Trace, record: Record) -> str:
    places = trace.places(record["settings"], measurements(record))
    columns = list(dict.fromkeys(place.at for place in places))
    groups: dict[str, dict[str, Place]] = {}
    for place in places:
        groups.setdefault(place.group, {})[place.at] = place
    lines = [
        f"| {group} | " + " | ".join(_marked(here.get(at)) for at in columns) + " |\n" for group, here in groups.items()
    ]
    head = f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}\n" if places else "Nothing is measured yet.\n"
    return f"### {trace.claim} (`{trace.experiment}`)\n\n{_summary(trace, groups)}\n\n{head}{''.join(lines)}"


def _marked(place: Place | None) -> str:
    if place is None:
        return ""
    return f"**{place.value}**" if place.holds else place.value


def _summary(trace: Trace, groups: Mapping[str, Mapping[str, Place]]) -> str:
    every = [place for here in groups.values() for place in here.values()]
    said = f"From `{trace.diagram}`: {trace.rule}."
    if not every:
        return said
    said += f" It holds at {sum(place.holds for place in every)} of {len(every)} places"
    for word, wanted in (("everywhere", True), ("nowhere", False)):
        columns = dict.fromkeys(place.at for place in every)
        names = [at for at in columns if all(place.holds is wanted for place in every if place.at == at)]
        if names and len(groups) > 1:
            said += f", {word} at {', '.join(names)}"
    few, most = min(place.networks for place in every), max(place.networks for place in every)
    return f"{said}; {few if few == most else f'{few} to {most}'} networks a place."
