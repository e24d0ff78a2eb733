"""Times, periods and time courses that do not fit are refused before anything runs."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq
from small_network import CELLS, DT, link, network, refused, run

from myoloop.data import Signal
from myoloop.network import CurrentInjection, Network, PoissonSource, Uniform


@pytest.mark.parametrize(
    "duration", [0.0, -1.0, float("nan"), float("inf"), "5 mV", "x", None, [1.0], 3 * pq.nA]
)
def test_a_duration_that_is_none_is_refused(duration):
    refused(r"^simulate\.duration_s: ", run, duration_s=duration)


def test_a_duration_may_be_a_quantity():
    for duration in (10 * pq.ms, "10 ms", 0.01):
        assert run(duration_s=duration).spikes["MN"].t_stop_s == pytest.approx(0.01)


def test_clocks_that_do_not_divide_are_refused_with_both_numbers():
    refused(
        r"^simulate\.duration_s: 0\.0105 s is not a whole number of windows of 1 ms; give 0\.01 s",
        run,
        duration_s=0.0105,
    )
    refused(
        r"^Simulation\.window_ms: 0\.55 ms is not a whole number of steps of dt_ms = 0\.1; give 0\.\d+",
        run,
        window_ms=0.55,
    )
    refused(
        r"^Projection IN->MN\.delay_ms: 1\.05 ms is not a whole number of steps of dt_ms = 0\.1",
        run,
        network(link(delay_ms=1.05)),
    )


def test_a_delay_below_one_window_or_step_is_refused():
    refused(
        r"^Projection IN->MN\.delay_ms: 1 ms is below one window of 2 ms; give a longer delay",
        run,
        window_ms=2.0,
    )
    refused(
        r"^Projection IN->MN\.delay_ms: 0 was given; give a finite number in ms above 0", link, delay_ms=0.0
    )
    refused(
        r"^Projection IN->MN\.delay_ms: a delay of 0 ms; give 0\.1 \(one step\)",
        run,
        network(link(delay_ms=Uniform(low=0.0, high=0.02))),
    )
    refused(r"^Projection IN->MN\.delay_ms: a delay of ", run, network(link(delay_ms=1e9)))


@pytest.mark.parametrize("window", [0.0, -1.0, float("nan"), float("inf"), "5 mV", "x", [1.0], 1e8])
def test_a_window_that_is_none_is_refused(window):
    refused(r"^Simulation\.window_ms: ", run, Network([CELLS]), window_ms=window)


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan"), float("inf"), "5 mV", "x", None, [0.1]])
def test_a_step_that_is_none_is_refused(dt):
    refused(r"^Clock\.dt_ms: ", run, dt_ms=dt)


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan"), "x", float("inf")])
def test_a_checkpoint_period_that_is_none_is_refused(every):
    refused(r"^simulate\.checkpoint_every_s: ", run, checkpoint_every_s=every)


@pytest.mark.parametrize("threads", [0, -1, 1.5, None, True, 10_000])
def test_a_number_of_threads_that_the_machine_has_not_is_refused(threads):
    refused(r"^threads: .* was given; give .*1 to ", run, threads=threads)


def test_a_drive_that_is_shorter_than_the_run_is_refused_before_it_begins():
    short = Signal(np.ones(90), 1000.0, "pps")
    rate = Network([PoissonSource("IN", 3, rate_pps=short)])
    refused(
        r"^IN\.rate_pps: the signal covers 0 to 0\.09 s of a run of 0\.1 s; give a signal as long",
        run,
        rate,
        0.1,
    )
    current = network(currents=[CurrentInjection("MN", short)])
    refused(r"^CurrentInjection\(MN\)\.current_nA: the signal covers 0 to 0\.09 s", run, current, 0.1)
    assert run(rate, 0.09).status == "complete"


def test_a_drive_that_ends_stops_a_closed_loop_there():
    sim = Network([PoissonSource("IN", 3, rate_pps=Signal(np.ones(90), 1000.0, "pps"))]).start(dt_ms=DT)
    for _ in range(90):
        sim.step()
    refused(r"^IN\.rate_pps: the signal ends before 0\.091 s", sim.step)


def test_a_drive_that_begins_late_is_refused():
    late = Signal(np.ones(200), 1000.0, "pps", 0.05)
    refused(
        r"^IN\.rate_pps: the signal begins at 0\.05 s", run, Network([PoissonSource("IN", 3, rate_pps=late)])
    )


def test_a_signal_of_another_number_of_channels_is_refused():
    refused(
        r"^PoissonSource\.rate_pps: a signal of 2 channels for 3 units",
        PoissonSource,
        "IN",
        3,
        rate_pps=Signal(np.ones((9, 2)), 10.0),
    )
