"""Alignment of variables whose relation is known in closed form."""

import math

import pytest
import torch

from isthmus.errors import (
    ColumnError,
    NonFiniteError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.factorization import alignment


def normal(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_an_affine_image_determines_and_is_determined():
    true = normal(200, 3, 100)
    mixing = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0], [1.0, 0.0, 0.5]]).double()
    found = alignment(true @ mixing + 7.0, true)
    for r2 in (found.true_from_found_linear, found.found_from_true_linear):
        torch.testing.assert_close(r2, torch.ones(3).double(), rtol=0, atol=1e-10)
    for r2 in (found.true_from_found, found.found_from_true):
        assert float(r2.min()) > 0.999
    assert float(found.angles.max()) < 1e-6


def test_squaring_loses_the_sign():
    z = torch.linspace(-1.0, 1.0, 300).double()[:, None]
    found = alignment(z.square(), z)
    assert float(found.found_from_true) > 0.999  # the square follows from the variable
    assert abs(float(found.true_from_found)) < 0.05  # the variable does not follow from its square
    for r2 in (found.found_from_true_linear, found.true_from_found_linear):
        assert abs(float(r2)) < 0.05
    assert float(found.angles) == pytest.approx(math.pi / 2, abs=1e-6)  # odd and even functions are orthogonal


def test_a_cube_is_invertible_but_not_linear():
    z = torch.linspace(-1.0, 1.0, 300).double()[:, None]
    found = alignment(z**3, z)
    assert float(found.found_from_true) > 0.999
    assert float(found.true_from_found) > 0.98  # the cube root is steep at 0
    # corr(z, z³)² = (E z⁴)² / (E z² E z⁶) = (1/5)² / (1/3 · 1/7)
    assert float(found.true_from_found_linear) == pytest.approx(21 / 25, abs=0.02)
    assert math.cos(float(found.angles)) ** 2 == pytest.approx(21 / 25, abs=0.01)


def test_noise_determines_nothing():
    found = alignment(normal(300, 2, 101), normal(300, 3, 102))
    values = (
        *(found.true_from_found, found.found_from_true),
        *(found.true_from_found_linear, found.found_from_true_linear),
    )
    assert [len(v) for v in values] == [3, 2, 3, 2]
    assert all(float(v.abs().max()) < 0.06 for v in values)
    assert found.angles.shape == (2,)
    assert float(found.angles.min()) > 1.3


def test_added_noise_takes_its_share():
    true, s = normal(400, 2, 103), 0.5
    found = alignment(true + s * normal(400, 2, 104), true)
    # jointly normal, so the best prediction is linear, and R² = 1 / (1 + s²) both ways
    for r2 in (*found.true_from_found_linear, *found.found_from_true_linear):
        assert float(r2) == pytest.approx(0.8, abs=0.04)
    for r2 in (*found.true_from_found, *found.found_from_true):
        assert float(r2) == pytest.approx(0.8, abs=0.05)
    for angle in found.angles:
        assert math.cos(float(angle)) ** 2 == pytest.approx(0.8, abs=0.05)


def test_angles_are_those_of_the_planes():
    # the second true direction leans away from the found plane by 0.3 radians, the first lies in it
    base = torch.linalg.qr(normal(100, 4, 105) - normal(100, 4, 105).mean(0)).Q
    base = torch.linalg.qr(base - base.mean(0)).Q
    true = torch.stack([base[:, 0], math.cos(0.3) * base[:, 1] + math.sin(0.3) * base[:, 2]], 1)
    torch.testing.assert_close(
        alignment(base[:, :2], true).angles, torch.tensor([0.0, 0.3]).double(), rtol=0, atol=1e-6
    )


def test_a_dead_coordinate_and_a_copy_change_nothing():
    true = normal(100, 2, 106)
    copied = torch.cat([true, true[:, :1]], 1)
    assert float(alignment(copied, true).true_from_found_linear.min()) == pytest.approx(1.0, abs=1e-9)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ShapeError, match="found has 30 rows and true 31"):
        alignment(normal(30, 1, 0), normal(31, 1, 1))
    with pytest.raises(TooFewRowsError, match="found has 19 rows"):
        alignment(normal(19, 1, 0), normal(19, 1, 1))
    with pytest.raises(ColumnError, match=r"true\[1\].*constant"):
        alignment(normal(30, 1, 0), torch.tensor([[1.0, 2.0]]) * torch.stack([torch.arange(30), torch.ones(30)], 1))
    with pytest.raises(NonFiniteError):
        alignment(normal(30, 1, 0), torch.full((30, 1), torch.nan))
