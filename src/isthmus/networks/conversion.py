"""From and to torch modules, exactly or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.errors import IncompressibleModelError, UnsupportedModuleError
from isthmus.networks.activations import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
)
from isthmus.networks.evaluation import evaluating
from isthmus.networks.network import FullyConnected
from isthmus.networks.spatial import (
    NORMS,
    dense,
    is_spatial,
    output_shape,
)
from isthmus.networks.wrappers import unwrapped


@dataclass(frozen=True, eq=False)
class AffineMap:
    """One affine map of a module: its matrix and its shift, and whether it is a Linear."""

    weight: Tensor
    bias: Tensor
    is_layer: bool  # a Linear, as opposed to a normalisation that only ever folds into one

    def after(self, first: AffineMap) -> AffineMap:
        """The map that applies `first` and then this one."""
        weight = self.weight @ first.weight
        return AffineMap(weight, self.weight @ first.bias + self.bias, self.is_layer or first.is_layer)


_Part = AffineMap | Activation

_KNOWN_FORWARDS = frozenset(
    kind.forward for kind in (nn.Linear, nn.ReLU, nn.LeakyReLU, nn.Identity, nn.Flatten, nn.Dropout, nn.BatchNorm1d)
)


DENSE_BYTES = 1 << 28  # a convolution is written out as a matrix up to this size


def from_torch(
    module: nn.Module, input_shape: tuple[int, ...] | None = None, *, memory: int = DENSE_BYTES
) -> FullyConnected:
    """The network that computes exactly what `module` computes, as a value that shares no memory with it.

    Linear layers, one positively homogeneous activation, and whatever folds into them: Flatten at the start,
    Identity, Dropout and BatchNorm1d in eval mode. Convolutions, average pooling, zero padding and BatchNorm2d are
    affine maps of the flattened input and become matrices. Affine maps with no activation between them become one,
    unless there is no activation at all: then the linear network keeps its depth. Where an activation has no affine
    map on one side, an identity layer is put there.

    Args:
        module: A Linear or (nested) Sequentials of supported modules. It is not modified.
        input_shape: Shape of one input, needed where the module convolves or pools: `(channels, height, width)`.
        memory: Bytes that one such matrix may take.

    Raises:
        UnsupportedModuleError: If a part cannot be represented exactly; the message names it.
        ShapeError: If a part does not take the shape that arrives at it.
    """
    module = unwrapped(module)
    parts = _merged(list(_parts(module, input_shape, memory)))
    maps = [p for p in parts if isinstance(p, AffineMap)]
    sigmas = {p for p in parts if isinstance(p, Activation)}
    if not maps:
        raise UnsupportedModuleError(type(module).__name__, "it has no Linear layer")
    if len(sigmas) > 1:
        names = " and ".join(sorted(s.name for s in sigmas))
        raise UnsupportedModuleError(type(module).__name__, f"it uses more than one activation, {names}")
    layers = _with_identities(parts)
    return FullyConnected(
        tuple(m.weight.detach().clone() for m in layers),
        tuple(m.bias.detach().clone() for m in layers),
        next(iter(sigmas), IDENTITY),
    )


def chain_depth(module: nn.Module) -> int | None:
    """Depth L of the network that `from_torch` would give, without writing any matrix out; None if it would refuse.

    A chain too large to be written out still has this depth, and so Proposition 3 holds for it.
    """
    try:
        kinds = [
            [AffineMap(_ONE, _ONE[0], not isinstance(leaf, NORMS))]
            if is_spatial(leaf)
            else [_tiny(part) for part in _translated(name, leaf, None)]
            for name, leaf in leaves(unwrapped(module))
        ]
    except UnsupportedModuleError:
        return None
    parts = _merged([part for kind in kinds for part in kind])
    is_one = len({p for p in parts if isinstance(p, Activation)}) <= 1
    return len(_with_identities(parts)) if is_one and any(isinstance(p, AffineMap) for p in parts) else None


def named_parts(module: nn.Module) -> Iterator[tuple[str, _Part]]:
    """The affine maps and activations of a module of rows one after the other, with the names of their modules.

    Raises:
        IncompressibleModelError: At a convolution or pooling: as a matrix it would be larger than it is.
        UnsupportedModuleError: If a part has no exact form.
    """
    for name, leaf in leaves(unwrapped(module)):
        if is_spatial(leaf):
            raise IncompressibleModelError(name, "it shares its weights between positions; as a matrix it is larger")
        for part in _translated(name, leaf, None):
            yield name, part


_ONE = torch.ones(1, 1)


def _tiny(part: _Part) -> _Part:
    return AffineMap(_ONE, _ONE[0], part.is_layer) if isinstance(part, AffineMap) else part


def to_torch(network: FullyConnected) -> nn.Sequential:
    """A `Sequential` of Linear and activation modules that computes the same function, in eval mode.

    Raises:
        UnsupportedModuleError: For the absolute value, which has no module in torch.
    """
    if network.activation == ABSOLUTE:
        raise UnsupportedModuleError("absolute", "torch has no module for this activation")
    modules: list[nn.Module] = []
    for w, b in zip(network.weights, network.biases, strict=True):
        if modules and not network.activation.is_linear:
            slope = network.activation.negative_slope
            modules.append(nn.ReLU() if slope == 0.0 else nn.LeakyReLU(slope))
        linear = nn.Linear(w.shape[1], w.shape[0], dtype=w.dtype, device=w.device)
        with torch.no_grad():
            linear.weight.copy_(w)
            linear.bias.copy_(b)
        modules.append(linear)
    return nn.Sequential(*modules).eval()


def _parts(module: nn.Module, shape: tuple[int, ...] | None, memory: int) -> Iterator[_Part]:
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    for name, leaf in leaves(module):
        if not is_spatial(leaf):
            yield from _translated(name, leaf, shape)
            if isinstance(leaf, nn.Linear | nn.Flatten):
                shape = None
            continue
        _check_spatial(name, leaf, shape)
        assert shape is not None
        weight, bias = dense(name, leaf, shape, dtype, memory)
        yield AffineMap(weight, bias, not isinstance(leaf, NORMS))
        shape = output_shape(name, leaf, shape, dtype)


def _check_spatial(name: str, leaf: nn.Module, shape: tuple[int, ...] | None) -> None:
    if shape is None or len(shape) < 2:
        raise UnsupportedModuleError(
            name, "it acts on channels and positions, so the shape of one input is needed: pass x as (n, channels, …)"
        )
    if isinstance(leaf, NORMS) and (leaf.training or leaf.running_mean is None):
        raise UnsupportedModuleError(
            name, "it normalises by the batch; call .eval() on a model that keeps running statistics"
        )


def leaves(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The parts of modules that call their parts one after the other, with what messages call them.

    Raises:
        UnsupportedModuleError: If a part is scripted or carries hooks.
    """
    # A hook may change what the module computes, and nothing tells whether it does.
    if isinstance(module, torch.jit.ScriptModule):
        raise UnsupportedModuleError(f"{type(module).__name__} ({name or 'root'})", "it is scripted or traced")
    if module._forward_hooks or module._forward_pre_hooks:
        raise UnsupportedModuleError(f"{type(module).__name__} ({name or 'root'})", "it carries forward hooks")
    if type(module).forward is nn.Sequential.forward:
        for child_name, child in module._modules.items():  # named_children lists an object once, where it is first used
            assert child is not None
            yield from leaves(child, f"{name}.{child_name}".lstrip("."))
    else:
        yield f"{type(module).__name__} ({name or 'root'})", module


