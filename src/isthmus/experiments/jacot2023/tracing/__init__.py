"""Where the statements of the slides that differ in our records hold and where not, read off the diagrams."""

from isthmus.experiments.jacot2023.tracing.statements import TRACES
from isthmus.experiments.jacot2023.tracing.table import tracing_table

__all__ = ["TRACES", "tracing_table"]
