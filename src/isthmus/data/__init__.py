"""What to learn from: data sets as values, read from files or drawn from a known truth."""

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.columns import encode_as
from isthmus.data.dataset import Dataset, Split
from isthmus.data.merging import merged_rows
from isthmus.data.names import column_names
from isthmus.data.sample import Sample
from isthmus.data.sources import load_dataset, load_inputs, read_inputs
from isthmus.data.splitting import folded_rows
from isthmus.data.synthetic import Teacher, random_teacher
from isthmus.data.table_format import TableFormat
from isthmus.foundation.task import Task

__all__ = [
    "Dataset",
    "Sample",
    "Split",
    "TableFormat",
    "Task",
    "Teacher",
    "column_names",
    "dataset_from_arrays",
    "encode_as",
    "folded_rows",
    "load_dataset",
    "load_inputs",
    "merged_rows",
    "random_teacher",
    "read_inputs",
]
