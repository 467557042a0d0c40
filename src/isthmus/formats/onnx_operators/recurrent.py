"""ONNX's recurrent layers, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, translated

_ATTRIBUTES = "activations clip direction hidden_size layout activation_alpha activation_beta"
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "tanh": torch.tanh,
}
_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
State = tuple[Tensor, ...]
Gates = list[Callable[[Tensor], Tensor]]


def _recurrent(
    node: Node,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor | None = None,
    lengths: Tensor | None = None,
    *starts: Tensor | None,
) -> tuple[Tensor, ...]:
    """Outputs at every step `(steps, directions, batch, hidden)`, and the last states."""
    is_batch_first = bool(node.get("layout", 0))
    x = x.transpose(0, 1) if is_batch_first else x
    if lengths is not None and bool((lengths != len(x)).any()):
        raise node.refuse("its sequences have different lengths")
    if node.operator == "LSTM" and len(starts) > 2 and starts[2] is None:
        starts = starts[:2]
    peepholes = starts[2] if node.operator == "LSTM" and len(starts) > 2 else None
    count = 2 if node.operator == "LSTM" else 1
    given = [*starts[:count], *[None] * (count - len(starts[:count]))]
    results, finals = [], []
    for direction, is_reverse in enumerate(_directions(node)):
        activations = _activations(node, direction)
        state = tuple(_start(each, direction, x, r, is_batch_first) for each in given)
        bias = x.new_zeros(2 * w.shape[1]) if b is None else b[direction]
        peephole = None if peepholes is None else peepholes[direction]
        step = _STEPS[node.operator]
        outputs: list[Tensor] = []
        for value in x.flip(0) if is_reverse else x:
            state = step(node, activations, value, state, w[direction], r[direction], bias, peephole)
            outputs.append(state[0])
        results.append(torch.stack(outputs[::-1] if is_reverse else outputs))
        finals.append(state)
    every = torch.stack(results, 1)
    last = [torch.stack([state[i] for state in finals]) for i in range(count)]
    if is_batch_first:
        return every.permute(2, 0, 1, 3), *(each.transpose(0, 1) for each in last)
    return every, *last


def _directions(node: Node) -> list[bool]:
    found = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}.get(
        node.get("direction", "forward")
    )
    if found is None:
        raise node.refuse(f"its direction {node.get('direction')!r} is not known")
    return found


def _activations(node: Node, direction: int) -> list[Callable[[Tensor], Tensor]]:
    if node.get("activation_alpha") or node.get("activation_beta"):
        raise node.refuse("its activations have parameters")
    defaults = _DEFAULTS[node.operator]
    names = node.get("activations", defaults * len(_directions(node)))[
        direction * len(defaults) : (direction + 1) * len(defaults)
    ]
    unknown = [name for name in names if name.lower() not in _ACTIVATIONS]
    if unknown or len(names) != len(defaults):
        raise node.refuse(f"its activations {', '.join(unknown) or names} are not known")
    return [_ACTIVATIONS[name.lower()] for name in names]


def _start(given: Tensor | None, direction: int, x: Tensor, r: Tensor, is_batch_first: bool) -> Tensor:
    if given is None:
        return x.new_zeros(x.shape[1], r.shape[2])
    return given[:, direction] if is_batch_first else given[direction]


def _clipped(node: Node, x: Tensor) -> Tensor:
    bound = node.get("clip")
    return x if bound is None else x.clamp(-bound, bound)


def _rnn(node: Node, f: Gates, x: Tensor, state: State, w: Tensor, r: Tensor, b: Tensor, _: Tensor | None) -> State:
    (h,) = state
    ours, theirs = b.chunk(2)
    return (f[0](_clipped(node, F.linear(x, w, ours) + F.linear(h, r, theirs))),)


def _gru(node: Node, f: Gates, x: Tensor, state: State, w: Tensor, r: Tensor, b: Tensor, _: Tensor | None) -> State:
    (h,) = state
    wz, wr, wh = w.chunk(3)
    rz, rr, rh = r.chunk(3)
    bz, br, bh, cz, cr, ch = b.chunk(6)
    update = f[0](_clipped(node, F.linear(x, wz, bz) + F.linear(h, rz, cz)))
    reset = f[0](_clipped(node, F.linear(x, wr, br) + F.linear(h, rr, cr)))
    if node.get("linear_before_reset", 0):
        hidden = F.linear(x, wh, bh) + reset * F.linear(h, rh, ch)
    else:
        hidden = F.linear(x, wh, bh) + F.linear(reset * h, rh, ch)
    return ((1 - update) * f[1](_clipped(node, hidden)) + update * h,)


def _lstm(node: Node, f: Gates, x: Tensor, state: State, w: Tensor, r: Tensor, b: Tensor, p: Tensor | None) -> State:
    h, c = state
    ours, theirs = b.chunk(2)
    i, o, forget, g = (F.linear(x, w, ours) + F.linear(h, r, theirs)).chunk(4, -1)
    if node.get("input_forget", 0):
        raise node.refuse("it couples input and forget gates")
    pi, po, pf = (0.0, 0.0, 0.0) if p is None else p.chunk(3)
    enter, keep = f[0](_clipped(node, i + pi * c)), f[0](_clipped(node, forget + pf * c))
    c = keep * c + enter * f[1](_clipped(node, g))
    return f[0](_clipped(node, o + po * c)) * f[2](c), c


_STEPS: dict[str, Callable[..., State]] = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}

RECURRENT: dict[str, Translation] = {
    "GRU": translated(_recurrent, f"{_ATTRIBUTES} linear_before_reset", since=7, outputs=2),
    "LSTM": translated(_recurrent, f"{_ATTRIBUTES} input_forget", since=7, outputs=3),
    "RNN": translated(_recurrent, _ATTRIBUTES, since=7, outputs=2),
}
"""By name."""