def _translated(name: str, leaf: nn.Module, shape: tuple[int, ...] | None) -> list[_Part]:
    if type(leaf).forward not in _KNOWN_FORWARDS:  # a subclass may compute something else
        raise UnsupportedModuleError(name, "the theory has no exact form for it")
    match leaf:
        case nn.Linear():
            if shape is not None and len(shape) > 1:
                raise UnsupportedModuleError(name, f"it acts on the last dimension of inputs of shape {shape} only")
            with evaluating(leaf):  # a spectral norm in training mode changes its buffers when it is read
                w = leaf.weight.detach()
            b = torch.zeros_like(w[:, 0]) if leaf.bias is None else leaf.bias.detach()
            return [AffineMap(w, b, True)]
        case nn.ReLU():
            return [RELU]
        case nn.LeakyReLU():
            return [Activation(float(leaf.negative_slope))]
        case nn.Identity():
            return []
        case nn.Flatten() if (leaf.start_dim, leaf.end_dim) == (1, -1):
            return []
        case nn.Dropout():
            if leaf.training and leaf.p > 0:
                raise UnsupportedModuleError(name, "it is random in training mode; call .eval() on the model first")
            return []
        case nn.BatchNorm1d():
            return [_batch_norm(name, leaf)]
    raise UnsupportedModuleError(name, "it does not act on rows of a matrix (n, d) one by one")


def _batch_norm(name: str, norm: nn.BatchNorm1d) -> AffineMap:
    if norm.training or norm.running_mean is None or norm.running_var is None:
        raise UnsupportedModuleError(
            name, "it normalises by the batch; call .eval() on a model that keeps running statistics"
        )
    # The square root in float64: folding must not cost the last digits of a float32 model.
    scale = 1.0 / (norm.running_var.double() + norm.eps).sqrt()
    if norm.affine:
        scale = scale * norm.weight.detach().double()
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        shift = shift + norm.bias.detach().double()
    return AffineMap(torch.diag(scale).to(norm.running_var), shift.to(norm.running_var), False)


def _merged(parts: list[_Part]) -> list[_Part]:
    """Neighbouring affine maps multiplied together, but the layers of a purely linear network kept apart."""
    has_activation = any(isinstance(p, Activation) and not p.is_linear for p in parts)
    merged: list[_Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if (
            isinstance(part, AffineMap)
            and isinstance(last, AffineMap)
            and (has_activation or not (part.is_layer and last.is_layer))
        ):
            merged[-1] = part.after(last)
        else:
            merged.append(part)
    return merged


def _with_identities(parts: list[_Part]) -> list[AffineMap]:
    """The affine maps, with an identity layer wherever an activation stands at an end or beside another one."""
    layers: list[AffineMap] = []
    is_waiting = False  # an activation has come since the last affine map
    for index, part in enumerate(parts):
        if isinstance(part, AffineMap):
            layers.append(part)
            is_waiting = False
            continue
        if not layers:
            following = next(p for p in parts[index:] if isinstance(p, AffineMap))
            layers.append(_identity(following.weight.T))
        elif is_waiting:
            layers.append(_identity(layers[-1].weight))
        is_waiting = True
    if is_waiting:
        layers.append(_identity(layers[-1].weight))
    return layers


def _identity(like: Tensor) -> AffineMap:
    """The identity on the output space of the matrix `like`."""
    eye = torch.eye(like.shape[0], dtype=like.dtype, device=like.device)
    return AffineMap(eye, torch.zeros_like(eye[0]), True)
