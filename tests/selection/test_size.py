"""What training needs is refused before it begins where the machine has less."""

import numpy as np
import pytest
import torch

from isthmus.data import Sample
from isthmus.errors import TooLargeError
from isthmus.selection import SelectionConfig, select_rank
from isthmus.selection.size import refuse_too_large
from isthmus.training import Schedule

X = np.random.default_rng(0).standard_normal((50, 3))


def test_a_network_that_no_machine_holds_is_refused_with_the_number():
    message = r"Training a network of 3 layers that are 100000000 wide takes about 1\.6e\+08 GB.*Use a smaller width"
    with pytest.raises(TooLargeError, match=message):  # 16 bytes for each of 1e16 weights
        select_rank(X, X[:, :2], config=SelectionConfig(depth=3, width=10**8))
    with pytest.raises(TooLargeError, match="1000000000 layers that are 64 wide"):
        select_rank(X, np.arange(50) % 2, task="classification", config=SelectionConfig(depth=10**9))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_estimate_is_below_what_the_tensors_of_a_network_take(task, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "isthmus.selection.size.refuse_beyond_memory", lambda what, needed, remedy: asked.append(needed)
    )
    y = X[:, :2] if task == "regression" else np.arange(50) % 2
    config = SelectionConfig(depth=4, width=70, schedule=Schedule(batch_size=20))
    refuse_too_large(Sample.merged(X, y, np.ones(50), task), config)
    layers = [torch.nn.Linear(3, 70), torch.nn.Linear(70, 70), torch.nn.Linear(70, 70), torch.nn.Linear(70, 2)]
    weights = sum(p.nbytes for layer in layers for p in layer.parameters())
    values = sum(torch.zeros(20, layer.out_features).nbytes for layer in layers[:-1])
    assert 0.98 * (4 * weights + 2 * values) <= asked[0] <= 4 * weights + 2 * values
