"""A fully-connected network as a value: its weights, its biases, its activation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import DtypeError, NonFiniteError, OptionError, ShapeError
from isthmus.foundation.arrays import check_columns
from isthmus.networks.activations import RELU, Activation

_ROWS = 65_536  # whose activations are held at a time


@dataclass(frozen=True, eq=False)
class FullyConnected:
    r"""The function $f = T_L \circ \sigma \circ \dots \circ \sigma \circ T_1$ with $T_\ell(a) = W_\ell a + b_\ell$.

    Depth L is the number of weight matrices; the last layer has no activation. The tensors are taken as they are,
    without a copy: treat them as read-only. All of them share one dtype (float32 or float64) and one device.

    Attributes:
        weights: $W_1, \dots, W_L$, `(n_ℓ, n_{ℓ-1})` each.
        biases: $b_1, \dots, b_L$, `(n_ℓ,)` each.
        activation: σ, positively homogeneous.

    Raises:
        ShapeError: If the layers do not fit together or there are none.
        DtypeError: If dtypes are mixed or not float32/float64.
        NonFiniteError: If a weight or bias is NaN or infinite.

    Source:
        Jacot (2023), definition of the representation cost.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    activation: Activation = RELU

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(w.detach() for w in self.weights))
        object.__setattr__(self, "biases", tuple(b.detach() for b in self.biases))
        if not self.weights or len(self.weights) != len(self.biases):
            raise ShapeError(
                f"A network needs one bias for each of its weight matrices, at least one of each; got "
                f"{len(self.weights)} weights and {len(self.biases)} biases."
            )
        if not isinstance(self.activation, Activation):
            raise OptionError("activation", self.activation, "an Activation: `networks.activation` makes one of a name")
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            self._check_layer(layer, w, b)

    def _check_layer(self, layer: int, w: Tensor, b: Tensor) -> None:
        fan_in = self.weights[layer - 2].shape[0] if layer > 1 else None
        if w.ndim != 2 or b.shape != w.shape[:1] or 0 in w.shape or fan_in not in (None, w.shape[1]):
            raise ShapeError(
                f"Layer {layer} has weight {tuple(w.shape)} and bias {tuple(b.shape)}; expected (n, {fan_in or 'd'}) "
                "and (n,). Check the order of the layers and whether a weight is transposed."
            )
        first = self.weights[0]
        if first.dtype not in (torch.float32, torch.float64):
            raise DtypeError(f"the weight of layer {layer}", first.dtype)
        for what, tensor in ((f"the weight of layer {layer}", w), (f"the bias of layer {layer}", b)):
            if tensor.dtype != first.dtype:
                raise DtypeError(what, f"{tensor.dtype} (layer 1 has {first.dtype})")
            if not torch.isfinite(tensor).all():
                where = (~torch.isfinite(tensor)).nonzero()[0].tolist()
                raise NonFiniteError(what, where[0], where[-1])

    @property
    def depth(self) -> int:
        """L, the number of weight matrices."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """$(n_0, n_1, …, n_L)$: input, hidden layers, output."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def d_in(self) -> int:
        """Number of inputs $n_0$."""
        return self.widths[0]

    @property
    def d_out(self) -> int:
        """Number of outputs $n_L$."""
        return self.widths[-1]

    @property
    def dtype(self) -> torch.dtype:
        """dtype of every weight and bias."""
        return self.weights[0].dtype

    @property
    def device(self) -> torch.device:
        """Device of every weight and bias."""
        return self.weights[0].device

    @property
    def parameter_count(self) -> int:
        """Number of weights and biases."""
        return sum(t.numel() for t in (*self.weights, *self.biases))

    @property
    def squared_norm(self) -> float:
        r"""$\|w\|^2$ over all weights and biases, summed in float64."""
        return sum(float(t.double().square().sum()) for t in (*self.weights, *self.biases))

    @property
    def norm_per_depth(self) -> float:
        r"""$\|w\|^2 / L$: an upper bound of $R(f; L)/L$."""
        return self.squared_norm / self.depth

    def trace(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        r"""What every layer reads and computes at the rows of `x`.

        Returns:
            $[A_0 = x, A_1, \dots, A_{L-1}]$, `(n, n_{ℓ-1})` each, and $[\tilde Z_1, \dots, \tilde Z_L]$, `(n, n_ℓ)`
            each; the last pre-activation is the output.
        """
        check_columns(x, self.d_in)
        a = [x.to(dtype=self.dtype, device=self.device)]
        z: list[Tensor] = []
        for w, b in zip(self.weights, self.biases, strict=True):
            if z:
                a.append(self.activation(z[-1]))
            z.append(torch.addmm(b, a[-1], w.T))
        return a, z

    def pre_activations(self, x: Tensor) -> list[Tensor]:
        r"""$\tilde Z_1, \dots, \tilde Z_L$ at the rows of `x`: `(n, n_ℓ)` each; the last one is the output."""
        return self.trace(x)[1]

    def __call__(self, x: Tensor) -> Tensor:
        """f at the rows of `x` `(n, d_in)`: `(n, d_out)`."""
        check_columns(x, self.d_in)
        parts = [self._values(part) for part in x.split(_ROWS)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _values(self, x: Tensor) -> Tensor:
        a = x.to(dtype=self.dtype, device=self.device)
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            a = torch.addmm(b, a, w.T)
            if layer < self.depth:
                a = self.activation(a)
        return a

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> FullyConnected:
        """The same function in another precision or on another device."""
        dtype = dtype or self.dtype
        device = device or self.device
        return FullyConnected(
            tuple(w.to(dtype=dtype, device=device) for w in self.weights),
            tuple(b.to(dtype=dtype, device=device) for b in self.biases),
            self.activation,
        )
