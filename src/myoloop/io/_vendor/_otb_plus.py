"""OTBiolab+ archives (.otb+): an uncompressed tar with ``NAME.sig`` and ``NAME.xml`` for each acquisition.

``NAME.xml`` is a ``Device`` (``Name``, ``SampleFrequency``, ``DeviceTotalChannels``, ``ad_bits``) with
``Adapter`` elements (``ID``, ``Gain``, ``ChannelStartIndex``, filters), each with ``Channel`` elements
(``Index``, ``ID``, ``Gain``, ``Muscle``, ``Description``). ``NAME.sig`` holds interleaved little-endian whole
numbers. A task adds pairs of ``.pro`` (XML: description, unit and rate) and ``.sip`` (float64), e.g. the
force and the path that was asked for.

A sample is worth ``supply / 2**bits / gain``, with the supply of the device and the gains of adapter and
channel; where the file gives an adapter the gain 1, it is the one that the manufacturer's script uses for it.
Adapters of control signals and quaternions stay numbers without unit.

Layout after the manufacturer's published MATLAB scripts (OTBioelettronica/OTB-Matlab: ``OpenOTBfiles.m`` and
``OpenOTBfilesConvFact.m``) and, for names of adapters, after the reader of MNE-Python; ``.pro`` after public
readers. Tested with files that the tests write. No file of 24 bits was at hand, and public readers disagree
whether such numbers take 3 or 4 bytes: four are taken where each fourth byte is the sign of the others.

References
----------
.. [1] https://github.com/OTBioelettronica/OTB-Matlab
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final
from xml.etree.ElementTree import Element

import numpy as np

from ...data import Recording, SpikeTrains
from .._files import refuse
from .._limits import Limits
from ._base import Overview, VendorFormat
from ._tar import Archive, number, say, text_of, whole
from ._tracks import VOLTS_UV, Track, tracks_overview, tracks_recording

_KINDS = {16: "<i2", 24: "<i3", 32: "<i4"}
_MOST_CHANNELS = 65_536
_COUNTS = ("AdapterControl", "AdapterQuaternions")
_BESIDE_ADAPTERS = (*_COUNTS, "AdapterLoadCell", "Direct connection")
_BESIDE_CHANNELS = ("aux", "quaternion", "buffer", "ramp", "loadcell", "load cell", "control")
_PROBED_BYTES = 1 << 16
_GAIN_ERROR = 1e-6


@final
class OTBPlus(VendorFormat):
    """Reader of OTBiolab+ archives."""

    name = "OTBiolab+ .otb+"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its ending, which says more than the beginning of a tar archive."""
        return path.suffix.lower() in (".otb+", ".otb")

    def overview(self, path: Path, limits: Limits) -> Overview:
        """From the XML and the sizes of the streams."""
        archive = Archive(path, limits)
        return tracks_overview(archive, _tracks(archive), self.name)

    def recording(self, path: Path, limits: Limits, series: str | None) -> Recording:
        """EMG in uV; inputs of the device, control signals and the task as auxiliary signals."""
        archive = Archive(path, limits)
        tracks = _tracks(archive)
        return tracks_recording(archive, tracks, series, {"format": self.name})

    def spikes(self, path: Path, limits: Limits) -> Mapping[str, SpikeTrains]:
        """None: the archive holds no decomposition."""
        return {}


def _tracks(archive: Archive) -> list[Track]:
    streams = archive.named(".sig")
    if not streams:
        mend = "name it .otb4" if archive.named("tracks_000.xml") else "use an intact copy"
        refuse(archive.path, "holds no signal (.sig) of OTBiolab+", mend)
    if archive.named("tracks_000.xml"):
        refuse(archive.path, "is laid out as an archive of OTBiolab24", "name it .otb4")
    tracks = [track for stream in streams for track in _device(archive, stream)]
    return tracks + [track for name in archive.named(".pro") for track in _task(archive, name)]


def _device(archive: Archive, stream: str) -> list[Track]:
    path, stem = archive.path, stream[: -len(".sig")]
    device = archive.xml(f"{stem}.xml")
    if device.tag != "Device":
        refuse(path, f"{stem}.xml begins with {device.tag}, not Device", "use an intact copy")
    total = whole(path, device.get("DeviceTotalChannels"), "DeviceTotalChannels", 1, _MOST_CHANNELS)
    bits = whole(path, device.get("ad_bits"), "ad_bits", 1, 64)
    if bits not in _KINDS:
        refuse(path, f"ad_bits is {bits}", "only 16, 24 and 32 bits are known")
    rate = number(path, device.get("SampleFrequency"), "SampleFrequency")
    if rate <= 0:
        refuse(path, f"SampleFrequency is {rate:g}", "it must be above 0")
    kind = _kind(archive, stream, bits)
    name = (device.get("Name") or "").split(";")[0]
    tracks, taken = list[Track](), set[int]()
    for adapter in device.iter("Adapter"):
        label = (adapter.get("ID") or "").split(";")[0]
        start = whole(path, adapter.get("ChannelStartIndex"), "ChannelStartIndex", 0, total - 1)
        groups = dict[bool, list[tuple[int, Element]]]()
        for channel in adapter.iter("Channel"):
            place = start + whole(path, channel.get("Index"), "Channel Index", 0, total - 1)
            if place >= total or place in taken:
                refuse(path, f"channel {place} of {total} of {label}", "each must be there once")
            taken.add(place)
            groups.setdefault(_is_emg(label, channel), []).append((place, channel))
        blank = Track(label or stem, stream, total, kind, (), (), rate, (), "", bits, stem)
        tracks += [_track(path, blank, name, adapter, emg, group) for emg, group in groups.items()]
    if len(taken) < total:
        say(f"{path}: {total - len(taken)} of {total} channels are left out, as no adapter describes them")
    return tracks


