"""The counter-based generator gives the published numbers, and its draws have their distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from myoloop.kernels._philox import gamma_interval, philox, uniform_pair

# Random123 1.14, tests/kat_vectors: counter words 0-3, key words 0-1, output words 0-3 of philox4x32-10.
KNOWN = [
    "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
]


def wide(low: int, high: int) -> np.uint64:
    return np.uint64(low | (high << 32))


@pytest.mark.parametrize("line", KNOWN)
def test_philox_gives_the_published_known_answers(line):
    c0, c1, c2, c3, k0, k1, *expected = (int(word, 16) for word in line.split())
    low, high = philox(wide(k0, k1), wide(c2, c3), wide(c0, c1))
    words = [int(word) >> shift & 0xFFFFFFFF for word in (low, high) for shift in (0, 32)]
    assert [f"{word:08x}" for word in words] == [f"{word:08x}" for word in expected]


def test_uniform_numbers_lie_strictly_between_0_and_1():
    pairs = np.array([uniform_pair(np.uint64(3), unit, draw) for unit in range(40) for draw in range(250)])
    assert pairs.min() > 0.0
    assert pairs.max() < 1.0
    assert stats.kstest(pairs.ravel(), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.05


@pytest.mark.parametrize("shape", [1.0, 1.5, 10.0, 145.0])
def test_intervals_are_gamma_numbers_of_mean_1(shape):
    drawn = [gamma_interval(np.uint64(9), unit, 0, shape)[0] for unit in range(4000)]
    assert stats.kstest(drawn, "gamma", (shape, 0.0, 1.0 / shape)).pvalue > 0.01


@pytest.mark.parametrize("shape", [1.0, 10.0])
def test_the_next_free_draw_lies_beyond_all_that_were_used(shape):
    draw, seen = 0, []
    for _ in range(200):
        number, after = gamma_interval(np.uint64(9), 4, draw, shape)
        assert after > draw
        seen.append(number)
        draw = after
    assert len(set(seen)) == 200
