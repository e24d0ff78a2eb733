"""``myoloop emg``: EMG from spikes that the user already has."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_commands import one_error

from myoloop.cli import _emg_write
from myoloop.cli._emg_noise import noise_of
from myoloop.cli._emg_setup import ELECTRODES, anatomy_of, electrode_named, electrodes_of
from myoloop.data import SpikeTrains
from myoloop.emg import EMG, SurfaceGrid, WhiteNoise
from myoloop.io import read_recording
from myoloop.studies._emg_statistics import PassingEMG
from myoloop.studies.emg import emg_from_spikes, fibres_of

FDI = "first_dorsal_interosseous"
N_UNITS, STOP_S = 6, 2.5
SMALL = ("--set", "muscle.n_fibres=1200", "--set", "muscle.largest_territory=none")


def small_anatomy():
    """What SMALL makes of the muscle."""
    anatomy = anatomy_of(FDI, None)
    return anatomy.replace(muscle=anatomy.muscle.replace(n_fibres=1200, largest_territory=None))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Kernel tables of this module only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.mktemp("tables")))
        yield


@pytest.fixture(autouse=True)
def figures(request, monkeypatch):
    """Leave out the figures, which take seconds to draw, but where a test is about them."""
    if "figures" not in request.function.__name__:
        monkeypatch.setattr("myoloop.studies.emg.emg_figures", lambda *_: ())


@pytest.fixture
def spikes(tmp_path):
    """Text file of a pool of which the last two units never fired."""
    lines = ["unit,time_s"]
    for unit in range(N_UNITS - 2):
        lines += [f"{unit},{time:.5f}" for time in np.arange(0.1 + 0.013 * unit, STOP_S, 0.11)]
    path = tmp_path / "spikes.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def emg(myoloop, spikes):
    """Run ``myoloop emg`` on a small muscle; options given later win."""

    def run(out, *args, electrodes="grid-4x3", muscle=FDI):
        named = ["--muscle", muscle, "--electrodes", electrodes, "--units", N_UNITS, "--t-stop-s", STOP_S]
        return myoloop("emg", spikes, *named, *SMALL, "--out", out, *args)

    return run


def metrics(folder):
    return json.loads(Path(folder, "metrics.json").read_text())


def test_numbers_figures_and_report_are_written(emg):
    result = emg("new", "--pitch-mm", 4)
    assert result.exit_code == 0, result.output
    assert "new/report.html" in result.stdout
    assert "EMG: " in result.stderr
    found = metrics("new")
    assert (found["units"], found["active_units"], found["channels"]) == (N_UNITS, N_UNITS - 2, 12)
    assert set(found["wall_s"]) == {"geometry", "action_potentials", "synthesis"}
    assert found["muap_peak_uV"]["min"] > 0
    provenance = json.loads(Path("new/provenance.json").read_text())
    assert provenance["source"]["file"] == "spikes.csv"
    assert provenance["anatomy"]["muscle"]["n_fibres"] == 1200
    assert provenance["seed"] == 1
    names = (
        "overview",
        "emg",
        "spectrum",
        "action-potentials",
        "maps",
        "amplitudes",
        "territories",
        "electrodes",
    )
    for name in names:
        assert Path(f"new/figures/{name}.png").stat().st_size > 0
    page = Path("new/report.html").read_text()
    assert page.count("<img") == len(names)
    assert len(Path("new/units.tsv").read_text().splitlines()) == N_UNITS + 1


def test_both_formats_hold_what_the_library_makes(emg, spikes):
    """The command is the library's calls in the same order: equal to the bit in NWB."""
    from myoloop.io import read_spikes
    from myoloop.muscle import recruitment_thresholds

    assert emg("new", "--pitch-mm", 4, "--noise", "white=3", "--seed", 5).exit_code == 0
    anatomy = small_anatomy()
    grid = SurfaceGrid(rows=4, columns=3, pitch_mm=4)
    fibres = anatomy.muscle.fibres(recruitment_thresholds(N_UNITS, anatomy.ratio, "konstantin"), seed=5)
    model = EMG(fibres=fibres, conductor=anatomy.conductor, electrodes=grid.on(anatomy.conductor))
    trains = read_spikes(spikes, n_units=N_UNITS, t_stop_s=STOP_S)
    noise = noise_of(["white=3"], None)
    wanted = model.record(trains, noise=noise, seed=5)
    nwb = read_recording("new/recording.nwb")
    np.testing.assert_array_equal(nwb.values_uV, wanted.values_uV)
    np.testing.assert_array_equal(nwb.truth.spikes.times_s, trains.times_s)
    np.testing.assert_array_equal(
        nwb.truth.action_potentials.values_uV, wanted.truth.action_potentials.values_uV
    )
    bids = read_recording("new/bids")
    step = np.ptp(wanted.values_uV, axis=1).max() / 2**23
    np.testing.assert_allclose(bids.values_uV, wanted.values_uV, rtol=0, atol=2 * step + 1e-4)
    assert metrics("new")["emg_rms_uV"]["max"] == pytest.approx(
        np.sqrt(np.mean(wanted.values_uV.astype(float) ** 2, axis=1)).max(), rel=1e-6
    )


