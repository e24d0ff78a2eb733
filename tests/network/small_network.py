"""A small network to be given bad input."""

from __future__ import annotations

import pytest

from myoloop.errors import ParameterError
from myoloop.network import Exponential, Network, PoissonSource, Population, Projection, all_to_all, simulate
from myoloop.neurons import LIF

DT = 0.1
SOURCE, CELLS = PoissonSource("IN", 3, rate_pps=5.0), Population("MN", LIF(n=2))


def link(**how):
    return Projection("IN", "MN", all_to_all(), **{"weight_uS": 0.1, "synapse": Exponential(), **how})


def network(*projections, **parts):
    return Network([SOURCE, CELLS], projections or [link()], **parts)


def run(net=None, duration_s=0.01, **options):
    return simulate(net or network(), duration_s, **{"dt_ms": DT, **options})


def refused(message, make, *args, error=ParameterError, **how):
    with pytest.raises(error, match=message):
        make(*args, **how)
