"""What one fold says about the rows it holds out."""

from __future__ import annotations

from dataclasses import dataclass, fields

from torch import Tensor

from isthmus.selection.embedding_path import EmbeddingPath


@dataclass(frozen=True, eq=False)
class Fold:
    """What networks of the other rows say about those of one fold; float64 on the CPU where nothing else is said.

    Attributes:
        losses: Through k = 0, 1, 2, … numbers, as many as the fold's network carries, `(·, m)`.
        whole: Of the whole network, `(m,)`.
        objectives: Through as many, and last of the whole network, relative to the constant's.
        sensitivities: Of the last latent coordinate through k = 1, 2, … numbers.
        redundancies: R² of the same coordinates, given the others.
        errors: As the losses, what a person counts (`Likelihood.row_errors`).
        linear_errors: The same of the linear method through as many numbers, `(·, m)`.
        full_errors: The same of the methods of `simple_methods.FULL`, `(methods, m)`.
        residuals: What is left of the targets through k = 0, 1, 2, … numbers, and last by the whole network, at some of
            the held-out rows (`held_out_residuals`), `(·, r, d_out)` float32.
        scores: Of number k + 1 for the classes of the held-out rows, k = 0, 1, … (`label_scores`), `(·, 2, m)`; empty
            unless classes are learned.
        agreements: Of the same functions' predictions with the outputs (`independence_test.agreements`), `(·, 2, m)`.
        index_losses, index_surprises, index_directions: Of functions of few combinations of the inputs
            (`EmbeddingPath`), directions in the units of the inputs; empty unless outputs are learned.
    """

    losses: Tensor
    whole: Tensor
    objectives: Tensor
    sensitivities: Tensor
    redundancies: Tensor
    errors: Tensor
    linear_errors: Tensor
    full_errors: Tensor
    residuals: Tensor
    scores: Tensor
    agreements: Tensor
    index_losses: Tensor
    index_surprises: Tensor
    index_directions: Tensor

    @property
    def combinations(self) -> EmbeddingPath:
        """Functions of few combinations of the inputs."""
        return EmbeddingPath(self.index_losses, self.index_surprises, self.index_directions)


PARTS = tuple(field.name for field in fields(Fold))
