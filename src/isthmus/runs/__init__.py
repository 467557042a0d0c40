"""The main job and its RUN folder: what was asked, what was found, how to repeat it."""

from isthmus.runs.folder import RunFolder
from isthmus.runs.job import run_fit
from isthmus.runs.options import RunOptions
from isthmus.runs.record import FitRecord, MeasureRecord
from isthmus.runs.recording import measure_record
from isthmus.runs.run import Run, load_run

__all__ = [
    "FitRecord",
    "MeasureRecord",
    "Run",
    "RunFolder",
    "RunOptions",
    "load_run",
    "measure_record",
    "run_fit",
]
