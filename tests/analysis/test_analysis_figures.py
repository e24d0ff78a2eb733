"""Figures of analyses are data that say what was found, and can be drawn."""

import numpy as np
import pytest
from trains import poisson, regular

from myoloop.analysis import (
    HannRate,
    bland_altman,
    delta_f,
    draw_action_potentials,
    draw_back_to_back,
    draw_coherence,
    draw_delta_f,
    draw_discharges,
    intramuscular_coherence,
    pooled_coherence,
    smoothed_rates,
)
from myoloop.data import ActionPotentials, Electrodes, Level, Raster, Signal, SpikeTrains
from myoloop.errors import ParameterError
from myoloop.viz import save


def ramp_rate(t):
    return 6.0 + 10.0 * (1.0 - (t / 10.0 - 1.0) ** 2)


RAMP = SpikeTrains.from_trains(
    [regular(ramp_rate, 0.0, 20.0), regular(lambda t: 0.7 * ramp_rate(t), 4.0, 18.0), []], 20.0
)
FORCE = Signal(np.linspace(0.0, 30.0, 2001), 100.0, "% MVC")
POTENTIALS = ActionPotentials(np.random.default_rng(0).standard_normal((3, 6, 40)), 2048.0, -20 / 2048.0)
GRID = Electrodes(
    np.stack([np.arange(6) % 2 * 8.0, np.zeros(6), np.arange(6) // 2 * 8.0], axis=1),
    place=np.stack([np.arange(6) // 2, np.arange(6) % 2], axis=1),
)


def drawn(figure, tmp_path):
    png, svg = save(figure, tmp_path)
    return png.stat().st_size > 1000 and svg.stat().st_size > 1000


def test_discharges_with_force_and_rates(tmp_path):
    figure = draw_discharges(RAMP, FORCE, smoothed_rates(RAMP))
    assert any(isinstance(layer, Raster) for layer in figure.panels[0].layers)
    assert "2 active of 3 units" in figure.caption
    assert "20 pps apart" in figure.panels[1].y_label
    assert drawn(figure, tmp_path)


@pytest.mark.parametrize(
    "spikes", [SpikeTrains.from_trains([[]], 1.0), SpikeTrains.from_trains([[0.5]], 1.0)]
)
def test_discharges_of_silence(spikes, tmp_path):
    assert drawn(draw_discharges(spikes, rates=smoothed_rates(spikes, HannRate())), tmp_path)


def test_action_potentials_have_each_channel_at_its_place(tmp_path):
    figure = draw_action_potentials(POTENTIALS, GRID)
    assert len(figure.panels) == 3
    line = figure.panels[1].layers[3]
    assert np.abs(line.x - 2.0).max() < 0.5
    assert line.y.mean() == pytest.approx(2.0, abs=0.5)
    assert drawn(figure, tmp_path)
    assert len(draw_action_potentials(POTENTIALS, Electrodes(GRID.position_mm), [2]).panels) == 1
    with pytest.raises(ParameterError, match="unit 7 of 3"):
        draw_action_potentials(POTENTIALS, GRID, [7])
    with pytest.raises(ParameterError, match="2 channels for potentials on 6"):
        draw_action_potentials(POTENTIALS, GRID.select([0, 1]))


def test_coherence_with_its_limit(tmp_path):
    spikes = poisson(lambda t: 12.0, 6, 30.0, 0)
    found = intramuscular_coherence(spikes)
    figure = draw_coherence(found)
    levels = [layer for layer in figure.panels[0].layers if isinstance(layer, Level)]
    assert [level.value for level in levels] == [found.limit]
    assert "beta (15 to 35 Hz)" in figure.caption
    assert drawn(draw_coherence(pooled_coherence(spikes)), tmp_path)
    with pytest.raises(ParameterError, match="none was given"):
        draw_coherence([])


def test_delta_f_pair(tmp_path):
    rates = smoothed_rates(RAMP)
    found = delta_f(RAMP, rates)
    figure = draw_delta_f(RAMP, rates, found)
    assert f"{found.delta_f_pps[0]:.2f} pps (accepted)" in figure.caption
    assert figure.panels[0].title == "Control unit 0"
    assert drawn(figure, tmp_path)
    with pytest.raises(ParameterError, match="pair 3 of 1"):
        draw_delta_f(RAMP, rates, found, 3)
    alone = RAMP.select([0])
    with pytest.raises(ParameterError, match="no pair"):
        draw_delta_f(alone, smoothed_rates(alone), delta_f(alone, smoothed_rates(alone)))


def test_two_decompositions_back_to_back(tmp_path):
    other = RAMP.delayed(0.05)
    figure = draw_back_to_back(RAMP, other, (POTENTIALS, POTENTIALS), ("here", "there"))
    assert len(figure.panels) == 3
    assert [layer.label for layer in figure.panels[0].layers] == ["here", "there"]
    assert drawn(figure, tmp_path)
    with pytest.raises(ParameterError, match="2 units against 3"):
        draw_back_to_back(RAMP, other.select([0, 1]))
    with pytest.raises(ParameterError, match="on the same channels"):
        draw_back_to_back(RAMP, other, (POTENTIALS, POTENTIALS.select([0])))
    silent = SpikeTrains.from_trains([[]], 1.0)
    assert drawn(draw_back_to_back(silent, silent), tmp_path)


def test_limits_of_agreement_hold_95_percent_of_the_differences():
    rng = np.random.default_rng(0)
    first = rng.uniform(5, 20, 4000)
    found = bland_altman(first, first + 0.3 + 0.5 * rng.standard_normal(4000))
    assert found.bias == pytest.approx(0.3, abs=0.03)
    assert (found.lower, found.upper) == pytest.approx((0.3 - 0.98, 0.3 + 0.98), abs=0.05)
    inside = (found.difference > found.lower) & (found.difference < found.upper)
    assert inside.mean() == pytest.approx(0.95, abs=0.015)


def test_agreement_by_hand_and_of_little():
    found = bland_altman([1.0, 2.0, np.nan], [2.0, 5.0, 1.0])
    assert found.mean.tolist() == [1.5, 3.5]
    assert found.difference.tolist() == [1.0, 3.0]
    assert found.upper - found.bias == pytest.approx(1.96 * np.sqrt(2.0))
    assert np.isnan(bland_altman([1.0], [2.0]).lower)
    with pytest.raises(ParameterError, match="one value of each"):
        bland_altman([1.0], [1.0, 2.0])
    with pytest.raises(ParameterError, match="no pair of finite values"):
        bland_altman([np.nan], [1.0])
