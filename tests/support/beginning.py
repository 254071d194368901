"""What a session of tests needs before its first test."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from filelock import FileLock

# Read by libraries with threads of their own when they are imported: they are, by our conftest.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def restore_interrupts() -> None:
    """Let SIGINT interrupt, here and in processes that are started from here.

    A script that starts `pytest &` starts it with SIGINT ignored, and every process below inherits
    that: nothing that ends at Ctrl-C could be tested.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def share_cores(workers: int) -> None:
    """Give each of so many workers, which are still to be started, its part of the cores."""
    for name in THREADS:
        os.environ.setdefault(name, str(max((os.cpu_count() or 1) // workers, 1)))


def compile_kernels() -> None:
    """Compile the kernels that audits use: once for all workers, and for sessions side by side.

    Otherwise each worker would compile them, and the first test that audits would find on stderr
    what is said of that.
    """
    from assay.kernels import prepare_numba

    folder = prepare_numba()
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "compiled-for-tests"
    with FileLock(folder / "compiled-for-tests.lock"):
        if not done.exists():
            root = Path(__file__).parent.parent.parent
            command = [sys.executable, "-m", "tests.support.compile_all"]
            subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL)
            done.touch()


def has_cuda() -> bool:
    """Whether torch finds a CUDA device."""
    import torch

    return torch.cuda.is_available()


class WithoutTorch(MetaPathFinder):
    """Skips the test, or the file of tests, that asks for torch."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Skip where torch, or what is of no use without it, is imported; leave the rest."""
        if name.partition(".")[0] in ("torch", "safetensors"):
            pytest.skip("needs torch", allow_module_level=True)
        return None
