"""Recordings that every format is tried with, and what it means that two are equal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myoloop.data import (
    ActionPotentials,
    ContactCloud,
    Disc,
    Electrodes,
    GroundTruth,
    PointContact,
    Recording,
    Rectangle,
    Signal,
    SpikeTrains,
)
from myoloop.parameters import plain


def grid(rows: int = 3, columns: int = 4, **about) -> Electrodes:
    r, c = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    place = np.stack([r.ravel(), c.ravel()], axis=1)
    position = np.stack([place[:, 1] * 8.1, 0.1 * place[:, 0], place[:, 0] * 8.3], axis=1)
    return Electrodes(position, about.pop("contact", Disc(radius_mm=1.5)), place=place, pitch_mm=8.2, **about)


def truth(n_channels: int, t_start_s: float = 0.0, dtype=np.float32) -> GroundTruth:
    rng = np.random.default_rng(5)
    trains = [np.sort(t_start_s + rng.uniform(0, 1, n)) for n in (7, 0, 3, 1)]
    spikes = SpikeTrains.from_trains(
        trains,
        t_start_s + 1.25,
        t_start_s,
        name="MN",
        annotations={"threshold": np.linspace(0, 1, 4) ** 2, "kind": np.array(["S", "FR", "FF", "S"])},
    )
    values = rng.normal(size=(4, n_channels, 20)).astype(dtype)
    return GroundTruth(spikes, ActionPotentials(values, 2048.0, -0.0021), about={"fat_mm": 3.0, "seed": 4})


def whole(
    dtype=np.float32, samples: int = 2048, t_start_s: float = 0.0, rate_hz: float = 2048.0
) -> Recording:
    """Twelve monopolar channels with all there is."""
    rng = np.random.default_rng(1)
    electrodes = grid()
    bad = np.zeros(12, dtype=bool)
    bad[[2, 7]] = True
    return Recording(
        (rng.normal(size=(12, samples)) * 10.0 ** rng.uniform(0, 4, (12, 1))).astype(dtype),
        rate_hz,
        electrodes,
        truth(12, t_start_s),
        t_start_s=t_start_s,
        bad=bad,
        auxiliary=(
            Signal(rng.normal(size=200).astype(np.float32), 100.0, "N", t_start_s + 0.01, "force"),
            Signal(
                rng.normal(size=(30, 2)), 1000 / 3, "deg", name="force", channels=("x", "y"), about={"a": 1}
            ),
            Signal(rng.normal(size=5), 2.0),
        ),
        about={"muscle": "tibialis anterior", "gains": [1, 2.5]},
    )


def derived() -> Recording:
    """Bipolar, in the muscle, with contacts of every shape, names of one's own, and no truth."""
    shapes = (
        PointContact(),
        Disc(radius_mm=0.2),
        Rectangle(across_mm=1, along_mm=2, angle_deg=30),
        ContactCloud(offset_mm=[[0, 0, 0.1], [0.3, 0, 0]], weight=[0.25, 0.75]),
    )
    position = np.random.default_rng(2).normal(size=(4, 3))
    matrix = np.array([[1, -1, 0, 0], [0, 1, -0.5, -0.5], [0, 0, 0, 1]])
    electrodes = Electrodes(position, shapes, matrix, ("a b", "c'ü", "d" * 30), intramuscular=True)
    return Recording(np.random.default_rng(3).normal(size=(3, 512)), 10240.0, electrodes)


def bare() -> Recording:
    """Samples, and nothing else."""
    return Recording(np.random.default_rng(4).normal(size=(2, 640)), 2000.0)


def gaps(given: Recording) -> Recording:
    values = given.values_uV.copy()
    values[3], values[4, 100:200], values[5, -1] = np.nan, np.nan, np.nan
    return replace(given, values_uV=values)


def assert_same_electrodes(given: Electrodes | None, back: Electrodes | None) -> None:
    if given is None or back is None:
        assert given is back
        return
    np.testing.assert_array_equal(given.position_mm, back.position_mm)
    np.testing.assert_array_equal(given.matrix, back.matrix)
    assert [plain(shape) for shape in given.shapes] == [plain(shape) for shape in back.shapes]
    assert (given.names, given.intramuscular, given.pitch_mm) == (
        back.names, back.intramuscular, back.pitch_mm,
    )  # fmt: skip
    assert (given.place is None) == (back.place is None)
    if given.place is not None:
        np.testing.assert_array_equal(given.place, back.place)


def assert_same_truth(given: GroundTruth | None, back: GroundTruth | None, same_spikes) -> None:
    if given is None or back is None:
        assert given is back
        return
    same_spikes(given.spikes, back.spikes)
    assert given.about == back.about
    assert_same_potentials(given.action_potentials, back.action_potentials)
    assert (given.path is None) == (back.path is None)
    if given.path is not None:
        np.testing.assert_array_equal(given.path.knots, back.path.knots)
        assert_same_signal(given.path.coordinate, back.path.coordinate)
        for one, other in zip(given.path.potentials, back.path.potentials, strict=True):
            assert_same_potentials(one, other)


def assert_same_potentials(given: ActionPotentials | None, back: ActionPotentials | None) -> None:
    assert (given is None) == (back is None)
    if given is not None:
        assert given.values_uV.dtype == back.values_uV.dtype
        np.testing.assert_array_equal(given.values_uV, back.values_uV)
        assert (given.rate_hz, given.t_start_s, given.channels) == (
            back.rate_hz, back.t_start_s, back.channels,
        )  # fmt: skip


def assert_same_signal(given: Signal, back: Signal) -> None:
    assert given.values.dtype == back.values.dtype
    np.testing.assert_array_equal(given.values, back.values)
    for field in ("rate_hz", "units", "t_start_s", "name", "channels", "about"):
        assert getattr(given, field) == getattr(back, field), field


def assert_same_but_samples(given: Recording, back: Recording, same_spikes) -> None:
    assert given.values_uV.dtype == back.values_uV.dtype
    assert given.values_uV.shape == back.values_uV.shape
    np.testing.assert_array_equal(np.isnan(given.values_uV), np.isnan(back.values_uV))
    assert (given.rate_hz, given.t_start_s, given.channels, given.about) == (
        back.rate_hz, back.t_start_s, back.channels, back.about,
    )  # fmt: skip
    np.testing.assert_array_equal(given.bad, back.bad)
    assert_same_electrodes(given.electrodes, back.electrodes)
    assert_same_truth(given.truth, back.truth, same_spikes)
    assert len(given.auxiliary) == len(back.auxiliary)
    for one, other in zip(given.auxiliary, back.auxiliary, strict=True):
        assert_same_signal(one, other)


def assert_same_recording(given: Recording, back: Recording, same_spikes) -> None:
    assert_same_but_samples(given, back, same_spikes)
    np.testing.assert_array_equal(given.values_uV, back.values_uV)
