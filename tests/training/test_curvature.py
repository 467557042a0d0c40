"""In the coordinates of a curvature frame the curvature is about one, and a change is what it says."""

import torch

from cases import random_layers
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import IDENTITY
from isthmus.training import CurvatureFrame, Objective, curvatures


def test_of_a_linear_layer_under_squared_errors_the_curvature_is_one():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 5, generator=generator, dtype=torch.float64) * torch.logspace(-1, 1, 5, dtype=torch.float64)
    y = torch.randn(400, 3, generator=generator, dtype=torch.float64)
    network, objective = random_layers((5, 3), IDENTITY, seed=1), Objective(x, y, GAUSSIAN, 0.0)
    (found,) = curvatures(network, objective, seed=0)
    extended = torch.cat([x, torch.ones(400, 1, dtype=torch.float64)], 1)
    torch.testing.assert_close(found.inputs, extended.T @ extended / 400)
    frame = CurvatureFrame(found.inputs, 2.0 * torch.eye(3, dtype=torch.float64), 0.0)

    def error(v):
        moved = torch.cat([network.weights[0], network.biases[0][:, None]], 1) + frame.turned_back(v.view(3, 6))
        return (extended @ moved.T - y).square().sum(1).mean()

    hessian = torch.autograd.functional.hessian(error, torch.zeros(18, dtype=torch.float64))
    values = torch.linalg.eigvalsh(hessian)
    assert float(values[-1]) <= 1.0  # less than one where the damping tells
    assert float(values[-6:].min()) > 0.8
    torch.testing.assert_close(hessian, torch.diag(hessian.diagonal()), atol=1e-6, rtol=0.0)


def test_a_gradient_turns_as_a_change_does():
    generator = torch.Generator().manual_seed(0)
    a, b, g, v = (torch.randn(*shape, generator=generator).double() for shape in ((6, 6), (4, 4), (4, 6), (4, 6)))
    frame = CurvatureFrame(a @ a.T, b @ b.T, 0.1)
    torch.testing.assert_close((frame.turned(g) * v).sum(), (g * frame.turned_back(v)).sum())
