"""The main job and its RUN folder: what was asked, what was found, how to repeat it."""

from isthmus.runs.folder import RunFolder
from isthmus.runs.job import fit_dataset
from isthmus.runs.options import FitOptions
from isthmus.runs.record import fit_record, measure_record
from isthmus.spectra.profile_logger import ProfileLogger, lightning_callback

__all__ = [
    "FitOptions",
    "ProfileLogger",
    "RunFolder",
    "fit_dataset",
    "fit_record",
    "lightning_callback",
    "measure_record",
]