def test_what_was_written_can_be_used_again(emg, myoloop):
    assert emg("a", "--pitch-mm", 4, "--format", "nwb").exit_code == 0
    args = ["--muscle", FDI, "--electrodes", "grid-4x3", "--pitch-mm", 4, *SMALL]
    result = myoloop("emg", "a/recording.nwb", *args, "--out", "b", "--format", "nwb")
    assert result.exit_code == 0, result.output
    one, two = (read_recording(f"{name}/recording.nwb").values_uV for name in "ab")
    np.testing.assert_array_equal(one, two)


def test_thresholds_that_came_with_the_spikes_are_used_in_any_order():
    """Unit i keeps its number and has the size of threshold i."""
    anatomy = small_anatomy()
    thresholds = np.array([4.0, 1.0, 8.0, 2.0])
    ascending = fibres_of(anatomy, np.sort(thresholds), seed=2)
    given = fibres_of(anatomy, thresholds, seed=2)
    rank = np.argsort(np.argsort(thresholds))
    np.testing.assert_array_equal(given.fibres_per_unit, ascending.fibres_per_unit[rank])
    for unit in range(4):
        np.testing.assert_array_equal(
            given.x_mm[given.unit == unit], ascending.x_mm[ascending.unit == rank[unit]]
        )


def test_dry_skin_needs_no_other_spikes_but_gives_other_amplitudes(emg):
    for skin in ("dry", "prepared"):
        assert emg(skin, "--skin", skin, "--pitch-mm", 4, "--format", "none").exit_code == 0
        assert not Path(skin, "recording.nwb").exists()
        assert not Path(skin, "bids").exists()
    dry, prepared = (metrics(skin)["muap_peak_uV"]["median"] for skin in ("dry", "prepared"))
    assert dry > 1.5 * prepared


