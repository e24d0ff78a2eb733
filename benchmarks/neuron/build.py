"""Compile the NMODL mechanisms: ``python benchmarks/neuron/build.py [FOLDER]``.

Three libraries result below FOLDER (default: ``build`` next to this file, which git
ignores): ``neuron`` (mechanisms as usually written, the wheel's own compiler flags), and with native
flags ``neuron-native``, ``neuron-lean`` and ``coreneuron-lean``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_FOLDER = HERE / "build"
# The wheel compiles mechanisms with -O2 for a generic machine; these win a factor of two.
FLAGS = (
    "-O3 -march=native -ffast-math -mprefer-vector-width=512 -fopenmp-simd"
    # Lets the compiler inline a mechanism's own functions in a shared library.
    " -fno-semantic-interposition"
)
# peer: (folder of the mechanisms, whether CoreNEURON is wanted too, compiler flags; "" for the wheel's own)
PEERS: dict[str, tuple[str, bool, str]] = {
    "neuron": ("mod", False, ""),
    "neuron-native": ("mod", False, FLAGS),
    "neuron-lean": ("mod_lean", False, FLAGS),
    "coreneuron-lean": ("mod_lean", True, FLAGS),
}


def library(peer: str, folder: Path = DEFAULT_FOLDER) -> Path:
    """Path of the library of a peer, built or not."""
    found = sorted((folder / peer).glob("*/libnrnmech.*"))
    return found[0] if found else folder / peer / "x86_64" / "libnrnmech.so"


def find_compiler() -> str:
    """Path of nrnivmodl: beside this Python first, then on the PATH."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("nrnivmodl", path=path)
    if found is None:
        raise SystemExit("nrnivmodl not found: install NEURON first (uv sync --group bench)")
    return found


def build(peer: str, folder: Path = DEFAULT_FOLDER) -> Path:
    """Compile the mechanisms of one peer.

    Parameters
    ----------
    peer : str
        A key of `PEERS`.
    folder : Path
        The parent of the peer's own folder, which is emptied first.

    Returns
    -------
    Path
        The library.
    """
    source, core, flags = PEERS[peer]
    target = folder / peer
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # The mechanisms are copied: nrnivmodl leaves files beside what it compiles.
    shutil.copytree(HERE / source, target / source)
    command = [find_compiler()]
    command += ["-incflags", flags] if flags else []
    command += ["-coreneuron"] if core else []
    # The makefiles name the wheel builder's compiler; nmodl looks for `python`.
    env = {"CC": "gcc", "CXX": "g++", **os.environ}
    env["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), env.get("PATH", "")])
    result = subprocess.run(
        [*command, source], cwd=target, env=env, capture_output=True, text=True, check=False
    )
    (target / "build.log").write_text(result.stdout + result.stderr)
    made = library(peer, folder)
    if result.returncode or not made.exists():
        raise SystemExit(f"{peer}: compilation failed, see {target / 'build.log'}")
    return made


def main() -> None:
    """Build all peers, or those named after the folder."""
    arguments = sys.argv[1:]
    folder = Path(arguments[0]).resolve() if arguments else DEFAULT_FOLDER
    for peer in arguments[1:] or PEERS:
        if peer not in PEERS:
            raise SystemExit(f"unknown peer {peer!r}; known: {', '.join(PEERS)}")
        print(build(peer, folder))


if __name__ == "__main__":
    main()
