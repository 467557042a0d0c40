"""What to learn from: data sets as values, read from files or drawn from a known truth."""

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.dataset import Dataset, Split, Task
from isthmus.data.merging import merged_rows
from isthmus.data.sample import Sample
from isthmus.data.sources import load_dataset, load_inputs
from isthmus.data.splitting import folded_rows
from isthmus.data.synthetic import Teacher, random_teacher

__all__ = [
    "Dataset",
    "Sample",
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
