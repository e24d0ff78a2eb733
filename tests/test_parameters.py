"""Parameter classes hold nothing that their fields do not allow, whatever they are given."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest
import quantities as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myoloop import io, muscle, network, neurons, studies
from myoloop.data import Signal, SpikeTrains
from myoloop.errors import MyoloopError, ParameterError, UnknownNameError
from myoloop.parameters import Parameters, choice, count, number, plain

ROOMS = (io, muscle, network, neurons, studies)
TRAINS = SpikeTrains.from_trains([[0.1, 0.2], []], 1.0)
LIF = neurons.LIF(n=3)

# How to make one of each class that has fields without a default.
RECIPES = {
    "CurrentInjection": lambda cls: cls("MN", 1.0),
    "FuglevandPool": lambda cls: cls(),
    "FuglevandForce": lambda cls: cls([0.1, 0.2, 1.0]),
    "GammaSource": lambda cls: cls("IN", 3, rate_pps=10.0),
    "Network": lambda cls: cls([network.Population("MN", LIF)]),
    "Normal": lambda cls: cls(mean=2.0, sd=1.0, low=0.1),
    "PoissonSource": lambda cls: cls("IN", 3, rate_pps=10.0),
    "Population": lambda cls: cls("MN", LIF),
    "Probe": lambda cls: cls("MN", "v_soma", [0]),
    "Projection": lambda cls: cls("IN", "MN", network.all_to_all(), weight_uS=0.1),
    "Ramp": lambda cls: cls(to_nA=1.0, stop_s=1.0),
    "ReplaySource": lambda cls: cls("IN", spikes=TRAINS),
    "Sawtooth": lambda cls: cls(high_nA=1.0, frequency_hz=1.0),
    "Sine": lambda cls: cls(amplitude_nA=1.0, frequency_hz=1.0),
    "Step": lambda cls: cls(amplitude_nA=1.0),
    "Trapezoid": lambda cls: cls(amplitude_nA=1.0, plateau_s=1.0, fall_s=2.0, end_s=3.0),
    "Uniform": lambda cls: cls(low=0.0, high=1.0),
}


def public_parameter_classes() -> list[type]:
    found = {}
    for room in ROOMS:
        values = [getattr(room, name) for name in room.__all__]
        for value in [*values, *(study.parameters for study in studies.STUDIES.values())]:
            if inspect.isclass(value) and issubclass(value, Parameters) and not inspect.isabstract(value):
                found[value.__name__] = value
    return [found[name] for name in sorted(found)]


CLASSES = public_parameter_classes()
CONNECTIVITIES = [
    network.random(0.5),
    network.one_to_one(),
    network.all_to_all(),
    network.from_matrix(np.eye(2)),
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.sampled_from(
        ["0.8 cm", "5 ms", "3 nA", "nan", "1e999", "²", "+-5", "5", 0.8 * pq.cm, 5 * pq.ms, 10**400]
    ),
    st.sampled_from([np.float32(np.nan), np.int8(3), np.array(2.0), np.array("x"), np.datetime64("NaT")]),
    st.sampled_from([object(), int, len, TRAINS, LIF, Signal(np.zeros(3), 10.0), CONNECTIVITIES[0]]),
)
junk = st.one_of(
    scalars,
    st.lists(scalars, max_size=4),
    st.lists(st.floats(), min_size=1, max_size=4).map(np.array),
    st.dictionaries(st.text(max_size=3), scalars, max_size=2),
    st.tuples(scalars, scalars),
    st.sampled_from([np.eye(2), np.array([1, None]), np.array([1j]), [[1.0], [2.0, 3.0]], set()]),
)


def holds_nan(value: object) -> bool:
    if isinstance(value, Parameters | Signal):
        return any(holds_nan(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, float | np.floating | np.ndarray):
        array = np.asarray(value)
        return array.dtype.kind == "f" and bool(np.any(np.isnan(array)))
    return isinstance(value, list | tuple) and any(holds_nan(item) for item in value)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_junk_gives_a_valid_object_or_a_myoloop_error(cls, data):
    valid = RECIPES.get(cls.__name__, lambda cls: cls())(cls)
    field = data.draw(st.sampled_from([f.name for f in dataclasses.fields(valid) if f.init]))
    value = data.draw(junk)
    try:
        made = valid.replace(**{field: value})
    except MyoloopError as error:
        assert str(error)
        return
    assert not holds_nan(made)
    json.dumps(made.to_dict())


@pytest.mark.parametrize("value", CONNECTIVITIES, ids=lambda value: type(value).__name__)
@settings(max_examples=60, deadline=None)
@given(junk=junk)
def test_junk_in_a_connectivity_gives_a_valid_one_or_a_myoloop_error(value, junk):
    for field in dataclasses.fields(value):
        with suppress(MyoloopError):
            assert not holds_nan(value.replace(**{field.name: junk}))


@dataclass(frozen=True, kw_only=True)
class Toy(Parameters):
    n: int = count(3)
    rate_hz: float = number(2.0, above=0, at_most=10)
    tau_ms: float = number(None, optional=True, at_least=0, below=5)
    sizes_um: np.ndarray = number(1.0, per_unit=True, above=0)
    mode: str = choice("plain", ("plain", "fancy"))


def test_one_is_a_valid_count():
    assert Toy(n=1).n == Toy(n="1").n == Toy(n=1.0).n == Toy(n=np.int64(1)).n == 1


@pytest.mark.parametrize(
    "n", [0, -1, 1.5, "1.5", "²", "+-5", "", True, None, float("nan"), float("inf"), [1], 2**63]
)
def test_a_count_that_is_none_is_refused(n):
    with pytest.raises(ParameterError, match=r"^Toy\.n: .* was given; give a whole number of at least 1$"):
        Toy(n=n)


@pytest.mark.parametrize(
    ("field", "value"), [("rate_hz", 0), ("rate_hz", 10.1), ("tau_ms", -1), ("tau_ms", 5)]
)
def test_a_number_outside_its_bounds_is_refused_and_the_bounds_are_named(field, value):
    with pytest.raises(
        ParameterError, match=rf"^Toy\.{field}: {value} was given; give a finite number in .*"
    ):
        Toy(**{field: value})


def test_bounds_themselves_belong_where_they_should():
    assert Toy(rate_hz=10).rate_hz == 10.0
    assert Toy(tau_ms=0).tau_ms == 0.0
    assert Toy().tau_ms is None


def test_an_array_is_copied_and_cannot_be_changed():
    sizes = np.array([1.0, 2.0])
    toy = Toy(sizes_um=sizes)
    sizes[0] = -1.0
    assert toy.sizes_um[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        toy.sizes_um[0] = 3.0


@pytest.mark.parametrize("sizes", [[1.0, np.nan], [1.0, -2.0], [], [[1.0]], ["a"]])
def test_an_array_with_one_bad_value_is_refused(sizes):
    with pytest.raises(ParameterError, match=r"^Toy\.sizes_um: "):
        Toy(sizes_um=sizes)


def test_an_array_for_a_single_number_is_refused():
    with pytest.raises(ParameterError, match=r"^Toy\.rate_hz: an array of shape \(2,\) was given"):
        Toy(rate_hz=[1.0, 2.0])


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match=r"^Toy: no 'rate'; did you mean 'rate_hz'\? known are "):
        Toy().replace(rate=3)
    with pytest.raises(UnknownNameError, match=r"^Toy\.mode: no 'fancyy'; did you mean 'fancy'\? "):
        Toy(mode="fancyy")
    with pytest.raises(UnknownNameError, match=r"^Toy\.mode: no 3; known are fancy, plain$"):
        Toy(mode=3)


def test_every_error_is_also_the_standard_exception_and_survives_pickling():
    import pickle

    for error in (ParameterError("A.b", "is wrong", "mend it"), UnknownNameError("A.b", "x", ["y"])):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
    assert issubclass(ParameterError, ValueError)
    assert issubclass(UnknownNameError, LookupError)


def test_plain_values_are_json_and_hold_the_name_of_the_model():
    toy = Toy(sizes_um=[1.0, 2.0]).to_dict()
    assert json.loads(json.dumps(toy)) == {
        "model": "Toy", "n": 3, "rate_hz": 2.0, "tau_ms": None, "sizes_um": [1.0, 2.0], "mode": "plain",
    }  # fmt: skip
    assert plain({"f": np.sin, "x": np.float32(1.5), "nan": float("nan")}) == {
        "f": "sin",
        "x": 1.5,
        "nan": None,
    }


def test_every_room_that_is_checked_exists():
    for room in ROOMS:
        assert importlib.import_module(room.__name__) is room
