"""Small files of recording devices, written by their published layouts."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np


def tar(path: Path, members: dict[str, bytes]) -> Path:
    """An uncompressed archive."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def stored(values: np.ndarray, size: int) -> bytes:
    """Whole numbers, shape (channels, samples), interleaved little-endian with `size` bytes each."""
    flat = np.ascontiguousarray(values.T).astype("<i4")
    if size == 3:
        return flat.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return flat.astype(f"<i{size}").tobytes()


def adapter(label: str, start: int, channels: list[str], gain: float = 1, **more: str) -> str:
    """XML of an adapter of OTBiolab+ with channels of these sensors."""
    inner = "".join(
        f'<Channel Index="{i}" ID="{name}" Gain="1" Prefix="{more.get("prefix", "")}" '
        f'Muscle="Vastus lateralis" Description="Array 64 electrodes i.e.d. 8mm"/>'
        for i, name in enumerate(channels)
    )
    return (
        f'<Adapter ID="{label}" Gain="{gain}" ChannelStartIndex="{start}" AdapterIndex="1" '
        f'HighPassFilter="10" LowPassFilter="500">{inner}</Adapter>'
    )


def otb_plus_xml(
    adapters: list[str], total: int, *, device: str = "QUATTROCENTO", rate: str = "2048", bits=16
) -> str:
    """XML of an acquisition of OTBiolab+."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Device Name="{device};v1" SampleFrequency="{rate}" '
        f'DeviceTotalChannels="{total}" ad_bits="{bits}"><Channels>{"".join(adapters)}</Channels></Device>'
    )


def otb_plus(path: Path, raw: np.ndarray, *, size: int = 2, **more) -> Path:
    """A grid on all but the last two channels, an auxiliary input, a ramp, and a task of float64."""
    n = len(raw) - 2
    adapters = [
        adapter("QUATTROCENTO IN", 0, ["GR08MM1305"] * n, 150, prefix="MULTIPLE IN 1"),
        adapter("Direct connection to Auxiliary Input", n, ["AUX 1"], 0.5),
        adapter("AdapterControl", n + 1, ["RampChannel"]),
    ]
    task = (
        "<Signal><track_index>1</track_index><description>Acquired force</description>"
        "<unity_of_measurement>% MVC</unity_of_measurement><fsample>2048</fsample></Signal>"
    )
    return tar(
        path,
        {
            "patient.xml": b"<patient><sex>F</sex></patient>",
            "20260101120000.xml": otb_plus_xml(adapters, len(raw), **more).encode(),
            "20260101120000.sig": stored(raw, size),
            "1.pro": task.encode(),
            "1.sip": np.linspace(0, 30, raw.shape[1]).astype("<f8").tobytes(),
        },
    )


def track(
    title: str,
    channels: int,
    total: int,
    first: int,
    *,
    stream: str = "a.sig",
    size: int = 2,
    bits: int = 16,
    volts: float = 4.8,
    gain: float = 256,
    unit: str = "mV",
    factor: float = 1000,
    rate: str = "2000",
    subtitle: str = "",
    offset: int | None = None,
    control: str = "false",
) -> str:
    """XML of a track of OTBiolab24."""
    labels = "".join(
        f"<ChannelRapresentation><Index>{i}</Index><Label>{i + 1}</Label></ChannelRapresentation>"
        for i in range(channels)
    )
    inside = "" if offset is None else f"<ChannelOffsetInSubPacket>{offset}</ChannelOffsetInSubPacket>"
    return (
        f"<TrackInfo><Device>Novecento+;1</Device><Title>{title}</Title><SubTitle>{subtitle}</SubTitle>"
        f"<IsControl>{control}</IsControl><IsProcessing>false</IsProcessing>"
        f"<NumberOfChannels>{channels}</NumberOfChannels><TotalChannelsInFile>{total}</TotalChannelsInFile>"
        f"{inside}<AcquisitionChannel>{first}</AcquisitionChannel><SamplingFrequency>{rate}</SamplingFrequency>"
        f"<SampleSize>{size}</SampleSize><Gain>{gain}</Gain><ADC_Nbits>{bits}</ADC_Nbits>"
        f"<ADC_Range>{volts}</ADC_Range><UnitOfMeasurement>{unit}</UnitOfMeasurement>"
        f"<UnitOfMeasurementFactor>{factor}</UnitOfMeasurementFactor>"
        f"<SignalStreamPath>{stream}</SignalStreamPath>"
        "<StringsDescriptions><OriginalSensor>HD08MM1305</OriginalSensor>"
        "<HighPassFilter>10 Hz</HighPassFilter></StringsDescriptions>"
        f"<Channels>{labels}</Channels></TrackInfo>"
    )


def otb4(path: Path, tracks: list[str], streams: dict[str, bytes], task: list[str] | None = None) -> Path:
    """An archive of OTBiolab24."""
    members = {
        "DeviceParameters.xml": b"<DeviceParameters><AdBits>16</AdBits></DeviceParameters>",
        "Tracks_000.xml": f"<ArrayOfTrackInfo>{''.join(tracks)}</ArrayOfTrackInfo>".encode(),
    } | streams
    if task:
        members["TrapezoidalTracks_000.xml"] = (
            f"<ArrayOfTrackInfo>{''.join(task)}</ArrayOfTrackInfo>".encode()
        )
    return tar(path, members)


def _q(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data)) + data


def _intan_channel(name: str, custom: str, kind: int, order: int, *, stim: bool) -> bytes:
    numbers = [order, order, kind, 1, order] + ([0] if stim else []) + [0, 0, 0, 0, 0]
    return _q(name) + _q(custom) + struct.pack(f"<{len(numbers)}h", *numbers) + struct.pack("<ff", 1e6, 0.0)


def rhd(path: Path, amplifier: np.ndarray, *, rate_hz: float = 2000.0, first: int = 0) -> Path:
    """RHD 3.1: raw numbers of amplifiers, shape (channels, samples), an auxiliary input and an ADC input.

    128 samples make a block; the auxiliary input holds 1000, 1001 ..., the ADC input 32768 + the sample.
    """
    n, samples = amplifier.shape
    assert samples % 128 == 0
    channels = [_intan_channel(f"A-{i:03d}", f"vl {i}", 0, i, stim=False) for i in range(n)]
    channels += [
        _intan_channel("A-AUX1", "aux", 1, 0, stim=False),
        _intan_channel("ANALOG-IN-0", "force", 3, 0, stim=False),
    ]
    head = struct.pack("<Ihhf", 0xC6912702, 3, 1, rate_hz) + struct.pack("<h6f", 1, *[1.0] * 6)
    head += struct.pack("<hff", 0, 1000.0, 1000.0) + _q("") * 3 + struct.pack("<hh", 0, 0) + _q("n/a")
    head += struct.pack("<h", 1) + _q("Port A") + _q("A") + struct.pack("<hhh", 1, len(channels), n)
    blocks = []
    for at in range(0, samples, 128):
        stamps = np.arange(first + at, first + at + 128, dtype="<i4")
        adc = (32768 + np.arange(at, at + 128)).astype("<u2")
        aux = (1000 + np.arange(at // 4, at // 4 + 32)).astype("<u2")
        blocks += [
            stamps.tobytes(),
            amplifier[:, at : at + 128].astype("<u2").tobytes(),
            aux.tobytes(),
            adc.tobytes(),
        ]
    path.write_bytes(head + b"".join(channels) + b"".join(blocks))
    return path


def rhs(path: Path, amplifier: np.ndarray, *, rate_hz: float = 2000.0) -> Path:
    """RHS 3.0: raw numbers of amplifiers; the DC amplifiers are not saved, the stimulators are silent."""
    n, samples = amplifier.shape
    assert samples % 128 == 0
    channels = [_intan_channel(f"B-{i:03d}", "", 0, i, stim=True) for i in range(n)]
    head = struct.pack("<Ihhf", 0xD69127AC, 3, 0, rate_hz) + struct.pack("<h8f", 1, *[1.0] * 8)
    head += struct.pack("<hffhh3f", 0, 1000.0, 1000.0, 0, 0, 1e-6, 1e-9, 0.0) + _q("") * 3
    head += struct.pack("<hh", 0, 0) + _q("n/a") + struct.pack("<h", 1)
    head += _q("Port B") + _q("B") + struct.pack("<hhh", 1, n, n)
    blocks = []
    for at in range(0, samples, 128):
        stamps = np.arange(at, at + 128, dtype="<i4")
        blocks += [stamps.tobytes(), amplifier[:, at : at + 128].astype("<u2").tobytes(), bytes(256 * n)]
    path.write_bytes(head + b"".join(channels) + b"".join(blocks))
    return path


def discover(
    *, n: int = 12, separator: str = ",", comma: bool = False, rates: bool = True, events: bool = False
) -> str:
    """Export of Trigno Discover: EMG of two sensors at 2000 Hz (k + 0.5, -k), acceleration at 500 Hz."""

    def cell(value: float) -> str:
        text = f"{value:.7g}"
        return text.replace(".", ",") if comma else text

    s = separator + " "
    rows = [
        f"Application:{s}Trigno Discover (1.7.0)",
        f"Date/Time:{s}2026/01/01 12:00:00",
        f"Collection Length (seconds):{s}{cell(n / 2000)}",
        s.join(["Avanti Sensor 1 (75923)", "", "", "", "Avanti Sensor 2 (75924)", "", "", ""]),
        s.join(["sensor mode: 65", "", "", "", "sensor mode: 65", "", "", ""]),
        s.join(["EMG 1 Time Series (s)", "EMG 1 (mV)", "ACC X Time Series (s)", "ACC X (G)"] * 2),
    ]
    if rates:
        rows.append(s.join(["", f"{cell(2000.0)} Hz", "", f"{cell(500.0)} Hz"] * 2))
        end = s + s.join(["", "Type", "Name", "Label", "Time (s)"]) if events else ""
        rows.append(s.join(["", f"{cell(0.0005)} s", "", f"{cell(0.002)} s"] * 2) + end)
    for k in range(n):
        slow = [cell(k / 500), cell(k / 10)] if k < n // 4 else ["", ""]
        row = [cell(k / 2000), cell(k + 0.5), *slow, cell(k / 2000), cell(-k), *slow]
        rows.append(
            s.join(row) + (s + s.join(["", "General", "E 1", "x", "0.1"]) if events and k < 2 else "")
        )
    return "\n".join(rows) + "\n"


def emgworks(*, n: int = 12, unit: str = "V", labels: bool = True) -> str:
    """Export of EMGworks: EMG at 2000 Hz (k * 1e-6) and an acceleration at 500 Hz (k / 10)."""
    names = [("R VASTUS: EMG 1", "2000.000", unit), ("R VASTUS: ACC.X 1", "500.000", "g")]
    rows = [
        f"Label: {name} Sampling frequency: {rate} Number of points: {n} start: 0 Unit: {one} Domain Unit: s"
        for name, rate, one in names
        if labels
    ]
    shown = [name if labels or not unit else f"{name}[{one}]" for name, _, one in names]
    rows.append(f'X[s],"{shown[0]}",X[s],"{shown[1]}"')
    for k in range(n):
        slow = [f"{k / 500:.4f}", f"{k / 10}"] if k < n // 4 else ["", ""]
        rows.append(",".join([f"{k / 2000:.4f}", f"{k * 1e-6:.3e}", *slow]))
    return "\n".join(rows) + "\n"
