"""The peers: what a user would run today, each in its own venv, at the versions in `bench/*.txt`.

Nothing is fetched while a peer runs, and nothing is kept from one run to the next: caches lie in
the run's own folder.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha1, sha256
from pathlib import Path

from bench.measure import Measurement, measure_command

HERE = Path(__file__).resolve().parent
PEERS = ("text-dedup", "nanogpt")
_RANKS_URL = "https://openaipublic.blob.core.windows.net/encodings/r50k_base.tiktoken"
_RANKS_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"


def make_venv(peer: str, work: Path) -> Path:
    """Return the python of a peer's venv, made with pip if it is missing or of other versions.

    Raises:
        subprocess.CalledProcessError: pip could not install a package.
    """
    requirements = HERE / f"{peer}.txt"
    venv = work / "venvs" / peer
    stamp = venv / "requirements.sha256"
    wanted = sha256(requirements.read_bytes()).hexdigest()
    python = venv / "bin" / "python"
    if python.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing {peer} in {venv}", file=sys.stderr)
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(python), "-m", "pip", "install", "-qq", "--no-deps", "-r", str(requirements)]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    # Compiled now, or the first timed run would compile for the others.
    subprocess.run([str(python), "-m", "compileall", "-q", str(venv / "lib")], check=False)
    stamp.write_text(wanted)
    return python


def store_ranks(corpora: Path, work: Path) -> Path:
    """Put GPT-2's ranks where tiktoken looks for its download of r50k_base; return that folder.

    Raises:
        ValueError: The file under `corpora` is not the one that tiktoken would accept.
    """
    source = corpora / "vocab" / "r50k_base.tiktoken"
    found = sha256(source.read_bytes()).hexdigest()
    if found != _RANKS_SHA256:
        raise ValueError(f"{source} has sha256 {found}, tiktoken needs {_RANKS_SHA256}")
    folder = work / "tiktoken"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / sha1(_RANKS_URL.encode()).hexdigest())
    return folder


def run_text_dedup(python: Path, shards: Path, folder: Path) -> Measurement:
    """Time text-dedup's MinHash: 5-grams of words, 128 permutations, 16 bands of 8, two processes.

    The deduplicated dataset is in `folder`/deduplicated.
    """
    command = [
        *(str(python), "-m", "text_dedup.minhash"),
        *("--path", "parquet", "--data_files", str(shards / "*.parquet"), "--split", "train"),
        *("--column", "text", "--ngram", "5", "--num_perm", "128", "--b", "16", "--r", "8"),
        *("--threshold", "0.8", "--num_proc", "2"),
        *("--cache_dir", str(folder / "cache"), "--output", str(folder / "deduplicated")),
    ]
    environment = isolate(folder)
    return measure_command("text-dedup", command, folder=folder, environment=environment)


def run_nanogpt(python: Path, shards: Path, folder: Path, *, ranks: Path) -> Measurement:
    """Time what nanoGPT's prepare does; the bins are in `folder`."""
    command = [str(python), str(HERE / "nanogpt_prepare.py"), str(shards), str(folder)]
    environment = isolate(folder) | {"TIKTOKEN_CACHE_DIR": str(ranks)}
    return measure_command("nanogpt", command, folder=folder, environment=environment)


def isolate(folder: Path) -> dict[str, str]:
    """Return this environment, offline, with Hugging Face's and temporary files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "huggingface"),
        "HF_DATASETS_CACHE": str(folder / "huggingface" / "datasets"),
        "TMPDIR": str(folder),
    }


def list_versions(python: Path) -> dict[str, str]:
    """Return the versions of what does a peer's work."""
    names = ("text-dedup", "datasets", "tiktoken", "numpy", "pyarrow")
    script = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name']: d.version for d in m.distributions()}\n"
        "print('\\n'.join(f'{n} {found[n]}' for n in sys.argv[1:] if n in found))"
    )
    done = subprocess.run([str(python), "-c", script, *names], check=True, capture_output=True)
    pairs = (line.split() for line in done.stdout.decode().splitlines())
    return {name: version for name, version in pairs}
