"""A finished run, read from its folder: it predicts, encodes and decodes new rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.compression import export_halves
from isthmus.data import encode_as
from isthmus.errors import FileFormatError, ShapeError
from isthmus.factorization import latent_names
from isthmus.formats import load_network
from isthmus.foundation.arrays import as_matrix, check_columns
from isthmus.foundation.likelihood import likelihood_of
from isthmus.networks import FullyConnected, StandardizedNetwork
from isthmus.runs.folder import RunFolder
from isthmus.runs.record import FitRecord

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Run:
    r"""The function of a run, $h \circ g$ through $\mathbb R^k$, in the units of its data.

    Attributes:
        record: Everything that was found.
        network: f, the network of all rows, before it was restricted to k numbers.
        encoder: g; None at rank 0.
        decoder: h; None at rank 0.
    """

    record: FitRecord
    network: FullyConnected | StandardizedNetwork
    encoder: StandardizedNetwork | None
    decoder: StandardizedNetwork | None

    @property
    def latent_names(self) -> tuple[str, ...]:
        """Names of the k latent coordinates: z1, z2 and so on."""
        return latent_names(self.record.rank)

    def encode(self, x: Any) -> Floats:
        """Evaluate g at the rows of `x` `(n, d_in)`, an array or a dataframe with the run's columns: `(n, k)`.

        Raises:
            ShapeError, ColumnError, NonFiniteError: If the rows do not have the columns of the run.
        """
        rows = self._rows(x)
        return np.asarray((rows.new_zeros(len(rows), 0) if self.encoder is None else self.encoder(rows)).numpy())

    def decode(self, z: Any) -> Floats:
        """Evaluate h at the rows of `z` `(n, k)`: outputs `(n, d_out)`, of a classification probabilities."""
        latent = torch.from_numpy(np.require(z, np.float64, ["C", "W"]))
        if self.decoder is None:
            outputs = torch.tensor(self.record.constant, dtype=torch.float64).expand(len(latent), -1)
        else:
            check_columns(latent, self.record.rank, "z")
            outputs = self.decoder(latent)
        return np.asarray(likelihood_of(self.record.task).expectation(outputs).numpy())

    def export(self, path: str | Path) -> Path:
        """Write the function to a new `.onnx`, `.safetensors` or `.pt2` file and return its path.

        It takes the columns of the run and gives its outputs, of a classification the scores of the classes.

        Raises:
            OptionError: If the path ends otherwise.
            TargetExistsError: If something is there already.
            MissingExtraError: If onnx is needed and not installed.
        """
        constant = torch.tensor(self.record.constant, dtype=torch.float64)
        return export_halves(self.encoder, self.decoder, constant, self.record.data.inputs, path)

    def predict(self, x: Any) -> NDArray[Any]:
        """Predict outputs `(n, d_out)`, or the names of the most probable classes `(n,)`, at the rows of `x`."""
        outputs = self.decode(self.encode(x))
        if self.record.task != "classification":
            return outputs
        names: NDArray[Any] = np.asarray(self.record.data.output_names)
        return np.asarray(names[outputs.argmax(1)])

    def predict_proba(self, x: Any) -> Floats:
        """Predict the probability of each class `(n, classes)`, in the order of `record.data.output_names`.

        Raises:
            ShapeError: If this is no classification.
        """
        if self.record.task != "classification":
            raise ShapeError(f"A {self.record.task} has no probabilities of classes. Call predict.")
        return self.decode(self.encode(x))

    def _rows(self, x: Any) -> Tensor:
        if hasattr(x, "columns"):
            x = encode_as(x, self.record.data.input_names)
        rows = as_matrix(x, "x").double()
        check_columns(rows, self.record.data.inputs, "x")
        return rows


def load_run(path: str | Path) -> Run:
    """Read a finished run from its folder.

    Args:
        path: The RUN folder that `isthmus fit` wrote.

    Raises:
        FileMissingError, FileFormatError: If it is not there, unfinished, damaged, or of the first edition.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from isthmus import SelectionConfig, load_run
        >>> from isthmus.data import dataset_from_arrays
        >>> from isthmus.runs import RunOptions, run_fit
        >>> x = np.random.default_rng(0).standard_normal((60, 3))
        >>> data = dataset_from_arrays(x, np.abs(x[:, :1]) * [1.0, -2.0], test=0.0)
        >>> options = RunOptions(SelectionConfig(depth=3, ridge=0.01, width=16), cv=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     record = run_fit(data, options, Path(folder) / "run")  # what `isthmus fit` does
        ...     run = load_run(Path(folder) / "run")
        >>> run.record.rank, run.predict(x).shape
        (1, (60, 2))
    """
    folder = RunFolder(Path(path))
    record = folder.read()
    halves = [load_network(file) for file in (folder.encoder, folder.decoder)] if record.rank > 0 else [None, None]
    for file, half in zip((folder.encoder, folder.decoder), halves, strict=True):
        if half is not None and not isinstance(half, StandardizedNetwork):
            raise FileFormatError(file, "it has no standardisation", "Fit again.")
    encoder, decoder = halves
    return Run(record, load_network(folder.model), encoder, decoder)  # type: ignore[arg-type]
