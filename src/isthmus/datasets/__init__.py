"""What to learn from: data sets as values, read from files or drawn from a known truth."""

from isthmus.datasets.assembly import dataset_from_arrays
from isthmus.datasets.dataset import Dataset, Split, Task
from isthmus.datasets.merging import merged_rows
from isthmus.datasets.sources import load_dataset, load_inputs
from isthmus.datasets.splitting import folded_rows
from isthmus.datasets.synthetic import Teacher, random_teacher

__all__ = [
    "Dataset",
    "Split",
    "Task",
    "Teacher",
    "dataset_from_arrays",
    "folded_rows",
    "load_dataset",
    "load_inputs",
    "merged_rows",
    "random_teacher",
]