def test_snr_is_what_was_asked_for(emg):
    assert emg("clean", "--pitch-mm", 4, "--format", "nwb").exit_code == 0
    assert emg("noisy", "--pitch-mm", 4, "--format", "nwb", "--snr-db", 10).exit_code == 0
    clean, noisy = (read_recording(f"{name}/recording.nwb").values_uV for name in ("clean", "noisy"))
    active = clean[:, 200:]  # from the first spikes on
    ratio = np.mean(active.astype(float) ** 2) / np.mean((noisy - clean).astype(float) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(10, abs=0.2)
    assert metrics("noisy")["snr_db"] == 10


def test_muscle_and_electrodes_from_files(emg):
    Path("muscle.toml").write_text(
        'preset = "first_dorsal_interosseous"\nskin = "dry"\n[muscle]\nvelocity_m_per_s = 5.0\n'
        "largest_territory = 1.0\n[conductor]\nfat_mm = 2\n"
        '[muscle.section]\nclass = "Ellipse"\nhalf_width_mm = 6\nhalf_height_mm = 4\n'
        "y_mm = 8\n"
    )
    Path("grid.toml").write_text(
        'class = "SurfaceGrid"\nrows = 3\ncolumns = 2\npitch_mm = 5\nderivation = "bipolar"\n'
        '[contact]\nclass = "Disc"\nradius_mm = 1\n'
    )
    result = emg("new", "--format", "none", electrodes="grid.toml", muscle="muscle.toml")
    assert result.exit_code == 0, result.output
    anatomy = json.loads(Path("new/provenance.json").read_text())["anatomy"]
    assert anatomy["muscle"]["section"]["half_height_mm"] == 4
    assert anatomy["muscle"]["velocity_m_per_s"] == 5
    assert anatomy["conductor"]["fat_mm"] == 2
    assert anatomy["conductor"]["skin_S_per_m"] < 1e-3
    assert metrics("new")["channels"] == 4


@pytest.mark.parametrize("name", [*ELECTRODES, "grid-5x4", "linear-8", "thin-film-24"])
def test_every_electrode_fits_into_the_hand(name):
    """Named electrodes are placed where they sense the muscle; only a grid too wide for it is refused."""
    anatomy = anatomy_of(FDI, None)
    pitch = 4 if name.startswith("grid") else None
    made, _ = electrodes_of(name, anatomy, pitch)
    contacts = made.on(anatomy.conductor)
    assert contacts.intramuscular == (not isinstance(made, SurfaceGrid))
    if contacts.intramuscular and name != "concentric-needle":
        x, y, _ = contacts.position_mm.T
        assert np.all(anatomy.muscle.section.contains(x, y))
    if "-" in name and name.rsplit("-", 1)[1].isdigit():
        assert contacts.n_contacts == int(name.rsplit("-", 1)[1])


def test_within_the_muscle(emg):
    result = emg("new", "--format", "nwb", "--rate-hz", "12 kHz", electrodes="thin-film-8")
    assert result.exit_code == 0, result.output
    recording = read_recording("new/recording.nwb")
    assert recording.electrodes.intramuscular
    assert recording.rate_hz == 12000
    assert metrics("new")["channels"] == 8


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--muscle", "first_dorsal_interosius"], ["muscle", f"did you mean '{FDI}'"]),
        (["--electrodes", "grid-8by8"], ["electrodes", "did you mean 'grid-8x8'"]),
        (["--electrodes", "grid-3x12"], ["column_pitch_mm", "round the whole limb"]),
        (["--electrodes", "none.toml"], ["none.toml", "no such file"]),
        (["--muscle", "bad.toml"], ["bad.toml", "not TOML"]),
        (["--muscle", "short.toml"], ["preset is missing"]),
        (["--muscle", "typo.toml"], ["did you mean 'diameter_um'"]),
        (["--electrodes", "part.toml"], ["part.toml", "radius_mm is missing"]),
        (["--units", "2"], ["unit"]),
        (["--rate-hz", "900"], ["rate_hz", "sample at"]),
        (["--rate-hz", "2 mm"], ["--rate-hz", "wrong dimension"]),
        (["--skin", "wet"], ["skin", "dry, prepared"]),
        (["--derivation", "bipole"], ["derivation", "did you mean 'bipolar'"]),
        (["--noise", "whit"], ["--noise", "did you mean 'white'"]),
        (["--noise", "white=loud"], ["--noise white"]),
        (["--noise", "white=-1"], ["WhiteNoise.rms_uV"]),
        (["--noise-like", "none.nwb"], ["none.nwb"]),
        (["--jitter-us", "-3"], ["jitter_us"]),
        (["--format", "bidz"], ["--format", "did you mean 'bids'"]),
        (["--format", "bids,edf"], ["one dataset"]),
        (["--set", "fat_mm=2"], ["--set", "known are amplifier"]),
        (["--set", "conductor=2"], ["conductor.field=value"]),
        (["--set", "conductor.fat=2"], ["did you mean 'fat_mm'"]),
        (["--set", "conductor.fat_mm=-2"], ["LayeredCylinder.fat_mm"]),
        (["--set", "electrodes.contact.radius_mm=3"], ["overlaps"]),
        (["--electrodes", "thin-film-8", "--set", "electrodes.depth_mm=40"], ["depth_mm", "out of the limb"]),
        (
            ["--electrodes", "fine-wire", "--set", "electrodes.across_mm=25"],
            ["depth_mm", "within the muscle"],
        ),
        (["--electrodes", "concentric-needle", "--pitch-mm", "1"], ["--pitch-mm"]),
        (["--ratio", "0.5"], ["ratio", "above 1"]),
        (["--thresholds", "none.txt"], ["leave out"]),
    ],
)
def test_bad_input_is_one_error(emg, args, words):
    Path("bad.toml").write_text("[muscle\n")
    Path("short.toml").write_text("[muscle]\n")
    Path("typo.toml").write_text(f'preset = "{FDI}"\n[muscle]\ndiameter = 3\n')
    Path("part.toml").write_text('class = "SurfaceGrid"\n[contact]\nclass = "Disc"\n')
    pitch = [] if "--electrodes" in args else ["--pitch-mm", 4]
    one_error(emg("new", *pitch, *args), *words)
    assert not Path("new").exists()


