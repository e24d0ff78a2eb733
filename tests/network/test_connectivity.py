"""Projections are wired as their rules say, and no synapse's draws depend on another's units."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from myoloop.errors import MyoloopError, ParameterError
from myoloop.network import (
    Exponential,
    Network,
    Normal,
    PlasticityRule,
    PoissonSource,
    Population,
    Projection,
    Uniform,
    all_to_all,
    from_matrix,
    one_to_one,
    random,
)
from myoloop.neurons import LIF
from myoloop.random import Streams

RNG = Streams(3).child("test")


def pairs(wiring):
    pre = np.repeat(np.arange(len(wiring.starts) - 1), np.diff(wiring.starts))
    return pre, wiring.posts


class Look(PlasticityRule):
    """Shows the synapses that it is given."""

    def start(self, synapses, rng):
        self.seen = synapses
        return {}

    def step(self, state, synapses, tick):
        return state


def look(n_pre, n_post, connectivity, *, dt_ms=0.025, seed=0, **how):
    rule = Look()
    how = {"weight_uS": 0.1, **how}
    network = Network(
        [PoissonSource("IN", n_pre), Population("MN", LIF(n=n_post))],
        [Projection("IN", "MN", connectivity, synapse=Exponential(), plasticity=rule, **how)],
    )
    network.start(dt_ms=dt_ms, seed=seed, precision="double", window_ms=dt_ms)
    return rule.seen


def by_pair(seen, values):
    return dict(zip(zip(seen.pre.tolist(), seen.post.tolist(), strict=True), values, strict=True))


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.9])
def test_random_wiring_has_its_probability_in_rows_and_columns(probability):
    pre, post = pairs(random(probability).wire(400, 800, RNG))
    for units, n, others in ((pre, 400, 800), (post, 800, 400)):
        counts = np.bincount(units, minlength=n)
        z = (counts - others * probability) / np.sqrt(others * probability * (1 - probability))
        assert abs(z.mean()) < 5 / np.sqrt(n)
        assert z.std() == pytest.approx(1.0, abs=0.15)


def test_random_wiring_names_no_pair_twice_and_none_out_of_range():
    wiring = random(0.5).wire(50, 60, RNG)
    pre, post = pairs(wiring)
    assert len(set(zip(pre, post, strict=True))) == len(post)
    assert all(
        np.all(np.diff(wiring.posts[a:b]) > 0) for a, b in zip(wiring.starts, wiring.starts[1:], strict=False)
    )
    assert post.min() >= 0
    assert post.max() < 60


@pytest.mark.parametrize(("probability", "synapses"), [(0.0, 0), (1.0, 12), (1e-300, 0)])
def test_probability_0_is_none_and_1_is_all(probability, synapses):
    assert len(random(probability).wire(3, 4, RNG).posts) == synapses


def test_one_to_one_all_to_all_and_a_matrix_are_what_they_say():
    assert np.array_equal(np.stack(pairs(one_to_one().wire(4, 4, RNG))), [np.arange(4)] * 2)
    pre, post = pairs(all_to_all().wire(2, 3, RNG))
    assert list(zip(pre, post, strict=True)) == [(a, b) for a in range(2) for b in range(3)]
    wiring = from_matrix([[0.0, 2.0], [3.0, 4.0]]).wire(2, 2, RNG)
    assert list(zip(*pairs(wiring), wiring.factors, strict=True)) == [(0, 1, 2.0), (1, 0, 3.0), (1, 1, 4.0)]


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix, np.array])
def test_every_kind_of_matrix_gives_the_same_synapses(kind):
    dense = np.array([[0.0, 1.0, 0.5], [2.0, 0.0, 0.0]])
    seen = look(2, 3, from_matrix(kind(dense)))
    assert by_pair(seen, seen.weights) == pytest.approx({(0, 1): 0.1, (0, 2): 0.05, (1, 0): 0.2})


def test_a_matrix_is_copied():
    dense = np.eye(2)
    rule = from_matrix(dense)
    dense[0, 0] = 7.0
    assert rule.wire(2, 2, RNG).factors[0] == 1.0


HOW = {"weight_uS": Normal(mean=0.1, sd=0.03, low=0.0), "delay_ms": Uniform(low=0.5, high=8.0)}


@pytest.mark.parametrize(("more_pre", "more_post"), [(1, 0), (0, 1), (7, 40)])
def test_adding_units_changes_no_other_synapse_weight_or_delay(more_pre, more_post):
    few, more = look(10, 20, random(0.4), **HOW), look(10 + more_pre, 20 + more_post, random(0.4), **HOW)
    for field in ("weights", "delays_s"):
        expected = by_pair(few, getattr(few, field))
        found = by_pair(more, getattr(more, field))
        kept = {pair: value for pair, value in found.items() if pair[0] < 10 and pair[1] < 20}
        assert kept == expected


def test_another_seed_gives_another_wiring():
    one, other = (look(20, 30, random(0.4), seed=s) for s in (1, 2))
    assert not np.array_equal(one.post, other.post)


def test_two_projections_are_wired_independently():
    rules = Look(), Look()
    network = Network(
        [PoissonSource("IN", 40), Population("MN", LIF(n=40))],
        [
            Projection("IN", "MN", random(0.5), weight_uS=0.1, name=f"p{i}", plasticity=r)
            for i, r in enumerate(rules)
        ],
    )
    network.start()
    one, other = (set(zip(r.seen.pre, r.seen.post, strict=True)) for r in rules)
    assert len(one & other) == pytest.approx(400, abs=90)


def test_drawn_delays_are_whole_steps_with_the_asked_for_distribution():
    seen = look(100, 100, all_to_all(), delay_ms=Uniform(low=0.5, high=8.0))
    steps = seen.delays_s * 1e3 / 0.025
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    jittered = steps + np.random.default_rng(0).uniform(-0.5, 0.5, len(steps))
    assert stats.kstest(jittered * 0.025, "uniform", (0.5, 7.5)).pvalue > 0.01


def test_drawn_weights_have_the_asked_for_distribution():
    plain = look(100, 100, all_to_all(), weight_uS=Normal(mean=0.5, sd=0.1)).weights
    assert stats.kstest(plain, "norm", (0.5, 0.1)).pvalue > 0.01
    cut = look(100, 100, all_to_all(), weight_uS=Normal(mean=0.1, sd=0.1, low=0.05, high=0.25)).weights
    assert stats.kstest(cut, stats.truncnorm(-0.5, 1.5, 0.1, 0.1).cdf).pvalue > 0.01
    assert (cut.min() >= 0.05) and (cut.max() <= 0.25)


def test_weight_and_delay_of_a_synapse_are_independent():
    seen = look(100, 100, all_to_all(), **HOW)
    assert abs(np.corrcoef(seen.weights, seen.delays_s)[0, 1]) < 0.05


def test_a_narrow_distribution_is_drawn_at_once():
    assert np.all(Normal(mean=1.0, sd=5.0, low=1.0, high=1.0).quantile(np.array([0.1, 0.9])) == 1.0)
    assert np.all(Normal(mean=1.0, sd=0.0).quantile(np.array([0.1, 0.9])) == 1.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**40))
def test_any_wiring_is_well_formed(n_pre, n_post, probability, seed):
    wiring = random(probability).wire(n_pre, n_post, Streams(seed))
    assert wiring.starts[0] == 0
    assert wiring.starts[-1] == len(wiring.posts)
    assert np.all(np.diff(wiring.starts) >= 0)
    assert np.all((wiring.posts >= 0) & (wiring.posts < n_post))


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan"), "half", None, [0.5]])
def test_a_probability_outside_0_to_1_is_refused(probability):
    with pytest.raises(ParameterError, match=r"probability: .*; give "):
        random(probability)


@pytest.mark.parametrize(
    "matrix", [[[1.0, np.nan]], [[np.inf]], "x", None, [1.0, 2.0], [[1j]], [["a"]], object()]
)
def test_a_matrix_that_is_none_is_refused(matrix):
    with pytest.raises(MyoloopError, match=r"^from_matrix: "):
        from_matrix(matrix)


def test_sizes_that_do_not_fit_are_refused_with_both_numbers():
    with pytest.raises(ParameterError, match=r"^one_to_one: 3 units onto 4; "):
        look(3, 4, one_to_one())
    with pytest.raises(ParameterError, match=r"^from_matrix: shape \(2, 2\) for 3 x 4 units; "):
        look(3, 4, from_matrix(np.eye(2)))


def test_a_negative_conductance_is_refused():
    with pytest.raises(ParameterError, match=r"^Projection IN->MN\.weight_uS: -0\.1 was given; "):
        Projection("IN", "MN", all_to_all(), weight_uS=-0.1)
    for how in ({"connectivity": from_matrix([[-1.0]])}, {"weight_uS": Uniform(low=-2.0, high=-1.0)}):
        with pytest.raises(ParameterError, match=r"a synapse inhibits by its reversal_mV"):
            look(1, 1, **{"connectivity": all_to_all(), **how})
