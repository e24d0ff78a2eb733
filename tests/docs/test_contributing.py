"""The worked example of CONTRIBUTING works: a neuron in one file."""

from pathlib import Path

import numpy as np
import pytest
from blocks import code_blocks, run_blocks

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def model():
    (block,) = code_blocks(PAGE, "python")
    assert "from ..kernels" in block  # as it stands in the package; here it stands outside
    return run_blocks(PAGE, [block.replace("from ..", "from myoloop.")])["AdEx"]


@pytest.mark.parametrize("precision", ["single", "double"])
def test_it_fires_and_adapts(model, precision):
    from myoloop import network, simulate

    cells = network.Population("cells", model(n=3))
    current = network.CurrentInjection("cells", [0.5, 0.7, 1.0])
    run = simulate(
        network.Network([cells], currents=[current]), duration_s=1, dt_ms=0.05, precision=precision
    )
    silent, slow, fast = run.spikes["cells"].counts
    intervals = np.diff(run.spikes["cells"][2])

    assert silent == 0
    assert 0 < slow < fast
    assert intervals[-1] > 1.5 * intervals[0]


def test_it_takes_synapses(model):
    from myoloop import network, simulate

    drive = network.PoissonSource("drive", 1, rate_pps=20.0)
    synapses = network.Projection(
        "drive",
        "cells",
        network.one_to_one(),
        weight_mV=60.0,
        synapse=network.Delta(),
    )
    cells = network.Population("cells", model(n=1))
    run = simulate(network.Network([drive, cells], [synapses]), duration_s=1, dt_ms=0.05, seed=3)

    arrived = (run.spikes["drive"].times_s < 0.998).sum()
    assert 0.5 * arrived < run.spikes["cells"].counts[0] <= arrived
