"""Motor-unit action potentials, evaluated fibre by fibre: slow and plain, to hold the fast form against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import ActionPotentials, Contact, Electrodes, Progress, silent
from ...errors import ParameterError
from .._anatomy._fibres import MuscleFibres
from .._conductors._base import VolumeConductor
from .._conductors._infinite import InfiniteMedium
from .._conductors._skin import SkinConductor
from .._conductors._table import Frequencies
from ._amplifier import Amplifier
from ._source import ActionPotentialShape, Rosenfalck
from ._sum import default_amplifier, longest_half_mm, reach_mm

FloatArray = NDArray[np.float64]

_NODES = 4  # of the Gauss rule of a cell
_CELL_WIDTHS = 0.75  # longest cell over the width of the kernel's peak
_FINE_HZ = 60_000.0  # at which time is sampled before the low-pass
_GUARD = 8.0  # empty time on either side of the transform, in periods of the low-pass


def direct_action_potentials(
    fibres: MuscleFibres,
    conductor: VolumeConductor,
    electrodes: Electrodes,
    rate_hz: float = 2048.0,
    *,
    shape: ActionPotentialShape | None = None,
    amplifier: Amplifier | None = None,
    cell_mm: float = 0.5,
    frequencies: Frequencies | None = None,
    progress: Progress = silent,
) -> ActionPotentials:
    """Action potential of every motor unit on every channel, each fibre on its own and without a table.

    The kernel is evaluated at the exact places of fibre and contact, the integrals over both halves of the
    fibre are Gauss sums, each fibre has its own velocity, and the low-pass acts on finely sampled time. It
    takes some 0.1 s a fibre and exists to check `action_potentials`.

    Parameters
    ----------
    fibres : MuscleFibres
    conductor : VolumeConductor
        With a skin, or an `InfiniteMedium`.
    electrodes : Electrodes
    rate_hz : float
        Sampling rate.
    shape : ActionPotentialShape, optional
    amplifier : Amplifier, optional
        Defaults as those of `action_potentials`.
    cell_mm : float
        Spatial step: longest cell of the Gauss rule, which has four nodes in each.
    frequencies : Frequencies, optional
        Spatial frequencies of a conductor with a skin. Default: its own.
    progress : Progress

    Returns
    -------
    ActionPotentials
        In uV, float64, at the times of `action_potentials`.

    Raises
    ------
    ParameterError
        As `action_potentials`; a cell that is not above 0; a conductor of another kind.
    """
    if not (np.isfinite(cell_mm) and cell_mm > 0):
        raise ParameterError(
            "direct_action_potentials.cell_mm", f"{cell_mm:g} was given", "give a length above 0"
        )
    shape, amplifier = shape or Rosenfalck(), amplifier or default_amplifier(electrodes)
    amplifier.check_rate(rate_hz)
    conductor.check_fibres(fibres.x_mm, fibres.y_mm)
    conductor.check_electrodes(electrodes)
    clock = _Clock(fibres, shape, amplifier, rate_hz)
    kernel = _kernel(conductor, fibres, electrodes, frequencies)
    found = np.zeros((fibres.n_units, electrodes.n_contacts, len(clock.fine_s)))
    for fibre in range(len(fibres)):
        found[fibres.unit[fibre]] += _fibre(fibres, fibre, kernel, shape, clock, cell_mm)
        progress("direct evaluation", fibre + 1, len(fibres), "fibres")
    values = electrodes.matrix @ clock.sampled(found)
    return ActionPotentials(values, rate_hz, clock.t_start_s, channels=electrodes.names)


def _fibre(
    fibres: MuscleFibres,
    fibre: int,
    kernel: _Kernel,
    shape: ActionPotentialShape,
    clock: _Clock,
    cell_mm: float,
) -> FloatArray:
    """Potential of one fibre at each contact in uV before the low-pass, shape (contacts, fine samples)."""
    low, high = fibres.tendon_mm[fibre]
    endplate = fibres.endplate_mm[fibre]
    travelled = 1e3 * fibres.velocity_m_per_s[fibre] * clock.fine_s
    cell = min(cell_mm, _CELL_WIDTHS * kernel.width_mm(fibre))
    ahead, behind = _cells(high - endplate, cell), _cells(endplate - low, cell)
    distance, weight = (np.concatenate(pair) for pair in zip(ahead, behind, strict=True))
    way = np.repeat([1.0, -1.0], [len(ahead[0]), len(behind[0])])
    # r is odd, so r(s + zeta) of the half behind is -r(-zeta - s), at the place endplate - s.
    r = way[:, None] * kernel.at(fibre, endplate + way * distance)
    total = (shape.gradient(travelled[:, None] - distance) * weight) @ r
    area = np.pi / 4 * (1e-3 * fibres.diameter_um[fibre]) ** 2
    return np.asarray(-1e3 * shape.intracellular_S_per_m * area * total.T)


def _cells(length: float, cell: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of a composite Gauss rule from 0 to `length`."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    half = length / int(np.ceil(length / cell)) / 2.0
    middle = np.arange(half, length, 2.0 * half)
    return (middle[:, None] + half * x).ravel(), np.tile(half * w, len(middle))


class _Clock:
    """Times of the samples, and the finer ones at which potentials are evaluated before the low-pass."""

    def __init__(
        self, fibres: MuscleFibres, shape: ActionPotentialShape, amplifier: Amplifier, rate_hz: float
    ) -> None:
        slowest = float(fibres.velocity_m_per_s.min())
        before = int(np.ceil(amplifier.spread_s * rate_hz))
        lasting_s = (longest_half_mm(fibres) + shape.extent_mm) / (1e3 * slowest) + amplifier.spread_s
        self.t_start_s = -before / rate_hz
        self._samples = before + int(np.ceil(lasting_s * rate_hz)) + 1
        self._factor = int(np.ceil(_FINE_HZ / rate_hz))
        self._guard = int(np.ceil(_GUARD / amplifier.low_pass_hz * rate_hz))
        steps = np.arange((self._samples + 2 * self._guard) * self._factor)
        self.fine_s = self.t_start_s + (steps / self._factor - self._guard) / rate_hz
        frequency = np.fft.rfftfreq(len(steps), 1.0 / (self._factor * rate_hz))
        self._gain = amplifier.gain(np.asarray(frequency, dtype=np.float64))

    def sampled(self, values: FloatArray) -> FloatArray:
        """Low-passed values at the sampling rate."""
        smooth = np.fft.irfft(np.fft.rfft(values, axis=-1) * self._gain, values.shape[-1], axis=-1)
        return np.asarray(smooth[..., :: self._factor][..., self._guard : self._guard + self._samples])


class _Kernel(ABC):
    """Derivative of the kernel of each contact at any place of a fibre."""

    def __init__(self, electrodes: Electrodes) -> None:
        self.n_contacts = electrodes.n_contacts

    @abstractmethod
    def width_mm(self, fibre: int) -> float:
        """Distance along the fibre on which the kernel of the nearest contact varies."""

    @abstractmethod
    def at(self, fibre: int, z_mm: FloatArray) -> FloatArray:
        """r(z - contact) in V/(A mm), shape (places, contacts)."""


@singledispatch
def _kernel(
    conductor: VolumeConductor,
    fibres: MuscleFibres,
    electrodes: Electrodes,
    frequencies: Frequencies | None,
) -> _Kernel:
    raise ParameterError(
        "direct_action_potentials.conductor",
        f"no direct evaluation for a {type(conductor).__name__}",
        "give a conductor with a skin, or an InfiniteMedium",
    )


@_kernel.register
def _(
    conductor: SkinConductor,
    fibres: MuscleFibres,
    electrodes: Electrodes,
    frequencies: Frequencies | None,
) -> _Kernel:
    return _UnderSkin(conductor, fibres, electrodes, frequencies)


@_kernel.register
def _(
    conductor: InfiniteMedium,
    fibres: MuscleFibres,
    electrodes: Electrodes,
    frequencies: Frequencies | None,
) -> _Kernel:
    return _WithoutBounds(conductor, fibres, electrodes)


class _UnderSkin(_Kernel):
    """Inverts the transfer function at each place."""

    def __init__(
        self,
        body: SkinConductor,
        fibres: MuscleFibres,
        electrodes: Electrodes,
        frequencies: Frequencies | None,
    ) -> None:
        super().__init__(electrodes)
        points = _points([one.parts() for one in electrodes.shapes], electrodes)
        # Offsets of parts count along the skin, not in space.
        self._across = body.across_mm(*electrodes.position_mm.T[:2])[points.owner] + points.offset[:, 0]
        self._z = electrodes.position_mm[points.owner, 2] + points.offset[:, 2]
        self._mixture, self._shapes, self._body = points.mixture, points.shapes, body
        self._depth = body.depth_mm(fibres.x_mm, fibres.y_mm)
        self._place = body.across_mm(fibres.x_mm, fibres.y_mm)
        self._grid = frequencies or body.frequencies(reach_mm(fibres, electrodes))

    def width_mm(self, fibre: int) -> float:
        """As far as the fibre is deep."""
        return float(self._depth[fibre])

    def at(self, fibre: int, z_mm: FloatArray) -> FloatArray:
        """See the base class."""
        out = np.empty((len(z_mm), len(self._z)))
        for shape in dict.fromkeys(self._shapes):
            mine = np.flatnonzero([other == shape for other in self._shapes])
            across, column = np.unique(self._across[mine] - self._place[fibre], return_inverse=True)
            along, row = np.unique(self._z[mine], return_inverse=True)
            y = (z_mm[:, None] - along).ravel()
            found = self._body.derivative(self._depth[[fibre]], across, y, shape, self._grid)[0]
            out[:, mine] = found.reshape(len(across), len(z_mm), len(along))[column, :, row].T
        return np.asarray(out @ self._mixture.T)


class _WithoutBounds(_Kernel):
    """Closed form at the points of each contact."""

    def __init__(self, body: InfiniteMedium, fibres: MuscleFibres, electrodes: Electrodes) -> None:
        super().__init__(electrodes)
        points = _points([(one, *one.nodes()) for one in electrodes.shapes], electrodes)
        self._points = electrodes.position_mm[points.owner] + points.offset
        self._mixture, self._body = points.mixture, body
        self._nearest = 1e-3 * float(np.mean(fibres.diameter_um))
        self._places = np.stack([fibres.x_mm, fibres.y_mm], axis=1)

    def _distance(self, fibre: int) -> FloatArray:
        away = self._points[:, :2] - self._places[fibre]
        return np.asarray(np.maximum(np.hypot(away[:, 0], away[:, 1]), self._nearest))

    def width_mm(self, fibre: int) -> float:
        """The least distance, widened by the anisotropy."""
        stretch = np.sqrt(self._body.axial_S_per_m / self._body.radial_S_per_m)
        return float(stretch * self._distance(fibre).min())

    def at(self, fibre: int, z_mm: FloatArray) -> FloatArray:
        """See the base class."""
        along = z_mm[:, None] - self._points[:, 2]
        return np.asarray(self._body.derivative(self._distance(fibre), along) @ self._mixture.T)


class _Parts(NamedTuple):
    """Points of contacts: which contact each belongs to, its offset, its shape, and the mixture."""

    owner: NDArray[np.int64]
    offset: FloatArray
    shapes: tuple[Contact, ...]
    mixture: FloatArray


def _points(parts: list[tuple[Contact, FloatArray, FloatArray]], electrodes: Electrodes) -> _Parts:
    owner = np.repeat(np.arange(electrodes.n_contacts), [len(offsets) for _, offsets, _ in parts])
    mixture = np.zeros((electrodes.n_contacts, len(owner)))
    mixture[owner, np.arange(len(owner))] = np.concatenate([weights for *_, weights in parts])
    offset = np.concatenate([offsets for _, offsets, _ in parts])
    return _Parts(owner, offset, tuple(shape for shape, offsets, _ in parts for _ in offsets), mixture)