def test_spikes_that_are_no_numbers_are_refused(myoloop):
    Path("nan.csv").write_text("unit,time_s\n0,0.1\n0,nan\n")
    one_error(myoloop("emg", "nan.csv", "--muscle", FDI, "--electrodes", "pair", "--out", "new"), "nan.csv")
    assert not Path("new").exists()


def test_few_units_in_place_of_a_whole_pool_are_warned_of(myoloop, spikes):
    args = ["--muscle", FDI, "--electrodes", "pair", *SMALL, "--out", "new", "--format", "none"]
    result = myoloop("emg", spikes, *args)
    assert result.exit_code == 0, result.output
    assert "--units 120" in result.stderr
    assert "--units 120" in Path("new/report.html").read_text()


def test_an_existing_folder_is_refused_before_the_work(emg):
    Path("new").mkdir()
    Path("new/mine.txt").write_text("precious")
    one_error(emg("new", "--pitch-mm", 4), "new", "--out")
    assert len(list(Path("new").iterdir())) == 1


def test_an_interruption_keeps_the_samples_so_far(emg, monkeypatch):
    blocks = EMG.blocks

    def interrupted(self, *args, **options):
        for number, block in enumerate(blocks(self, *args, **options)):
            if number == 2:
                raise KeyboardInterrupt
            yield block

    monkeypatch.setattr(EMG, "blocks", interrupted)
    result = emg("new", "--pitch-mm", 4)
    assert result.exit_code == 130
    assert "the first 2.0 s" in result.stderr
    assert "recording.nwb" in result.stderr
    assert read_recording("new/recording.nwb").values_uV.shape == (12, 2 * 2048)
    assert not Path("new/bids").exists()


def test_a_recording_too_long_for_bids_is_written_as_nwb_only(emg, monkeypatch):
    monkeypatch.setattr(_emg_write, "_MOST_BYTES", 1000)
    result = emg("new", "--pitch-mm", 4)
    assert result.exit_code == 0, result.output
    assert "EMG-BIDS was left out" in result.stderr
    assert Path("new/recording.nwb").exists()
    assert not Path("new/bids").exists()
    assert emg("asked", "--pitch-mm", 4, "--format", "bids").exit_code == 0
    assert not Path("asked/recording.nwb").exists()
    assert read_recording("asked/bids").values_uV.shape == (12, round(STOP_S * 2048))


