"""EMG of a muscle: everything from fibres to the recording in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from ..data import (
    ActionPotentialPath,
    ActionPotentials,
    Electrodes,
    GroundTruth,
    Progress,
    Recording,
    Signal,
    SpikeTrains,
    as_spike_trains,
    silent,
)
from ..errors import ParameterError, shown
from ..parameters import Parameters, count, number
from ..random import Streams
from ._anatomy._fibres import MuscleFibres
from ._conductors._base import VolumeConductor
from ._noise._bad_channels import BadChannels
from ._noise._noise import Noise, RmsWhileActive, active_samples
from ._potentials._amplifier import Amplifier
from ._potentials._source import ActionPotentialShape, Rosenfalck
from ._potentials._sum import action_potentials, default_amplifier
from ._synthesis._jitter import DischargeJitter
from ._synthesis._synthesis import Synthesis

_BLOCK_S = 1.0
_ROSENFALCK = Rosenfalck()
_SURFACE_HZ, _INTRAMUSCULAR_HZ = 2048.0, 10240.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EMG(Parameters):
    """A muscle in a conductor, with electrodes: makes recordings of spikes.

    Parameters
    ----------
    fibres : MuscleFibres
    conductor : VolumeConductor
    electrodes : Electrodes
    rate_hz : float, optional
        Sampling rate. Default: 2048 Hz on the skin, 10240 Hz within the muscle.
    shape : ActionPotentialShape
        Of the intracellular action potential.
    amplifier : Amplifier, optional
        Default: low-pass at 500 Hz on the skin, 2800 Hz within the muscle.
    jitter_us : float
        Standard deviation of each fibre's delay from discharge to discharge. 0, the default, makes all
        discharges of a unit alike; 35 us is usual for a healthy endplate.
    variations : int
        Random shapes of each unit that the jitter is composed of.

    Examples
    --------
    >>> import myoloop as ml
    >>> anatomy = ml.emg.first_dorsal_interosseous()
    >>> thresholds = ml.muscle.recruitment_thresholds(100, ratio=30)
    >>> emg = anatomy.surface(thresholds, ml.emg.SurfaceGrid.grid_8x8(pitch_mm=4), seed=1)
    >>> emg.action_potentials.values_uV.shape[:2]
    (100, 64)
    """

    fibres: MuscleFibres
    conductor: VolumeConductor
    electrodes: Electrodes
    rate_hz: Any = number(None, above=0, optional=True)
    shape: ActionPotentialShape = _ROSENFALCK
    amplifier: Amplifier | None = None
    jitter_us: float = number(0.0, at_least=0)
    variations: int = count(8)

    def __post_init__(self) -> None:
        super().__post_init__()
        kinds = {
            "fibres": MuscleFibres,
            "conductor": VolumeConductor,
            "electrodes": Electrodes,
            "shape": ActionPotentialShape,
        }
        for name, kind in kinds.items():
            given = getattr(self, name)
            if not isinstance(given, kind):
                raise ParameterError(f"EMG.{name}", f"{shown(given)} was given", f"give {kind.__name__}")
        inside = self.electrodes.intramuscular
        rate = self.rate_hz or (_INTRAMUSCULAR_HZ if inside else _SURFACE_HZ)
        amplifier = self.amplifier or default_amplifier(self.electrodes)
        amplifier.check_rate(rate)
        self.conductor.check_fibres(self.fibres.x_mm, self.fibres.y_mm)
        self.conductor.check_electrodes(self.electrodes)
        object.__setattr__(self, "rate_hz", float(rate))
        object.__setattr__(self, "amplifier", amplifier)

    def to_dict(self) -> dict[str, Any]:
        """Parameters for a provenance file; fibres and electrodes by their number."""
        assert self.amplifier is not None
        return {
            "model": "EMG",
            "muscle": self.fibres.about.get("muscle"),
            "fibres": len(self.fibres),
            "units": self.fibres.n_units,
            "conductor": self.conductor.to_dict(),
            "channels": len(self.electrodes),
            "rate_hz": self.rate_hz,
            "shape": self.shape.to_dict(),
            "amplifier": self.amplifier.to_dict(),
            "jitter_us": self.jitter_us,
        }

    @cached_property
    def action_potentials(self) -> ActionPotentials:
        """Action potential of every unit on every channel."""
        return self._summed(None, silent)

    def prepare(self, progress: Progress = silent) -> EMG:
        """Compute the action potentials, and their jitter, now, telling how far it is; returns itself."""
        if "action_potentials" not in self.__dict__:
            self.__dict__["action_potentials"] = self._summed(None, progress)
        if "_jitter" not in self.__dict__:
            self.__dict__["_jitter"] = self._jittered(progress)
        return self

    @cached_property
    def _jitter(self) -> DischargeJitter | None:
        return self._jittered(silent)

    def _jittered(self, progress: Progress) -> DischargeJitter | None:
        if self.jitter_us == 0:
            return None
        # Signs, not normal numbers: each fibre's own variance is then exact, only pairs of fibres are random.
        draws = Streams(0).child("emg", "fibre jitter").generator()
        signs = draws.choice([-1.0, 1.0], (self.variations, len(self.fibres)))
        sketch = []
        for done, row in enumerate(signs, start=1):
            sketch.append(self._summed(row, silent).values_uV)
            progress("jitter", done, self.variations, "variations")
        return DischargeJitter.of_sketch(np.stack(sketch, axis=1), self.rate_hz, self.jitter_us)

    def moved(self, across_mm: float = 0.0, along_mm: float = 0.0) -> EMG:
        """The same with all contacts shifted, along the skin or within the muscle.

        Parameters
        ----------
        across_mm, along_mm : float
            Across the fibres (an arc of the skin; x within the muscle) and along them.
        """
        shifted = self.conductor.moved(self.electrodes.position_mm, across_mm, along_mm)
        return replace(self, electrodes=replace(self.electrodes, position_mm=shifted))

    def path(
        self, shift: Signal, *, direction: tuple[float, float] = (0.0, 1.0), spacing_mm: float = 0.8
    ) -> ActionPotentialPath:
        """Action potentials for electrodes (or a skin) that move over time.

        Parameters
        ----------
        shift : Signal
            Shift in mm over time.
        direction : tuple of float
            How far 1 mm of shift takes the contacts across and along the fibres. Default: along.
        spacing_mm : float
            Between the shifts at which action potentials are computed; see `ActionPotentialPath`.
        """
        if shift.units not in {"", "mm"}:
            raise ParameterError("EMG.path.shift", f"it is in {shift.units}", "give mm")
        low, high = float(np.min(shift.values)), float(np.max(shift.values))
        knots = np.linspace(low, high, max(2, int(np.ceil((high - low) / spacing_mm)) + 1))
        if high - low < 1e-9:
            knots = np.array([low, low + spacing_mm])
        potentials = [self.moved(k * direction[0], k * direction[1]).action_potentials for k in knots]
        return ActionPotentialPath(knots, tuple(potentials), shift)

    def record(
        self,
        spikes: Any,
        *,
        noise: Noise | None = None,
        snr_db: float | None = None,
        bad: BadChannels | None = None,
        path: ActionPotentialPath | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Recording:
        """EMG of given spikes, with what it was made of.

        Parameters
        ----------
        spikes : SpikeTrains, neo.Block, neo.Segment or list of neo.SpikeTrain
            Times at which potentials leave the endplates; unit i of the spikes is unit i of the fibres.
        noise : Noise, optional
            Default: none.
        snr_db : float, optional
            Scale the noise to this ratio; see `Noise.at_snr`. White noise where none is given.
        bad : BadChannels, optional
        path : ActionPotentialPath, optional
            Action potentials over time, of `EMG.path` or `velocity_drift`. Default: they do not change.
        seed : int
            Of jitter, noise and bad channels.
        progress : Progress

        Returns
        -------
        Recording
            With the spikes and the action potentials in `Recording.truth`.
        """
        trains = as_spike_trains(spikes)
        if path is None:
            self.prepare(progress)
        pieces, done, total = [], 0.0, trains.t_stop_s - trains.t_start_s
        for block in self.blocks(trains, noise=noise, snr_db=snr_db, bad=bad, path=path, seed=seed):
            pieces.append(block)
            done += len(block) / self.rate_hz
            progress("EMG", min(done, total), total)
        return Recording(
            np.concatenate(pieces).T,
            self.rate_hz,
            self.electrodes,
            self._truth(trains, path, noise, snr_db, seed),
            trains.t_start_s,
            bad=None if bad is None else bad.mask(len(self.electrodes)),
        )

    def blocks(
        self,
        spikes: Any,
        *,
        block_s: float = _BLOCK_S,
        noise: Noise | None = None,
        snr_db: float | None = None,
        bad: BadChannels | None = None,
        path: ActionPotentialPath | None = None,
        seed: int = 0,
    ) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
        """The same EMG in consecutive blocks, in memory that does not grow with the duration.

        Yields arrays of shape (samples, channels) in uV; their length changes no sample.
        """
        trains = as_spike_trains(spikes)
        if not block_s * self.rate_hz >= 1.0:
            raise ParameterError("EMG.blocks.block_s", f"{block_s:g} was given", "give a sample or more")
        length, channels = round(block_s * self.rate_hz), len(self.electrodes)
        noise = self._scaled(noise, snr_db, trains, path)
        sound = noise and noise.start(channels, self.rate_hz, seed)
        damage = bad and bad.start(channels, self.rate_hz, seed)
        for block in self._clean(trains, path, length, seed):
            noisy = sound.add_to(block) if sound else block
            yield damage.step(noisy) if damage else noisy

    def _clean(
        self, trains: SpikeTrains, path: ActionPotentialPath | None, length: int, seed: int
    ) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
        synthesis = Synthesis(path or self.action_potentials, trains, self._jitter, seed)
        while synthesis.samples_done < synthesis.samples:
            yield synthesis.step(min(length, synthesis.samples - synthesis.samples_done))

    def _scaled(
        self,
        noise: Noise | None,
        snr_db: float | None,
        trains: SpikeTrains,
        path: ActionPotentialPath | None,
    ) -> Noise | None:
        """Noise at the wanted ratio to the clean EMG, which is made once for that."""
        if snr_db is None:
            return noise
        from ._noise._parts import WhiteNoise

        gathered, first = RmsWhileActive(), 0
        for block in self._clean(trains, path, round(_BLOCK_S * self.rate_hz), 0):
            gathered.add(block, active_samples(trains, self.rate_hz, first, len(block)))
            first += len(block)
        return (noise or Noise(parts=(WhiteNoise(rms_uV=1.0),))).at_snr(gathered.rms_uV, snr_db)

    def _truth(
        self,
        trains: SpikeTrains,
        path: ActionPotentialPath | None,
        noise: Noise | None,
        snr_db: float | None,
        seed: int,
    ) -> GroundTruth:
        first = self.action_potentials if path is None else path.potentials[0]
        about = {
            "emg": self.to_dict(),
            "noise": noise and noise.to_dict(),
            "snr_db": snr_db,
            "seed": seed,
        }
        return GroundTruth(trains, first, path, about)

    def _summed(self, weights: Any, progress: Progress) -> ActionPotentials:
        return action_potentials(
            self.fibres,
            self.conductor,
            self.electrodes,
            self.rate_hz,
            shape=self.shape,
            amplifier=self.amplifier,
            weights=weights,
            progress=progress,
        )
