"""Whatever does not fit is refused before anything runs, with the field and the mend."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_network import CELLS, DT, SOURCE, link, network, refused, run

from myoloop.data import SpikeTrains
from myoloop.errors import MyoloopError, UnknownNameError
from myoloop.network import (
    Clock,
    CurrentInjection,
    DoubleExponential,
    GammaSource,
    Network,
    Plant,
    PoissonSource,
    Population,
    Probe,
    Projection,
    Ramp,
    ReplaySource,
    Trapezoid,
    Uniform,
    all_to_all,
    simulate,
)
from myoloop.neurons import LIF, Izhikevich

# Names


@pytest.mark.parametrize("name", ["", "a.b", "a/b", None, 3, ["a"]])
def test_a_name_that_is_none_is_refused(name):
    refused(r"^Population\.name: .* was given; give a text without", Population, name, LIF())
    refused(r"^PoissonSource\.name: ", PoissonSource, name, 3)
    refused(r"^Projection\.pre: ", Projection, name, "MN", all_to_all(), weight_uS=0.1)
    refused(r"^CurrentInjection\.population: ", CurrentInjection, name, 1.0)


def test_two_nodes_or_projections_of_one_name_are_refused():
    refused("^Network.nodes: 'MN' appears twice; ", Network, [CELLS, CELLS])
    refused("^Network.projections: 'IN->MN' appears twice; ", network, link(), link())


def test_an_unknown_name_is_answered_with_the_nearest_one():
    unknown = {"error": UnknownNameError}
    nodes = [SOURCE, CELLS]
    refused(
        r"^Projection INN->MN\.pre: no 'INN'; did you mean 'IN'\? known are IN, MN$",
        Network,
        nodes,
        [Projection("INN", "MN", all_to_all(), weight_uS=0.1)],
        **unknown,
    )
    refused(
        r"^Projection IN->IN\.post: no 'IN'; .*known are MN$",
        Network,
        nodes,
        [Projection("IN", "IN", all_to_all(), weight_uS=0.1)],
        **unknown,
    )
    refused(
        r"^CurrentInjection\.population: no 'MM'; did you mean 'MN'",
        Network,
        nodes,
        currents=[CurrentInjection("MM", 1.0)],
        **unknown,
    )
    refused(r"^simulate\.spikes: no 'MNs'; did you mean 'MN'", run, spikes=["MNs"], **unknown)
    refused(r"^Simulation\.precision: no 'singel'; did you mean 'single'", run, precision="singel", **unknown)
    refused(r"^drive: no 'Mn'; did you mean 'MN'", network().start(dt_ms=DT).step, {"Mn": 1.0}, **unknown)
    refused(r"^Network\.size: no 'X'", network().size, "X", **unknown)


# Parts


@pytest.mark.parametrize("field", ["nodes", "projections", "currents", "plants"])
@pytest.mark.parametrize("junk", [3, "MN", CELLS, [3], ["MN"], [None], {1: 2}, np.eye(2), object()])
def test_a_network_of_junk_is_refused(field, junk):
    refused(rf"^Network\.{field}", Network, error=MyoloopError, **{"nodes": [CELLS], field: junk})


def test_parts_of_the_wrong_kind_are_refused():
    refused(r"^Population\(MN\)\.cells: a int was given; give a cell model", Population, "MN", 3)
    refused(
        r"^Projection IN->MN\.connectivity: a float was given", Projection, "IN", "MN", 0.3, weight_uS=0.1
    )
    refused(r"^Projection IN->MN\.synapse: a str was given", link, synapse="alpha")
    refused(r"^Projection IN->MN\.plasticity: a str was given", link, plasticity="stdp")
    refused(r"^Projection IN->MN\.site: a int was given", link, site=3)
    refused(r"^Network\.plants\['m'\]: a int was given; give a Plant", network, plants={"m": 3})
    refused(r"^Simulation\.network: a list was given", simulate, [CELLS], 1.0)
    refused(r"^Simulation\.record: a Probe was given; give a list", run, record=Probe("MN", "v_soma", [0]))
    refused(r"^simulate\.spikes: a str was given; give a list", run, spikes="MN")
    assert issubclass(Plant, object)


def test_annotations_that_do_not_fit_the_cells_are_refused_before_the_run():
    refused(
        r"^Population\(MN\)\.annotations\['rt'\]: shape \(3,\) for 2 cells",
        Population,
        "MN",
        LIF(n=2),
        {"rt": np.ones(3)},
    )
    refused(r"^Population\(MN\)\.annotations: a list was given", Population, "MN", LIF(n=2), [1])


# Counts and numbers


@pytest.mark.parametrize("n", [0, -1, 1.5, None, True, float("nan"), "x"])
def test_a_number_of_units_below_one_is_refused(n):
    refused(r"^PoissonSource\.n: .* was given; give a whole number of at least 1", PoissonSource, "IN", n)


@pytest.mark.parametrize("n", [1])
def test_one_of_everything_is_valid(n):
    net = Network([PoissonSource("IN", n, rate_pps=50.0), Population("MN", LIF(n=n))], [link()])
    assert len(run(net).spikes["MN"]) == 1


@pytest.mark.parametrize(
    "rate",
    [
        -1.0,
        float("nan"),
        float("inf"),
        "5 mV",
        5 * pq.ms,
        [1.0, 2.0],
        [1.0, np.nan, 2.0],
        None,
        np.eye(3),
        "x",
    ],
)
def test_a_rate_that_is_none_is_refused(rate):
    for make in (PoissonSource, GammaSource):
        refused(rf"^{make.__name__}\.rate_pps: ", make, "IN", 3, rate_pps=rate)
    sim = network().start(dt_ms=DT)
    if rate is not None:  # None leaves the source its own rate
        refused(r"^IN\.rate_pps: ", sim.step, {"IN": rate})


@pytest.mark.parametrize("shape", [0.5, 0.0, -1.0, float("nan")])
def test_a_gamma_shape_below_one_is_refused(shape):
    refused(r"^GammaSource\.shape: .* was given", GammaSource, "IN", 3, rate_pps=5.0, shape=shape)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (lambda t: -1.0 + 0 * t, r"-1 was given at 5e-05 s"),
        (lambda t: np.where(t > 0.003, np.nan, 1.0), r"nan was given at 0\.00305 s"),
        (lambda t: np.zeros(3), r"the function gave shape \(3, 1\)"),
        (lambda t: np.zeros((len(t), 2)), r"the function gave shape \(\d+, 2\)"),
        (lambda t: "x", r"the function failed"),
        (lambda: 3.0, r"the function failed"),
        (lambda t: None, r"nan was given"),
    ],
)
def test_a_function_that_gives_no_rate_is_refused_with_the_time(rate, message):
    net = Network([PoissonSource("IN", 3, rate_pps=rate)])
    refused(rf"^IN\.rate_pps: {message}", run, net)


@pytest.mark.parametrize(
    "current", [float("nan"), "5 mV", 3 * pq.s, [1.0, np.nan], [1.0, 2.0, 3.0], 1e39, None, "x"]
)
def test_a_current_that_is_none_is_refused(current):
    def make():
        run(network(currents=[CurrentInjection("MN", current)]))

    refused(r"^CurrentInjection\(MN\)\.current_nA: ", make)
    if current is not None:
        refused(r"^drive\['MN'\]: ", network().start(dt_ms=DT).step, {"MN": current})


@pytest.mark.parametrize("cells", [[], [2], [-1], [0, 0], [0.5], "a", 7, [None]])
def test_cells_that_a_population_has_not_are_refused(cells):
    def make():
        run(network(currents=[CurrentInjection("MN", 1.0, cells)]))

    refused(r"^CurrentInjection\(MN\)\.cells: ", make)


@pytest.mark.parametrize(
    "weight", [float("nan"), float("inf"), "1 mV", 2 * pq.nA, [0.1, 0.2], -0.1, "x", True]
)
def test_a_weight_that_is_none_is_refused(weight):
    refused(r"^Projection IN->MN\.weight_uS: ", link, weight_uS=weight)


def test_weights_are_converted():
    assert link(weight_uS="50 nS").weight_uS == pytest.approx(0.05)
    assert link(weight_uS=50 * pq.nS, delay_ms="0.002 s").delay_ms == pytest.approx(2.0)


def test_a_rise_that_is_not_shorter_than_the_decay_is_refused():
    refused(
        r"^DoubleExponential\.rise_ms: 3 ms is not below decay_ms = 3; .*Alpha",
        DoubleExponential,
        rise_ms=3.0,
        decay_ms=3.0,
    )


def test_times_that_are_not_in_order_are_refused():
    refused(r"^Ramp\.stop_s: 1 s is not after start_s = 2 s", Ramp, to_nA=1.0, start_s=2.0, stop_s=1.0)
    refused(r"^Trapezoid\.fall_s: ", Trapezoid, amplitude_nA=1.0, plateau_s=2.0, fall_s=1.0, end_s=3.0)
    refused(r"^Uniform\.high: 1 is below low = 2", Uniform, low=2.0, high=1.0)


# Spike times


@pytest.mark.parametrize(
    ("trains", "message"),
    [
        ([[0.2, 0.1]], "unit 0 is not sorted: 0.1 s after 0.2 s"),
        ([[], [0.1, 0.3, 0.2]], "unit 1 is not sorted"),
        ([[-0.1, 0.2]], "a spike at -0.1 s lies outside 0 to 1 s"),
        ([[0.1, 1.2]], "a spike at 1.2 s lies outside 0 to 1 s"),
        ([[0.1, np.nan]], "NaN or infinite times"),
    ],
)
def test_spike_times_that_cannot_be_are_refused(trains, message):
    refused(rf"^SpikeTrains\.times_s: {message}", SpikeTrains.from_trains, trains, 1.0)


def test_replayed_times_before_0_are_refused():
    early = SpikeTrains.from_trains([[-0.5, 0.2]], 1.0, -1.0)
    refused(r"^ReplaySource\.spikes: times before 0; shift the spikes", ReplaySource, "IN", spikes=early)


@pytest.mark.parametrize("spikes", [None, 3, [[0.1]], "x", np.zeros(3)])
def test_what_is_no_spike_train_is_refused(spikes):
    refused("^spikes: a .* was given; give SpikeTrains, a neo", ReplaySource, "IN", spikes=spikes)


def test_samples_before_the_first_window_are_refused():
    refused(r"^Simulation\.samples: no window is done", network().start(dt_ms=DT).samples)


def test_a_run_that_diverges_is_stopped():
    """Numbers that are none must not be handed on as a result."""
    net = Network([Population("IZ", Izhikevich())], currents=[CurrentInjection("IZ", -1e29)])
    with np.errstate(over="ignore"):
        refused(
            r"^Population\(IZ\): its state is no longer finite at .* s; take a shorter",
            run,
            net,
            0.3,
            precision="double",
        )


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=3),
    st.lists(st.floats(), max_size=3),
    st.sampled_from([5 * pq.ms, 5 * pq.mV, object(), np.eye(2), np.zeros(0)]),
)
# What makes a run long, or the result large, is left out: it is valid.
OPTIONS = ["window_ms", "checkpoint_every_s", "precision", "threads", "record", "spikes", "seed", "resume"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(OPTIONS), junk)
def test_junk_in_any_option_runs_or_is_refused(option, value):
    try:
        assert run(Network([CELLS]), 0.002, **{option: value}).status == "complete"
    except MyoloopError as error:
        assert str(error)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["IN", "MN"]), junk)
def test_junk_as_a_drive_runs_or_is_refused(name, value):
    sim = network().start(dt_ms=DT)
    try:
        sim.step({name: value})
    except MyoloopError as error:
        assert str(error)
    assert np.all(np.isfinite(sim.state()["population/MN/cells"]))


@settings(max_examples=100, deadline=None)
@given(junk)
def test_junk_as_a_period_is_a_number_of_steps_or_refused(value):
    try:
        assert isinstance(Clock(dt_ms=DT).steps(value, "x"), int)
    except MyoloopError as error:
        assert str(error).startswith("x: ")
