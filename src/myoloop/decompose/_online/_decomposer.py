"""Motor units from EMG as it comes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, fields
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data import ActionPotentials, Recording, SpikeTrains
from ...errors import ParameterError, shown
from ...parameters import Parameters, choice, count, number, plain
from .._decomposition import Decomposition
from .._preprocessing._live import LiveFilter
from .._separation._base import Decomposer
from .._threads import one_thread
from ._adapt import Adaptation, Adapter, behind_of, history_of
from ._filters import Extent
from ._model import Model
from ._results import OnlineSpikes, OnlineState
from ._stream import LIKELY, Stream

FloatArray = NDArray[np.float64]

_PIECE = 1024
_EDGE_S = 0.03  # at the ends of the calibration, where the causal filter is not at rest
_FEWEST = 10


@final
@dataclass(kw_only=True, eq=False)
class OnlineDecomposer:
    """Finds known motor units in EMG block by block, and follows them as their action potentials change.

    `fit` takes units that were found in a recording of the same electrodes and learns causal filters for
    them from that recording. Each unit is looked for more than once. An early filter stands against all else
    in the signals; what it finds, weighted by its probability, is taken out of the sources of all other
    units, where late filters decide with only the unexplained rest against them (soft decision feedback),
    and so on. A peak is a discharge if that is more likely than not, given its height and the time since the
    unit's last one.

    With `adapt` the templates, covariances and filters follow the signals (see `Adaptation`). What is found
    depends on the samples alone: any cut into blocks gives the same spikes.

    Parameters
    ----------
    adapt : bool
        Whether `process` also learns.
    adaptation : Adaptation
        How it does so.
    passes : int
        Passes of the late filters; each takes out what the one before found, and adds about 25 ms to the
        latency. With 0 the early filters decide.
    bad_samples : str
        What a block with NaN or infinite samples in a channel in use does. ``"error"``: an error that names
        the channels, and the state stays as it was; ``"drop"``: these channels are dropped for good, with a
        warning, and the filters are made anew without them.
    before_ms, after_ms : float
        Extent of an action potential about its discharge.
    ridge : float
        Diagonal loading of the covariances, as a share of their mean eigenvalue.

    Attributes
    ----------
    decomposition_ : Decomposition
        The units that are looked for.
    unit_ids_ : tuple of str
    latency_s_ : float
        After which a discharge is reported at the latest, beside the delay of the band-pass (1 ms): half a
        filter and the 10 ms after a peak in which no higher one may follow, and for each pass these 10 ms
        again, the extent of an action potential before its discharge and half a filter.

    References
    ----------
    Chen, Ma, Sheng, Farina, Zhu (2020), IEEE Trans Biomed Eng 67:3501 (filters that adapt); Verdu (1998),
    Multiuser Detection, ch. 7 (decision feedback).
    """

    adapt: bool = False
    adaptation: Adaptation = field(default_factory=Adaptation)
    passes: int = count(2, at_least=0)
    bad_samples: str = choice("error", ("error", "drop"))
    before_ms: float = number(12.0, above=0, at_most=50)
    after_ms: float = number(16.0, above=0, at_most=50)
    ridge: float = number(3e-5, above=0)

    def __post_init__(self) -> None:
        Parameters.__post_init__(self)  # type: ignore[arg-type]  # which needs no more than fields
        if not isinstance(self.adaptation, Adaptation):
            raise ParameterError(
                "OnlineDecomposer.adaptation", f"{shown(self.adaptation)} was given", "give an Adaptation"
            )

    def get_params(self) -> dict[str, Any]:
        """Parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a provenance file."""
        return {"method": "OnlineDecomposer", **{k: plain(v) for k, v in self.get_params().items()}}

    @one_thread()
    def fit(self, recording: Recording, known: Decomposition | Decomposer) -> Self:
        """Learn causal filters for known units.

        Parameters
        ----------
        recording : Recording
            In which the units were found.
        known : Decomposition or Decomposer
            The units, or the method that was fitted to the recording.

        Raises
        ------
        ParameterError
            Without a single unit of 10 discharges, or where the recording is not the one that was decomposed.
        """
        known = known._fitted() if isinstance(known, Decomposer) else known
        _check_same(recording, known)
        filters = known.filters
        kept_s = recording.values_uV.shape[1] / recording.rate_hz - 2 * _EDGE_S
        rate_hz = filters.rate_hz
        live = LiveFilter(kept=filters.kept, scale_uV=filters.scale_uV, **filters.preprocessing)
        x = live.process(recording.values_uV)
        inside = [
            train[(train >= _EDGE_S * rate_hz) & (train < (_EDGE_S + kept_s) * rate_hz)]
            for train in (known.spike_samples(u) for u in range(len(known)))
        ]
        enough = [u for u, train in enumerate(inside) if len(train) >= _FEWEST]
        if not enough:
            raise ParameterError(
                "OnlineDecomposer.known",
                f"{len(known)} units, none with {_FEWEST} discharges in the recording",
                "decompose a longer recording, or one in which units fire",
            )
        before, after = (round(ms * 1e-3 * rate_hz) for ms in (self.before_ms, self.after_ms))
        extent = Extent(-before, before + after, filters.lags)
        self._learned = Model.learned(x, [inside[u] for u in enough], rate_hz, extent, self.ridge)
        self.decomposition_ = known
        self.unit_ids_ = tuple(known.unit_ids[u] for u in enough)
        self._live, self._rate_hz, self._channels = live, rate_hz, len(recording)
        noise = [place for place, _ in filters.preprocessing.get("replaced", ())]
        self._noise = np.isin(np.arange(len(filters.kept)), noise)
        return self.reset()

    def reset(self, t_start_s: float = 0.0) -> Self:
        """Forget the stream and all that was adapted; the next sample has the time `t_start_s`."""
        self._check_fitted()
        self._live.reset()
        model = self._learned.copy()
        probe = Stream(model, passes=self.passes)
        history = history_of(behind_of(probe), self.adaptation, self._rate_hz)
        self._stream = Stream(model, passes=self.passes, history=history)
        self._adapter = Adapter(self._stream, self._rate_hz, self.adaptation)
        self._t_start_s, self._taken, self._finished = float(t_start_s), 0, False
        self._dropped: tuple[int, ...] = ()
        self._found: list[FloatArray] = []
        self._last = np.full(len(model), np.nan)
        self.latency_s_ = self._latency() / self._rate_hz
        return self

    @property
    def filters_(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Early and late filters as they are now, shape (units, kept channels, lags)."""
        self._check_fitted()
        return self._stream.model.weights

    @property
    def action_potentials_(self) -> ActionPotentials:
        """Templates as they are now, in uV after the causal band-pass, on the kept channels."""
        self._check_fitted()
        model = self._stream.model
        scale = self._live.scale_uV.astype(np.float32)[:, None]
        return ActionPotentials(
            model.templates * scale, self._rate_hz, t_start_s=model.extent.first / self._rate_hz
        )

    @property
    def state(self) -> OnlineState:
        """Where the stream stands."""
        self._check_fitted()
        detector = self._stream.detectors[-1]
        return OnlineState(
            self._t_start_s + self._taken / self._live.rate_hz,
            self._stream.active.copy(),
            detector.silhouettes,
            self._t_start_s + self._last / self._rate_hz,
            self._dropped,
        )

    def process(self, block_uV: ArrayLike) -> OnlineSpikes:  # noqa: N803
        """Take the next samples; give back the discharges that they complete.

        Parameters
        ----------
        block_uV : array-like, shape (channels, samples)
            All channels of the recording that `fit` saw; any number of samples, also none.

        Raises
        ------
        ParameterError
            For another number of channels, or, as `bad_samples` says, NaN or infinite samples. The state
            stays as it was.
        """
        return self._process(block_uV, self.adapt)

    def partial_fit(self, block_uV: ArrayLike) -> Self:  # noqa: N803
        """Take the next samples and learn from them, whatever `adapt` is; `spikes` has what they held."""
        self._process(block_uV, True)
        return self

    def finish(self) -> OnlineSpikes:
        """The discharges of the last samples, as if silence followed; then only `reset` goes on."""
        self._check_fitted()
        self._check_open()
        self._finished = True
        silence = np.zeros((len(self._live.kept), self._latency()), np.float32)
        end = self._stream.x.end
        found = self._reported(self._stream.step(silence))
        return self._given(found[found[:, 1] < end])

    def spikes(self) -> SpikeTrains:
        """All discharges found since the last reset."""
        self._check_fitted()
        found = np.concatenate(self._found) if self._found else np.empty((0, 4))
        return SpikeTrains.from_events(
            found[:, 0].astype(np.int64),
            self._t_start_s + found[:, 1] / self._rate_hz,
            len(self.unit_ids_),
            self._t_start_s + max(self._taken, 1) / self._live.rate_hz,
            self._t_start_s,
            annotations={"unit_id": np.array(self.unit_ids_, dtype=np.str_)},
            name="motor units",
        )

    @one_thread()
    def drop_channels(self, channels: ArrayLike) -> Self:
        """Do without some channels from now on: the filters are made anew from the others.

        Parameters
        ----------
        channels : array-like of int
            Indices in the blocks. Those that are not in use do not matter.
        """
        self._check_fitted()
        chosen = np.atleast_1d(np.asarray(channels, dtype=np.int64))
        model = self._stream.model
        dead = model.dead | np.isin(self._live.kept, chosen)
        if dead.all():
            raise ParameterError("OnlineDecomposer.drop_channels", "no channel is left", "keep some")
        model.dead = dead
        self._dropped = tuple(sorted({*self._dropped, *(int(i) for i in chosen)}))
        for late in (0, 1):
            model.renew(late)
        return self

    def _process(self, given: ArrayLike, learn: bool) -> OnlineSpikes:
        self._check_fitted()
        self._check_open()
        block = self._checked(given)
        x = self._live.process(block)
        self._taken += block.shape[1]
        pace, period = self.adaptation.pace if learn else 0.0, self._adapter.period
        pieces, at = [np.empty((0, 4))], 0
        while at < x.shape[1]:
            size = min(_PIECE, period - self._stream.x.end % period)
            found = self._reported(self._stream.step(x[:, at : at + size], pace))
            pieces.append(found)
            self._adapter.note(found)
            at += size
            if self._stream.x.end % period == 0:
                self._update(learn)
        return self._given(np.concatenate(pieces))

    def _update(self, learn: bool) -> None:
        if learn:
            with one_thread():
                self._adapter.update()
        else:
            self._adapter.forget()

    def _reported(self, found: FloatArray) -> FloatArray:
        """Discharges of active units, within the stream."""
        active = self._stream.active[found[:, 0].astype(np.int64)]
        return found[active & (found[:, 2] > LIKELY) & (found[:, 1] >= 0)]

    def _given(self, found: FloatArray) -> OnlineSpikes:
        found = found[np.lexsort((found[:, 0], found[:, 1]))]
        self._found.append(found)
        self._last[found[:, 0].astype(np.int64)] = found[:, 1]
        times = self._t_start_s + found[:, 1] / self._rate_hz
        return OnlineSpikes(found[:, 0].astype(np.int64), times, found[:, 2])

    def _latency(self) -> int:
        """In samples of the stream."""
        shifts = self._stream.model.shifts(min(self.passes, 1))
        return self._stream.behind + int(shifts.max(initial=0)) + 1

    def _checked(self, given: ArrayLike) -> NDArray[Any]:
        block = np.asarray(given)
        if block.ndim != 2 or len(block) != self._channels or block.dtype.kind not in "iuf":
            raise ParameterError(
                "OnlineDecomposer.block_uV",
                f"{block.dtype} of shape {block.shape}",
                f"give ({self._channels}, samples): all channels of the recording that was decomposed",
            )
        kept, dead = self._live.kept, self._stream.model.dead
        if block.dtype.kind == "f":
            rows = kept[~(dead | self._noise)]
            broken = [int(i) for i in rows if not np.isfinite(block[i].sum(dtype=np.float64))]
            if broken:
                self._refuse_or_drop(broken)
        if self._dropped:
            block = block.copy()
            block[list(self._dropped)] = 0
        return block

    def _refuse_or_drop(self, broken: list[int]) -> None:
        what = f"NaN or infinite samples in channel {', '.join(map(str, broken))}"
        if self.bad_samples == "error":
            raise ParameterError(
                "OnlineDecomposer.block_uV", what, 'drop_channels(...), or bad_samples="drop"'
            )
        warnings.warn(f"{what}: dropped from here on", stacklevel=4)
        self.drop_channels(broken)

    def _check_open(self) -> None:
        if self._finished:
            raise ParameterError("OnlineDecomposer.process", "the stream was finished", "call reset first")

    def _check_fitted(self) -> None:
        if not hasattr(self, "_learned"):
            raise ParameterError("OnlineDecomposer.process", "nothing was learned yet", "call fit first")


def _check_same(recording: Recording, known: Decomposition) -> None:
    """That a recording is the one that was decomposed, as far as can be told."""
    if not known.filters.preprocessing:
        raise ParameterError(
            "OnlineDecomposer.known",
            "its filters do not say how the signals were prepared",
            "give what a decomposer of this library found",
        )
    begin, length = known.spikes.t_start_s, known.spikes.duration_s
    other = abs(begin - recording.t_start_s) > 1e-6 or abs(length - recording.duration_s) > 1e-3
    wrong = recording.rate_hz != known.filters.preprocessing.get("rate_hz")
    if other or wrong or known.filters.kept.max(initial=-1) >= len(recording):
        raise ParameterError(
            "OnlineDecomposer.recording",
            f"{recording!r} from {recording.t_start_s:g} s, where {known!r} from {begin:g} s was given",
            "give the recording in which the units were found",
        )
