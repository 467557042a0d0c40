"""What f is: a network as a value, what is built from networks, its standardisation, how it enters and leaves."""

from isthmus.formats.loading import load
from isthmus.formats.storage import load_network, save

__all__ = [
    "load",
    "load_network",
    "save",
]