def test_list_and_describe_know_muscles_and_electrodes(myoloop):
    text = myoloop("list").stdout
    for word in (FDI, *ELECTRODES, "mains60"):
        assert word in text
    assert "conductor.fat_mm" in myoloop("describe", FDI).stdout
    for name in ELECTRODES:
        assert "electrodes.derivation" in myoloop("describe", name).stdout


def test_noises_add_up():
    parts = noise_of(["white=3,pink", "mains60=2"], None).parts
    assert [type(part).__name__ for part in parts] == ["WhiteNoise", "ColouredNoise", "Mains"]
    assert parts[0].rms_uV == 3
    assert parts[2].frequency_hz == 60
    assert noise_of([], None) is None


def test_statistics_of_passing_blocks_do_not_depend_on_their_size():
    """Parseval: the spectrum holds the power of the samples; the envelope too."""
    wave = np.sin(2 * np.pi * 50 * np.arange(4096) / 1024)
    values = (wave[:, None] * [1, 2, 3]).astype(np.float32)
    trains = SpikeTrains.from_trains([[0.5, 3.2, 3.3, 3.4]], 4.0)
    seen = []
    for size in (1024, 700):
        passing = PassingEMG(trains, 1024.0, 3)
        for first in range(0, len(values), size):
            passing.add(values[first : first + size])
        seen.append((*passing.psd, passing.rms_uV, *passing.envelope, *passing.window))
    for one, two in zip(*seen, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9)
    frequency, psd, rms, _, envelope, times, window = seen[0]
    np.testing.assert_allclose(rms, np.sqrt(np.mean(values.astype(float) ** 2, axis=0)), rtol=1e-9)
    np.testing.assert_allclose(psd.sum(axis=0) * frequency[1], rms**2, rtol=1e-6)
    np.testing.assert_allclose(rms**2, [0.5, 2.0, 4.5], rtol=1e-6)
    assert np.mean(envelope**2) == pytest.approx(np.mean(rms**2), rel=0.02)
    assert passing.spectrum_metrics["spectrum_median_hz"] == pytest.approx(50, abs=1)
    assert times[0] <= 3.2
    assert times[-1] >= 3.4
    first = round(times[0] * 1024)
    np.testing.assert_array_equal(window, values[first : first + len(window)])


def test_more_units_than_the_muscle_has_are_refused():
    anatomy = small_anatomy()
    fibres = fibres_of(anatomy, [1.0, 2.0], 1)
    grid = electrode_named("pair").on(anatomy.conductor)
    model = EMG(fibres=fibres, conductor=anatomy.conductor, electrodes=grid)
    with pytest.raises(ValueError, match="3 units were given for a muscle of 2"):
        emg_from_spikes(SpikeTrains.from_trains([[0.1]] * 3, 1.0), model)
    assert isinstance(noise_of(["white"], None).parts[0], WhiteNoise)


def test_bench_takes_the_options_of_each_script(myoloop, monkeypatch):
    seen = []

    class Done:
        returncode = 0

    monkeypatch.setattr("subprocess.run", lambda command, **_: seen.append(command) or Done())
    assert myoloop("bench").exit_code == 0
    assert myoloop("bench", "emg", "--repeats", 2, "--out", "found.json").exit_code == 0
    assert [Path(command[1]).name for command in seen] == ["engine.py", "emg.py"]
    assert seen[0][2:] == []
    assert seen[1][2:] == ["--repeats", "2", "--out", "found.json"]
    one_error(myoloop("bench", "emgs"), "did you mean 'emg'")
    one_error(myoloop("bench", "emg", "--ours-only"), "--ours-only")
    one_error(myoloop("bench", "muscle", "--repeats", 2), "--repeats")
    assert len(seen) == 2
