"""OTBiolab24 archives (.otb4): an uncompressed tar with ``Tracks_000.xml`` and the streams that it names.

Each ``TrackInfo`` describes neighbouring channels: ``SignalStreamPath``, ``TotalChannelsInFile``,
``AcquisitionChannel`` (the first of ``NumberOfChannels``), ``SampleSize`` in bytes, ``SamplingFrequency``,
``ADC_Range``, ``ADC_Nbits``, ``Gain``, ``UnitOfMeasurement`` and ``UnitOfMeasurementFactor``. Streams hold
interleaved little-endian whole numbers, or float64 for what was computed. A task adds
``TrapezoidalTracks_NNN.xml`` (the path that was asked for and the one performed).

A sample is worth ``ADC_Range / 2**ADC_Nbits / Gain * UnitOfMeasurementFactor`` in ``UnitOfMeasurement``;
float64 and tracks without converter are in that unit already.

Layout after the manufacturer's published MATLAB scripts (OTBioelettronica/OTB-Matlab: ``OpenOTB4.m`` and
``OpenOTB4_v2.m``). Tested with files that the tests write; no archive of a device was at hand. Unverified:
which number places a track in its stream where ``AcquisitionChannel`` does not fit in it (there
``ChannelOffsetInSubPacket`` is taken, as other readers do), and the sensors' words in titles, by which tracks
that are no EMG are told.

References
----------
.. [1] https://github.com/OTBioelettronica/OTB-Matlab
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import final
from xml.etree.ElementTree import Element

from ...data import Recording, SpikeTrains
from .._files import refuse
from .._limits import Limits
from ._base import Overview, VendorFormat
from ._tar import Archive, number, text_of, whole
from ._tracks import VOLTS_UV, Track, tracks_overview, tracks_recording

_KINDS = {2: "<i2", 3: "<i3", 4: "<i4", 8: "<f8"}
_MOST_CHANNELS = 65_536
_DEVICE, _TRACKS = "DeviceParameters.xml", "Tracks_000.xml"
_BESIDE = ("quaternion", "buffer", "ramp", "control", "load cell", "loadcell", "force", "aux", "trigger")


@final
class OTB4(VendorFormat):
    """Reader of OTBiolab24 archives."""

    name = "OTBiolab24 .otb4"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its ending, which says more than the beginning of a tar archive."""
        return path.suffix.lower() == ".otb4"

    def overview(self, path: Path, limits: Limits) -> Overview:
        """From the XML and the sizes of the streams."""
        archive = Archive(path, limits)
        return tracks_overview(archive, _tracks(archive), self.name)

    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """EMG in uV, all else as auxiliary signals."""
        archive = Archive(path, limits)
        tracks = _tracks(archive)
        return tracks_recording(archive, tracks, series, {"format": self.name})

    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """None: decompositions are in files of their own."""
        return {}


def _tracks(archive: Archive) -> list[Track]:
    if _TRACKS not in archive.members:
        mend = "name it .otb+" if archive.named(".sig") else "use an intact copy"
        refuse(archive.path, f"holds no {_TRACKS} of OTBiolab24", mend)
    described = [
        (one, name)
        for name in archive.named(".xml")
        if name.startswith(("Tracks_", "TrapezoidalTracks_"))
        for one in archive.xml(name).iter("TrackInfo")
    ]
    default = archive.xml(_DEVICE) if _DEVICE in archive.members else Element("DeviceParameters")
    streams = dict[str, list[tuple[Element, str]]]()
    for one, name in described:
        stream = text_of(one, "SignalStreamPath").replace("\\", "/").rsplit("/", 1)[-1]
        streams.setdefault(stream, []).append((one, name))
    tracks = [
        track for stream, infos in streams.items() for track in _stream(archive, stream, infos, default)
    ]
    rates = sorted({one.rate_hz for one in tracks if one.emg})
    return [
        replace(one, series="EMG" if len(rates) == 1 else f"EMG at {one.rate_hz:.10g} Hz") if one.emg else one
        for one in tracks
    ]


