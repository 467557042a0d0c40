"""Networks in files: those of other tools read, our own read and written."""

from isthmus.formats.loading import load, load_values
from isthmus.formats.storage import load_network, save

__all__ = [
    "load",
    "load_network",
    "load_values",
    "save",
]