def _track(
    path: Path, blank: Track, device: str, adapter: Element, emg: bool, group: list[tuple[int, Element]]
) -> Track:
    """Channels of one adapter, either its EMG or the others."""
    scale, unit, gain = _scale(path, device, adapter, blank.name, blank.bits, group)
    factor = VOLTS_UV["V"] if emg else 1e3 if unit else 1.0
    return replace(
        blank,
        name=_named(group[0][1]) if len(group) == 1 and not emg else blank.name,
        columns=tuple(place for place, _ in group),
        channels=tuple(_channel(channel, len(group)) for _, channel in group),
        scale=tuple(one * factor for one in scale),
        unit="uV" if emg else unit,
        emg=emg,
        about=_about(device, adapter, group[0][1], gain),
    )


def _kind(archive: Archive, stream: str, bits: int) -> str:
    """Type of the stored numbers; those of 24 bits may have four bytes."""
    member = archive.members[stream]
    if bits == 24 and member.present >= 4:
        with archive.path.open("rb") as file:
            file.seek(member.start)
            probe = np.frombuffer(file.read(min(_PROBED_BYTES, member.present // 4 * 4)), "<i4")
        if np.all((probe >= -(1 << 23)) & (probe < 1 << 23)) and np.any(probe):
            return "<i4"
    return _KINDS[bits]


def _is_emg(label: str, channel: Element) -> bool:
    known = (channel.get("ID") or "").lower()
    return not label.startswith(_BESIDE_ADAPTERS) and not known.startswith(_BESIDE_CHANNELS)


def _scale(
    path: Path, device: str, adapter: Element, label: str, bits: int, group: list[tuple[int, Element]]
) -> tuple[list[float], str, float]:
    """V of a stored number for each channel, the unit of an auxiliary signal, and the adapter's gain."""
    if label in _COUNTS:
        return [1.0] * len(group), "", 1.0
    supply, usual = _supply(device, label, bits)
    gain = number(path, adapter.get("Gain"), f"Gain of {label}", 1.0)
    if gain <= 0:
        refuse(path, f"Gain of {label} is {gain:g}", "it must be above 0")
    if gain == 1:
        gain = usual
    elif abs(gain / usual - 1) > _GAIN_ERROR:
        say(f"{path}: Gain of {label} is {gain:g}, and {usual:g} is usual for {device}; {gain:g} is used")
    own = [number(path, channel.get("Gain"), "Gain of a channel", 1.0) for _, channel in group]
    if min(own) <= 0:
        refuse(path, f"Gain of a channel of {label} is {min(own):g}", "it must be above 0")
    return [supply / 2**bits / gain / one for one in own], "mV", gain


def _supply(device: str, label: str, bits: int) -> tuple[float, float]:
    """Range of the converter in V and gain of an adapter, as in the manufacturer's script."""
    if label.startswith("Direct connection"):
        return 5.0, 0.5
    if device in ("QUATTROCENTO", "QUATTRO"):
        return 5.0, 150.0
    if device == "DUE":
        return 5.0, 200.0
    if device in ("DUE+", "QUATTRO+") or (device == "SYNCSTATION" and label in ("Due+", "Quattro+")):
        return 3.3, 202.0
    if label == "AdapterLoadCell":
        return 5.0, 205.0
    return 4.8, 2.0 ** (24 - bits)  # 256 at 16 bits, 1 at 24 bits


def _named(channel: Element) -> str:
    return channel.get("ID") or channel.get("Prefix") or "channel"


def _channel(channel: Element, count: int) -> str:
    """Name of a channel: what it is connected to, and its number there."""
    prefix = (channel.get("Prefix") or "").strip() or _named(channel)
    return prefix if count == 1 else f"{prefix}-{int(channel.get('Index') or 0) + 1}"


def _about(device: str, adapter: Element, channel: Element, gain: float) -> dict[str, Any]:
    said = {
        "device": device,
        "adapter": adapter.get("ID"),
        "sensor": channel.get("ID"),
        "description": channel.get("Description"),
        "muscle": channel.get("Muscle"),
        "side": channel.get("Side"),
        "high_pass": adapter.get("HighPassFilter"),
        "low_pass": adapter.get("LowPassFilter"),
    }
    return {key: value for key, value in said.items() if value} | {"gain": gain}


def _task(archive: Archive, name: str) -> list[Track]:
    """A signal of the task; one whose description cannot be used is left out with a warning."""
    stem = name[: -len(".pro")]
    about = archive.xml(name)
    known = {one.tag.lower(): (one.text or "").strip() for one in about.iter()}
    label = known.get("description") or known.get("title") or stem
    rate = known.get("fsample", "").replace(",", ".")
    stream = next((one for one in archive.named(".sip") if one[: -len(".sip")] == stem), None)
    try:
        rate_hz = float(rate)
    except ValueError:
        rate_hz = 0.0
    if stream is None or not 0 < rate_hz < np.inf:
        say(f"{archive.path}: {label} is left out, as {name} does not tell its rate, or its .sip is missing")
        return []
    unit = text_of(about, "unity_of_measurement")
    return [Track(label, stream, 1, "<f8", (0,), (label,), rate_hz, (1.0,), unit)]
