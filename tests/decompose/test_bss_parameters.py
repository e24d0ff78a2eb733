"""Parameters of the blind separation: by name, checked, plain in a file."""

import pytest

from myoloop.decompose import ConvolutiveBSS, Decomposer, Preprocessing, Skewness, Swarm
from myoloop.errors import ParameterError, UnknownNameError


def test_parameters_by_name():
    bss = ConvolutiveBSS(rounds=7, seed=3)
    assert isinstance(bss, Decomposer)
    assert bss.get_params()["rounds"] == 7
    twin = ConvolutiveBSS(**bss.get_params())
    assert twin.get_params() == bss.get_params()
    assert bss.set_params(rounds=2, contrast=Skewness()) is bss
    assert (bss.rounds, bss.contrast, bss.seed) == (2, Skewness(), 3)
    assert twin.rounds == 7


def test_unknown_and_bad_parameters_are_refused_and_change_nothing():
    bss = ConvolutiveBSS()
    before = bss.get_params()
    with pytest.raises(UnknownNameError, match="rounds"):
        bss.set_params(seed=1, round=3)
    with pytest.raises(ParameterError, match=r"ConvolutiveBSS\.starts"):
        bss.set_params(seed=1, starts=0)
    assert bss.get_params() == before
    with pytest.raises(TypeError):
        ConvolutiveBSS(round=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lags", 0),
        ("lags", 2.5),
        ("lags", "many"),
        ("lags", True),
        ("preprocessing", None),
        ("rounds", 0),
        ("starts", 1.5),
        ("iterations", 0),
        ("loud_share", 0.0),
        ("loud_share", 1.1),
        ("ridge", 0.0),
        ("ridge", float("nan")),
        ("before_ms", 0.0),
        ("least_sil", 1.5),
        ("most_cov", -1.0),
        ("least_spikes", 1),
        ("alike", 0.0),
        ("seed", -1),
        ("seed", None),
        ("contrast", 3),
        ("contrast", Skewness),
    ],
)
def test_each_parameter_is_checked(field, value):
    with pytest.raises(ParameterError) as caught:
        ConvolutiveBSS(**{field: value})
    assert caught.value.field == f"ConvolutiveBSS.{field}"


def test_presets_are_changes_of_the_default():
    quality, inside = ConvolutiveBSS.quality(), ConvolutiveBSS.intramuscular()
    plain = ConvolutiveBSS()
    assert quality.rounds * quality.starts > plain.rounds * plain.starts
    assert inside.preprocessing == Preprocessing.intramuscular()
    assert inside.before_ms + inside.after_ms < 10
    assert ConvolutiveBSS.quality(seed=4, rounds=5).get_params()["rounds"] == 5
    assert ConvolutiveBSS.intramuscular(before_ms=2.0).before_ms == 2.0


def test_parameters_are_plain_in_a_file():
    about = ConvolutiveBSS(contrast=Swarm()).to_dict()
    assert about["method"] == "ConvolutiveBSS"
    assert about["preprocessing"]["low_hz"] == 20.0
    assert len(about["contrast"]["members"]) == 6