def _stream(archive: Archive, stream: str, infos: list[tuple[Element, str]], default: Element) -> list[Track]:
    """Tracks of one stream, which agree on the size of its frames."""
    path = archive.path
    counts = [
        whole(path, text_of(one, "NumberOfChannels"), "NumberOfChannels", 1, _MOST_CHANNELS)
        for one, _ in infos
    ]
    first = infos[0][0]
    total = whole(
        path,
        text_of(first, "TotalChannelsInFile") or str(sum(counts)),
        "TotalChannelsInFile",
        1,
        _MOST_CHANNELS,
    )
    size = whole(path, text_of(first, "SampleSize") or text_of(default, "SampleSize"), "SampleSize", 1, 8)
    if size not in _KINDS:
        refuse(path, f"SampleSize is {size}", "only 2, 3, 4 and 8 bytes are known")
    starts = _starts(path, [one for one, _ in infos], counts, total)
    return [
        _track(path, one, stream, total, _KINDS[size], range(start, start + count), name)
        for (one, name), start, count in zip(infos, starts, counts, strict=True)
    ]


def _starts(path: Path, infos: list[Element], counts: list[int], total: int) -> list[int]:
    """First channel of each track within its frame."""
    for tag in ("AcquisitionChannel", "ChannelOffsetInSubPacket"):
        if sum(counts) > total:
            break
        starts = [int(number(path, text_of(one, tag), tag, -1.0)) for one in infos]
        taken = [
            place
            for start, count in zip(starts, counts, strict=True)
            for place in range(start, start + count)
        ]
        if len(set(taken)) == len(taken) and min(taken) >= 0 and max(taken) < total:
            return starts
    refuse(
        path,
        f"its tracks claim channels that are not among the {total} of their stream, or the same ones",
        "use an intact copy",
    )
    raise AssertionError


def _track(
    path: Path, info: Element, stream: str, total: int, kind: str, columns: range, described_in: str
) -> Track:
    title, subtitle = text_of(info, "Title"), text_of(info, "SubTitle")
    name = " - ".join(part for part in (title, subtitle) if part) or stream
    rate = number(path, text_of(info, "SamplingFrequency"), "SamplingFrequency")
    if rate <= 0:
        refuse(path, f"SamplingFrequency of {name} is {rate:g}", "it must be above 0")
    bits = whole(path, text_of(info, "ADC_Nbits") or "0", "ADC_Nbits", 0, 64) if kind != "<f8" else 0
    unit = text_of(info, "UnitOfMeasurement")
    scale = number(path, text_of(info, "UnitOfMeasurementFactor"), "UnitOfMeasurementFactor", 1.0)
    gain = number(path, text_of(info, "Gain"), "Gain", 1.0)
    if kind == "<f8":
        scale = 1.0
    elif bits:
        if gain <= 0:
            refuse(path, f"Gain of {name} is {gain:g}", "it must be above 0")
        scale *= number(path, text_of(info, "ADC_Range"), "ADC_Range") / 2**bits / gain
    emg = (
        bits > 0
        and unit in VOLTS_UV
        and described_in.startswith("Tracks_")
        and not any(text_of(info, tag).lower() == "true" for tag in ("IsControl", "IsProcessing"))
        and not any(word in name.lower() for word in _BESIDE)
    )
    if emg:
        scale, unit = scale * VOLTS_UV[unit], "uV"
    words = info.find("StringsDescriptions")
    said = {
        "device": text_of(info, "Device").split(";")[0],
        "gain": gain,
        "sensor": "" if words is None else text_of(words, "OriginalSensor"),
        "adapter": "" if words is None else text_of(words, "OriginalAdapter"),
        "mode": "" if words is None else text_of(words, "Mode"),
        "high_pass": "" if words is None else text_of(words, "HighPassFilter"),
        "low_pass": "" if words is None else text_of(words, "LowPassFilter"),
    }
    return Track(
        name,
        stream,
        total,
        kind,
        tuple(columns),
        _channels(info, title or name, len(columns)),
        rate,
        (scale,) * len(columns),
        unit,
        bits,
        emg=emg,
        about={key: value for key, value in said.items() if value},
    )


def _channels(info: Element, title: str, count: int) -> tuple[str, ...]:
    """Labels of the channels; numbers below the title where these are none."""
    labels = [text_of(one, "Label") for one in info.iter("ChannelRapresentation")]  # spelt so in the files
    if len(labels) != count:
        labels = [""] * count
    numbered = (title,) if count == 1 else tuple(f"{title}-{i + 1}" for i in range(count))
    return tuple(
        label if label and not label.isdecimal() else own for label, own in zip(labels, numbered, strict=True)
    )
