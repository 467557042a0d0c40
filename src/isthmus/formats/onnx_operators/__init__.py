"""ONNX operators as differentiable torch functions, one file a family; what is not in them is refused by name."""

from isthmus.formats.onnx_operators.elementwise import ELEMENTWISE
from isthmus.formats.onnx_operators.indexing import INDEXING
from isthmus.formats.onnx_operators.quantization import QUANTIZATION
from isthmus.formats.onnx_operators.recurrent import RECURRENT
from isthmus.formats.onnx_operators.reductions import REDUCTIONS
from isthmus.formats.onnx_operators.resize import RESIZE
from isthmus.formats.onnx_operators.shapes import SHAPES
from isthmus.formats.onnx_operators.tables import TABLES
from isthmus.formats.onnx_operators.translation import Node, Translation
from isthmus.formats.onnx_operators.windows import WINDOWS

OPERATORS: dict[str, Translation] = {
    **ELEMENTWISE,
    **INDEXING,
    **QUANTIZATION,
    **RECURRENT,
    **REDUCTIONS,
    **RESIZE,
    **SHAPES,
    **TABLES,
    **WINDOWS,
}
"""Every operator that is translated, by name."""

__all__ = ["OPERATORS", "Node", "Translation"]
