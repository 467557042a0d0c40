import numpy as np
import pytest

pytest.importorskip("sklearn")

ROWS = 200


def drawn(outputs, k: int, rng):
    """A task of the outputs or classes of k numbers, of which the inputs play no part."""
    from _rank_tasks import RankTask

    z = rng.standard_normal((ROWS, k))
    y = outputs(z)
    return RankTask("a", k, 0.0, ROWS, 0, 1.0, z, y, z, z, y, z)


def test_a_number_that_outputs_depend_on_is_decided_and_one_that_they_do_not_is_not():
    from _rank_oracle import verdict

    rng = np.random.default_rng(0)
    noise = 0.05 * rng.standard_normal((ROWS, 4))
    waves = rng.standard_normal((3, 4))
    assert verdict(drawn(lambda z: np.sin(z @ waves) + noise, 3, rng)).is_decidable
    assert not verdict(drawn(lambda z: np.sin(z[:, :2] @ waves[:2]) + noise, 3, rng)).is_decidable


def test_numbers_that_outputs_show_the_product_of_only_are_one():
    """Nonlinear summaries count: no linear combination of two numbers tells their product."""
    from _rank_oracle import verdict

    rng = np.random.default_rng(1)
    noise = 0.1 * rng.standard_normal((ROWS, 3))

    def outputs(z):
        product = np.tanh(z[:, :1]) * np.tanh(z[:, 1:])
        return np.hstack((product, np.square(product), np.sin(3.0 * product))) + noise

    two = verdict(drawn(outputs, 2, rng))
    assert two.losses[0] < 0.3
    assert two.ways[0] in ("network", "middle of a network")


def test_with_one_target_linear_combinations_count():
    from _rank_oracle import verdict

    rng = np.random.default_rng(2)
    assert verdict(drawn(lambda z: z[:, :1] * z[:, 1:], 2, rng)).is_decidable
    assert not verdict(drawn(lambda z: np.tanh(z.sum(1, keepdims=True)), 2, rng)).is_decidable


def test_classes_of_two_numbers_are_decided_and_ordered_ones_are_not():
    """Blurred classes: one number tells sharp ones that meet in a point but for a strip too narrow to hold rows."""
    from _rank_oracle import verdict

    rng = np.random.default_rng(3)
    towards = 2.0 * np.array([[1.0, 0.0], [-0.5, 0.8], [-0.5, -0.8]])
    blur = rng.gumbel(size=(ROWS, 3))
    assert verdict(drawn(lambda z: (z @ towards.T + blur).argmax(1), 2, rng)).is_decidable
    assert not verdict(drawn(lambda z: np.digitize(z.sum(1) + 0.3 * blur[:, 0], [-0.8, 0.8]), 2, rng)).is_decidable


def test_directions_are_found_that_are_no_coordinates():
    from _rank_oracle import flattest

    rng = np.random.default_rng(4)
    z, flat = rng.standard_normal((400, 3)), np.array([0.6, -0.64, 0.48])
    y = np.sin(z @ np.linalg.svd(flat[None])[2][1:].T @ rng.standard_normal((2, 3)))
    kept = flattest(z, y)(np.eye(3))
    assert np.abs(flat @ kept).max() < 0.05


def test_interpolation_of_noise_is_not_taken_for_prediction():
    from _rank_oracle import LANDMARKS, WIDTHS, ridge_regression

    rng = np.random.default_rng(5)
    z, noise = rng.standard_normal((100, 4)), rng.standard_normal((100, 3))
    assert ridge_regression(z, noise, WIDTHS, LANDMARKS["outputs"]).error > 0.9 * noise.var(0).sum()
