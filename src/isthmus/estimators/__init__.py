"""scikit-learn's face: estimators that decide the rank as they fit. No mathematics here."""

from isthmus.errors import MissingExtraError

try:
    import sklearn  # noqa: F401
except ImportError as missing:
    raise MissingExtraError("RankRegressor, RankClassifier and RankAutoencoder", "scikit-learn", "sklearn") from missing

from isthmus.estimators.autoencoder import RankAutoencoder
from isthmus.estimators.classifier import RankClassifier
from isthmus.estimators.regressor import RankRegressor

__all__ = ["RankAutoencoder", "RankClassifier", "RankRegressor"]
