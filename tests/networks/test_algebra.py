"""The algebra of networks: exactly the stated function in rational arithmetic, and to rounding in float64."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import random_layers
from isthmus.errors import (
    IncompatibleNetworksError,
    NotRepresentableError,
    OptionError,
    ShapeError,
)
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    RELU,
    Activation,
    FullyConnected,
    add,
    affine,
    after_affine,
    before_affine,
    compose,
    deepened,
    direct_product,
    maximum,
    minimum,
    restricted_to_plane,
    rewritten,
    scaled,
    stack,
)
from oracles.rational_network import dot, exact_values

# Where values pass a leaky layer the coefficients 1/(1 + a) and 1/(1 − a²) are rounded; for these two nothing is.
EXACT = [RELU, ABSOLUTE]
LEAKY = [Activation(0.25), Activation(-0.5), Activation(3.0)]


def quarters(widths, activation, seed):
    """Weights and biases in {−1, −3/4, …, 1}: sums and products of a few of them are exact in float64."""
    generator = torch.Generator().manual_seed(seed)
    sizes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = [torch.randint(-4, 5, size, generator=generator).double() / 4 for size in sizes]
    biases = [torch.randint(-4, 5, size[:1], generator=generator).double() / 4 for size in sizes]
    return FullyConnected(tuple(weights), tuple(biases), activation)


def grid(d, seed=0, n=25):
    generator = torch.Generator().manual_seed(seed)
    return [[Fraction(v, 8) for v in row] for row in torch.randint(-24, 25, (n, d), generator=generator).tolist()]


def plus(u, v):
    return [a + b for a, b in zip(u, v, strict=True)]


COMBINED = {
    "add": (add, plus),
    "stack": (stack, lambda u, v: [*u, *v]),
    "maximum": (maximum, lambda u, v: [max(p) for p in zip(u, v, strict=True)]),
    "minimum": (minimum, lambda u, v: [min(p) for p in zip(u, v, strict=True)]),
}


@pytest.mark.parametrize("depths", [(2, 2), (2, 4), (3, 2)])
@pytest.mark.parametrize("sigma", EXACT, ids=lambda a: a.name)
@pytest.mark.parametrize("name", COMBINED)
def test_combinations_are_exact_in_rational_arithmetic(name, sigma, depths):
    combine, truth = COMBINED[name]
    f, g = (quarters((3, *[4] * (depth - 1), 2), sigma, seed) for seed, depth in enumerate(depths))
    combined = combine(f, g)
    for x in grid(3):
        assert exact_values(combined, x) == truth(exact_values(f, x), exact_values(g, x))


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", COMBINED)
def test_affine_maps_combine_with_relu_networks_of_any_depth_exactly(name, depth):
    combine, truth = COMBINED[name]
    f, g = quarters((3, 2), RELU, 5), quarters((3, *[4] * (depth - 1), 2), RELU, 6)
    for first, second in ((f, g), (g, f)):
        for x in grid(3):
            assert exact_values(combine(first, second), x) == truth(exact_values(first, x), exact_values(second, x))


@pytest.mark.parametrize("sigma", [RELU, ABSOLUTE, IDENTITY, *LEAKY], ids=lambda a: a.name)
def test_composition_is_exact_and_merges_the_two_affine_maps_that_meet(sigma):
    for inner_depth, outer_depth in ((1, 1), (1, 3), (3, 1), (2, 3)):
        inner = quarters((3, *[4] * (inner_depth - 1), 2), sigma, 1)
        outer = quarters((2, *[5] * (outer_depth - 1), 3), sigma, 2)
        both = compose(outer, inner)
        assert both.depth == inner_depth + outer_depth - 1
        for x in grid(3):
            assert exact_values(both, x) == exact_values(outer, exact_values(inner, x))


@pytest.mark.parametrize("sigma", EXACT, ids=lambda a: a.name)
def test_direct_products_act_on_separate_inputs_exactly(sigma):
    f, g = quarters((2, 4, 3), sigma, 3), quarters((1, 3, 3, 2), sigma, 4)
    product = direct_product(f, g)
    assert product.widths[0] == 3
    assert product.widths[-1] == 5
    for x in grid(3):
        assert exact_values(product, x) == [*exact_values(f, x[:2]), *exact_values(g, x[2:])]


@pytest.mark.parametrize("sigma", [RELU, ABSOLUTE, IDENTITY, *LEAKY], ids=lambda a: a.name)
def test_affine_maps_fold_into_the_ends_exactly(sigma):
    f, before, after = quarters((3, 4, 2), sigma, 7), quarters((2, 3), sigma, 8), quarters((2, 3), sigma, 9)
    folded = after_affine(before_affine(f, before.weights[0], before.biases[0]), after.weights[0], after.biases[0])
    assert folded.depth == f.depth
    for x in grid(2):
        assert exact_values(folded, x) == exact_values(after, exact_values(f, exact_values(before, x)))
        assert exact_values(scaled(f, -1.5), [*x, 1]) == [Fraction(-3, 2) * v for v in exact_values(f, [*x, 1])]


def test_a_restriction_to_a_plane_is_f_at_the_points_of_the_plane():
    f = quarters((4, 5, 2), RELU, 10)
    origin = torch.tensor([1.0, -0.5, 0.25, 2.0], dtype=torch.float64)
    directions = torch.tensor([[1.0, 0.0, -1.0, 0.5], [0.25, 2.0, 0.0, -0.75]], dtype=torch.float64)
    on_plane = restricted_to_plane(f, origin, directions)
    rows = [[Fraction(v) for v in column] for column in directions.T.tolist()]
    for t in grid(2):
        point = [Fraction(o) + dot(row, t) for o, row in zip(origin.tolist(), rows, strict=True)]
        assert exact_values(on_plane, t) == exact_values(f, point)


@pytest.mark.parametrize("sigma", EXACT, ids=lambda a: a.name)
def test_deeper_networks_compute_the_same_function_exactly(sigma):
    f = quarters((3, 4, 2), sigma, 11)
    deep = deepened(f, 6)
    assert deep.depth == 6
    for x in grid(3):
        assert exact_values(deep, x) == exact_values(f, x)


@pytest.mark.parametrize("sigma", [RELU, ABSOLUTE, *LEAKY], ids=lambda a: a.name)
def test_with_lower_bounds_one_neuron_a_value_is_enough_on_the_domain(sigma):
    f = quarters((3, 2), sigma, 12)
    deep = deepened(f, 4, outputs_above=torch.tensor([-12.0, -10.5], dtype=torch.float64))
    assert deep.widths == (3, 2, 2, 2, 2)
    values = [exact_values(f, x) for x in grid(3)]
    assert all(v[0] >= -12 and v[1] >= Fraction(-21, 2) for v in values)
    assert values == [exact_values(deep, x) for x in grid(3)]


def nets(d_in, d_out, sigma):
    depths = st.integers(1 if sigma != ABSOLUTE else 2, 4)
    return st.builds(
        lambda depth, width, seed: random_layers((d_in, *[width] * (depth - 1), d_out), sigma, seed),
        depths,
        st.integers(1, 6),
        st.integers(0, 10_000),
    )


def close(actual, expected, *parts):
    """Equal up to rounding relative to the largest number involved."""
    scale = max(1.0, *(float(p.abs().max()) for p in (expected, *parts)))
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=1e-12 * scale)


@pytest.mark.parametrize("sigma", [RELU, ABSOLUTE, *LEAKY], ids=lambda a: a.name)
@settings(max_examples=40)
@given(data=st.data())
def test_operations_agree_with_plain_evaluation(sigma, data):
    f, g = data.draw(nets(3, 2, sigma)), data.draw(nets(3, 2, sigma))
    outer = data.draw(nets(2, 3, sigma))
    x = 3 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, v = f(x), g(x)
    close(add(f, g)(x), u + v, u, v)
    close(stack(f, g)(x), torch.cat([u, v], 1))
    close(maximum(f, g)(x), torch.maximum(u, v), u, v)
    close(minimum(f, g)(x), torch.minimum(u, v), u, v)
    close(compose(outer, f)(x), outer(u), u)
    close(direct_product(f, g)(torch.cat([x, -x], 1)), torch.cat([u, g(-x)], 1))
    close(deepened(f, f.depth + 2)(x), u)
    for operation in (add, stack, maximum, minimum):
        assert operation(f, g).activation == sigma


@pytest.mark.parametrize("old", [RELU, ABSOLUTE, IDENTITY, *LEAKY], ids=lambda a: a.name)
@pytest.mark.parametrize("new", [RELU, *LEAKY], ids=lambda a: a.name)
def test_a_network_can_be_written_with_another_activation(old, new):
    f = random_layers((3, 5, 4, 2), old, 13)
    again = rewritten(f, new)
    assert again.activation == new
    x = 3 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    close(again(x), f(x))


def test_deepening_where_activations_are_nonnegative_adds_no_kink():
    """Every new neuron repeats an old one, so no pattern is split."""
    f = random_layers((2, 6, 1), RELU, 14)
    z = deepened(f, 4).pre_activations(torch.randn(200, 2, generator=torch.Generator().manual_seed(0)))
    for layer in (1, 2):
        assert torch.equal(z[layer] > 0, z[0] > 0)


def test_absolute_values_cannot_carry_an_affine_map_further_and_the_error_says_what_can():
    identity = affine(torch.eye(2, dtype=torch.float64), activation=ABSOLUTE)
    deep = quarters((2, 3, 2), ABSOLUTE, 15)
    for impossible in (
        lambda: deepened(identity, 2),
        lambda: add(identity, deep),
        lambda: maximum(identity, scaled(identity, 2.0)),
    ):
        with pytest.raises(NotRepresentableError, match=r"grows alike towards both ends.*outputs_above"):
            impossible()


def test_what_absolute_values_can_do_is_not_refused():
    identity = affine(torch.eye(2, dtype=torch.float64), activation=ABSOLUTE)
    constant = affine(torch.zeros(2, 2, dtype=torch.float64), torch.tensor([1.0, -2.0]).double(), ABSOLUTE)
    absolute_value = maximum(identity, scaled(identity, -1.0))
    for x in grid(2):
        assert exact_values(absolute_value, x) == [abs(v) for v in x]
        assert exact_values(deepened(constant, 3), x) == [1, -2]


def test_linear_networks_have_no_maximum():
    f = random_layers((2, 3, 2), IDENTITY, 16)
    with pytest.raises(NotRepresentableError, match=r"maximum.*'identity'.*ReLU"):
        maximum(f, f)


@pytest.mark.parametrize("target", [ABSOLUTE, IDENTITY], ids=lambda a: a.name)
def test_not_every_network_can_be_rewritten(target):
    with pytest.raises(NotRepresentableError, match=f"{target.name}.*leaky ReLU instead"):
        rewritten(random_layers((2, 3, 2), RELU, 17), target)


def test_networks_that_differ_are_refused_by_what_differs():
    f = random_layers((2, 3, 2), RELU, 18)
    for operation in (add, stack, maximum, minimum, compose, direct_product):
        with pytest.raises(IncompatibleNetworksError, match=r"activation \(.*relu and .*absolute\).*rewritten"):
            operation(f, random_layers((2, 3, 2), ABSOLUTE, 18))
        with pytest.raises(IncompatibleNetworksError, match=r"dtype \(torch.float64 and torch.float32\).*\.to\("):
            operation(f, f.to(dtype=torch.float32))
    for operation in (add, stack, maximum, compose, direct_product):
        with pytest.raises(IncompatibleNetworksError, match=r"device \(cpu and meta\)"):
            operation(f, meta(f))
    with pytest.raises(IncompatibleNetworksError, match="dtype"):
        before_affine(f, torch.eye(2))
    with pytest.raises(IncompatibleNetworksError, match="device"):
        after_affine(f, torch.eye(2, dtype=torch.float64, device="meta"))


def test_shapes_that_do_not_fit_are_refused():
    f, g = random_layers((2, 3, 2), RELU, 19), random_layers((3, 3, 1), RELU, 19)
    with pytest.raises(ShapeError, match=r"2 and 3 inputs.*direct_product"):
        stack(f, g)
    with pytest.raises(ShapeError, match="2 and 1 outputs"):
        add(f, g)
    with pytest.raises(ShapeError, match="2 and 1 outputs"):
        maximum(f, g)
    with pytest.raises(ShapeError, match=r"takes 2 inputs but the inner one has 1 outputs.*outer\(inner"):
        compose(f, g)
    with pytest.raises(ShapeError, match=r"directions has shape \(2, 3\)"):
        restricted_to_plane(f, torch.zeros(2).double(), torch.zeros(2, 3).double())
    with pytest.raises(ShapeError, match=r"matrix has shape \(3, 2\) but \(2, any\)"):
        before_affine(f, torch.zeros(3, 2).double())
    with pytest.raises(ShapeError, match=r"shift has shape \(3,\); the matrix has 2 rows"):
        after_affine(f, torch.zeros(2, 2).double(), torch.zeros(3).double())
    with pytest.raises(OptionError, match="depth is 1 but must be at least the depth 2"):
        deepened(f, 1)
    with pytest.raises(ShapeError, match="outputs_above"):
        deepened(f, 3, outputs_above=torch.zeros(3))


def test_an_affine_map_combines_with_any_activation_and_keeps_the_dtype(activation):
    f = random_layers((2, 3, 2), activation, 20, dtype=torch.float32)
    both = compose(affine(torch.ones(1, 2)), compose(f, affine(torch.eye(2))))
    assert both.activation == activation
    assert both.dtype == torch.float32
    x = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(both(x), f(x).sum(1, keepdim=True))


def meta(network):
    """The same network without storage, on a device that is not the CPU."""
    copy = object.__new__(type(network))
    object.__setattr__(copy, "weights", tuple(w.to("meta") for w in network.weights))
    object.__setattr__(copy, "biases", tuple(b.to("meta") for b in network.biases))
    object.__setattr__(copy, "activation", network.activation)
    return copy
