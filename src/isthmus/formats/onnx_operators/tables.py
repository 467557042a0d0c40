"""Operators of ONNX's domain for tables (`ai.onnx.ml`): the real-valued ones that pipelines are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, translated

_DOMAIN = "ai.onnx.ml"


def _scaled(node: Node, x: Tensor) -> Tensor:
    offset = torch.tensor(node.get("offset", [0.0]), dtype=x.dtype, device=x.device)
    return (x - offset) * torch.tensor(node.get("scale", [1.0]), dtype=x.dtype, device=x.device)


def _normalized(node: Node, x: Tensor) -> Tensor:
    kind = node.get("norm", "MAX")
    if kind == "MAX":
        length = x.amax(1, keepdim=True)
    elif kind == "L1":
        length = x.abs().sum(1, keepdim=True)
    elif kind == "L2":
        length = x.square().sum(1, keepdim=True)
        return torch.where(length == 0, x, x * length.where(length != 0, 1.0).rsqrt())
    else:
        raise node.refuse(f"its norm {kind!r} is not known")
    return torch.where(length == 0, x, x / length.where(length != 0, 1.0))


def _linear(node: Node, x: Tensor, rows: int) -> Tensor:
    weight = torch.tensor(node.get("coefficients"), dtype=x.dtype, device=x.device).reshape(rows, -1)
    scores = x @ weight.T
    intercepts = node.get("intercepts")
    return scores if not intercepts else scores + torch.tensor(intercepts, dtype=x.dtype, device=x.device)


def _transformed(node: Node, scores: Tensor) -> Tensor:
    kind = node.get("post_transform", "NONE")
    if kind == "NONE":
        return scores
    if kind == "SOFTMAX":
        return scores.softmax(1)
    if kind == "LOGISTIC":
        return scores.sigmoid()
    raise node.refuse(f"its post_transform {kind!r} is not translated")


def _regressor(node: Node, x: Tensor) -> Tensor:
    return _transformed(node, _linear(node, x, node.get("targets", 1)))


def _classifier(node: Node, x: Tensor) -> tuple[None, Tensor]:
    """The scores; the labels, which have no derivative, are left out."""
    labels = node.get("classlabels_ints") or node.get("classlabels_strings") or []
    rows = len(node.get("intercepts") or labels)
    scores = _linear(node, x, rows)
    if rows == 1 and len(labels) == 2:  # one score for two classes: the other has the opposite
        scores = torch.cat([-scores, scores], 1)
    return None, _transformed(node, scores)


TABLES: dict[str, Translation] = {
    "LinearClassifier": translated(
        _classifier,
        "classlabels_ints classlabels_strings coefficients intercepts multi_class post_transform",
        outputs=2,
        domain=_DOMAIN,
    ),
    "LinearRegressor": translated(_regressor, "coefficients intercepts post_transform targets", domain=_DOMAIN),
    "Normalizer": translated(_normalized, "norm", domain=_DOMAIN),
    "Scaler": translated(_scaled, "offset scale", domain=_DOMAIN),
}
"""By name."""
