"""Where f is affine: all its linear regions, the exact ranks on them, and where a classifier decides.

Only the front door is imported here: the compiled parts load when regions are enumerated.
"""

from isthmus.regions.class_ordering import ClassOrder, class_order
from isthmus.regions.enumeration import enumerate_regions, piecewise_linear
from isthmus.regions.expected_gradients import GradientOuterProduct, gradient_outer_product
from isthmus.regions.outlines import class_outlines
from isthmus.regions.plane import Plane

__all__ = [
    "ClassOrder",
    "GradientOuterProduct",
    "Plane",
    "class_order",
    "class_outlines",
    "enumerate_regions",
    "gradient_outer_product",
    "piecewise_linear",
]
