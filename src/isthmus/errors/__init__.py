"""Every error isthmus raises: a named fact that carries its objects and names the remedy.

Each class also subclasses the builtin that a caller would expect (`ValueError`, `TypeError`, …), so code that
does not know isthmus still catches what it means to catch. The command line turns any of them into one sentence
on standard error and exit status 2.
"""

from isthmus.errors.base import IsthmusError
from isthmus.errors.computing import (
    DeviceMemoryError,
    DivergenceError,
    EvaluationBudgetError,
    InexactNetworkError,
    MemoryBudgetError,
    PrecisionError,
    RegionBudgetError,
    WorkerError,
)
from isthmus.errors.data import (
    ColumnError,
    ConstantOutputError,
    ContradictingRowsError,
    DtypeError,
    NonFiniteError,
    RareClassError,
    ScaleError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.errors.files import (
    DisagreementError,
    FileFormatError,
    FileMissingError,
    ForeignFolderError,
    RunConflictError,
    TensorChoiceError,
    UnsupportedOperatorError,
)
from isthmus.errors.models import (
    IncompatibleNetworksError,
    MixedRowsError,
    ModelCallError,
    NotDifferentiableError,
    NotRepresentableError,
    OutputChoiceError,
    RowCountError,
    UnknownActivationError,
    UnsupportedModuleError,
)
from isthmus.errors.options import (
    CollinearPointsError,
    DomainError,
    MissingExtraError,
    OptionError,
    PartialFitError,
    RenamedAttributeError,
    RenamedOptionError,
)

__all__ = [
    "CollinearPointsError",
    "ColumnError",
    "ConstantOutputError",
    "ContradictingRowsError",
    "DeviceMemoryError",
    "DisagreementError",
    "DivergenceError",
    "DomainError",
    "DtypeError",
    "EvaluationBudgetError",
    "FileFormatError",
    "FileMissingError",
    "ForeignFolderError",
    "IncompatibleNetworksError",
    "InexactNetworkError",
    "IsthmusError",
    "MemoryBudgetError",
    "MissingExtraError",
    "MixedRowsError",
    "ModelCallError",
    "NonFiniteError",
    "NotDifferentiableError",
    "NotRepresentableError",
    "OptionError",
    "OutputChoiceError",
    "PartialFitError",
    "PrecisionError",
    "RareClassError",
    "RegionBudgetError",
    "RenamedAttributeError",
    "RenamedOptionError",
    "RowCountError",
    "RunConflictError",
    "ScaleError",
    "ShapeError",
    "TensorChoiceError",
    "TooFewRowsError",
    "UnknownActivationError",
    "UnsupportedModuleError",
    "UnsupportedOperatorError",
    "WorkerError",
]
