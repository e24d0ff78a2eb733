"""The input of the Watanabe network, rebuilt exactly from a seed (NumPy only).

Order of the draws of ``rng = np.random.default_rng(seed)``:

1. ``rng.random((400, 800)) < 0.3``: row = descending source, column = cell; True
   where the source is connected to the cell.
2. ``rng.poisson(rate * duration / 1000, size=1200)``: number of spikes of every
   source (first the 400 descending ones at 65 pps, then the 800 private ones at
   125 pps; source 400 + c is private to cell c).
3. ``rng.random(counts.sum())``: u of all spikes, source after source. A spike is
   at step ``1 + floor(u * (n_steps - 1))``, i.e. never at step 0. Within a source the
   steps are sorted and repeated ones dropped.

``python benchmarks/neuron/input.py --seed 1 --duration-ms 1000 --out input.npz`` writes one.

A spike at step k is emitted at ``k * dt`` and arrives 40 steps (1 ms) later.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DT_MS = 0.025
N_CELLS = 800
N_DESCENDING = 400
P_CONNECT = 0.3
DESCENDING_PPS = 65.0
PRIVATE_PPS = 125.0
WEIGHT_US = 0.05
DELAY_STEPS = 40

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class NetworkInput:
    """Spikes and connections of all sources.

    Attributes
    ----------
    n_cells : int
        Number of motor neurons.
    n_steps : int
        Number of steps of `dt_ms`.
    dt_ms : float
        Step in ms.
    weight_us : float
        Weight of every connection in uS.
    delay_steps : int
        Delay of every connection in steps.
    spike_indptr : ndarray of int64
        Spikes of source s are ``spike_steps[spike_indptr[s]:spike_indptr[s + 1]]``.
    spike_steps : ndarray of int64
        Emission steps, strictly ascending within a source; time = step * dt.
    target_indptr : ndarray of int64
        Targets of source s are ``targets[target_indptr[s]:target_indptr[s + 1]]``.
    targets : ndarray of int64
        Cell numbers, ascending within a source.
    """

    n_cells: int
    n_steps: int
    dt_ms: float
    weight_us: float
    delay_steps: int
    spike_indptr: IntArray
    spike_steps: IntArray
    target_indptr: IntArray
    targets: IntArray

    @property
    def n_sources(self) -> int:
        """Number of sources."""
        return len(self.spike_indptr) - 1

    @property
    def n_events(self) -> int:
        """Number of synaptic deliveries, counting those after the end."""
        return int(np.diff(self.spike_indptr) @ np.diff(self.target_indptr))

    def save(self, path: str | Path) -> None:
        """Write all fields into an npz file."""
        np.savez_compressed(path, **asdict(self))

    def arrivals(self) -> NDArray[np.uint8]:
        """Number of arrivals, shape (n_steps, n_cells); memory: one byte each.

        Row n is what arrives at step n: the emission step plus the delay.
        """
        out = np.zeros((self.n_steps, self.n_cells), dtype=np.uint8)
        for s in range(self.n_sources):
            steps = self.spike_steps[self.spike_indptr[s] : self.spike_indptr[s + 1]]
            steps = steps[steps + self.delay_steps < self.n_steps] + self.delay_steps
            targets = self.targets[self.target_indptr[s] : self.target_indptr[s + 1]]
            # No repeats in either list, so the plain fancy increment is right.
            out[np.ix_(steps, targets)] += 1
        return out


def watanabe_input(seed: int, duration_ms: float) -> NetworkInput:
    """Draw the constant-drive Watanabe network (see the module docstring).

    Parameters
    ----------
    seed : int
        Seed of ``np.random.default_rng``.
    duration_ms : float
        Length of the input in ms; a whole number of steps of 0.025 ms.

    Returns
    -------
    NetworkInput
        The same for the same seed and duration.
    """
    n_steps = round(duration_ms / DT_MS)
    if n_steps < 2 or abs(n_steps * DT_MS - duration_ms) > 1e-6:
        raise ValueError(
            f"duration_ms must be a multiple of {DT_MS} ms and at least two steps, got {duration_ms}"
        )
    rng = np.random.default_rng(seed)
    connected = rng.random((N_DESCENDING, N_CELLS)) < P_CONNECT
    pps = np.repeat([DESCENDING_PPS, PRIVATE_PPS], [N_DESCENDING, N_CELLS])
    counts = rng.poisson(pps * duration_ms / 1000.0)
    steps = 1 + np.floor(rng.random(int(counts.sum())) * (n_steps - 1)).astype(np.int64)
    trains = [np.unique(part) for part in np.split(steps, np.cumsum(counts)[:-1])]
    targets = [np.flatnonzero(row) for row in connected] + [np.array([c]) for c in range(N_CELLS)]
    return NetworkInput(
        n_cells=N_CELLS,
        n_steps=n_steps,
        dt_ms=DT_MS,
        weight_us=WEIGHT_US,
        delay_steps=DELAY_STEPS,
        spike_indptr=_indptr(trains),
        spike_steps=np.concatenate(trains).astype(np.int64),
        target_indptr=_indptr(targets),
        targets=np.concatenate(targets).astype(np.int64),
    )


def _indptr(parts: list[IntArray]) -> IntArray:
    """Offsets of the concatenated parts."""
    return np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)


def load_input(path: str | Path) -> NetworkInput:
    """Read an npz file written by `NetworkInput.save`.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    NetworkInput
        Its content.
    """
    names = list(NetworkInput.__dataclass_fields__)
    with np.load(path) as data:
        missing = [k for k in names if k not in data]
        if missing:
            raise ValueError(f"{path} is not a network input: it lacks {', '.join(missing)}")
        values = {k: data[k] if data[k].ndim else data[k].item() for k in names}
    return NetworkInput(**values)


def main() -> None:
    """Write the input of a network into a file."""
    parser = argparse.ArgumentParser(description="Write the Watanabe network's input as npz.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--duration-ms", type=float, default=1000.0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    net = watanabe_input(arguments.seed, arguments.duration_ms)
    net.save(arguments.out)
    print(f"{arguments.out}: {net.n_sources} sources, {net.n_events} deliveries")


if __name__ == "__main__":
    main()
