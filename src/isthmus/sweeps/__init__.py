"""Many selections over a grid of data, options and seeds, kept in one store that any interruption leaves whole."""

from isthmus.sweeps.cell import CellRow
from isthmus.sweeps.cluster import dask_cluster
from isthmus.sweeps.specification import Specification, read_specification
from isthmus.sweeps.sweeping import sweep
from isthmus.sweeps.table import sweep_csv, sweep_json

__all__ = ["CellRow", "Specification", "dask_cluster", "read_specification", "sweep", "sweep_csv", "sweep_json"]
