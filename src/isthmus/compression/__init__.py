"""The smaller network: what can be folded is folded with its proof, what can be approximated is refitted and judged."""

from isthmus.compression.compressed import Compressed, CurvePoint, Size
from isthmus.compression.export import export_halves
from isthmus.compression.fold import Fold
from isthmus.compression.procedure import compress

__all__ = ["Compressed", "CurvePoint", "Fold", "Size", "compress", "export_halves"]
