"""What f is: a network as a value, what is built from networks, its standardisation, how it enters and leaves."""

from isthmus.formats.loading import load_model
from isthmus.formats.storage import load, save

__all__ = [
    "load",
    "load_model",
    "save",
]
