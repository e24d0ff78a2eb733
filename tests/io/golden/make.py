"""Write the joblib files beside this: ``uv run --with joblib python tests/io/golden/make.py``."""

from pathlib import Path

import joblib
import neo
import quantities as pq

block, segment = neo.Block(name="run"), neo.Segment(name="aMN")
for unit, times in ((0, [0.125]), (4, [0.25, 0.5])):
    train = neo.SpikeTrain(times * pq.s, t_stop=1 * pq.s, sampling_rate=40 * pq.kHz, name=str(unit))
    segment.spiketrains.append(train)
segment.analogsignals.append(neo.AnalogSignal([[1.0], [2.0]], units="mV", sampling_rate=1 * pq.kHz, name="0"))
block.segments.append(segment)
here = Path(__file__).parent
joblib.dump(block, here / "joblib.pkl", compress=0)
joblib.dump(block, here / "joblib_zlib.pkl", compress=3)
joblib.dump(block, here / "joblib_gzip.pkl", compress=("gzip", 3))
