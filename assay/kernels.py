"""How this project compiles its numeric kernels: released GIL, and a cache in the user's folder.

Every file with kernels takes `njit` or `inline` from here, never from numba, so that numba is
told where to cache before it is first imported. Compiled code is a cache, not an artefact:
deleting the folder costs some seconds at the next start and nothing else.
"""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def stamp_kernels() -> str:
    """Return a short hash of every source file that holds kernels; about 3 ms.

    numba looks for changes only in the file of the function that it loads, and would run an old
    copy of a kernel that another file inlines.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for file in sorted([*root.glob("*.py"), *root.glob("*/*.py")]):
        source = file.read_bytes()
        if b"assay.kernels" in source or file == Path(__file__):
            digest.update(source)
    return digest.hexdigest()[:16]


def prepare_numba() -> Path:
    """Tell numba where to keep compiled kernels, and return that folder.

    A folder named by `NUMBA_CACHE_DIR` is left alone. Otherwise it lies in the user's cache
    folder; where that cannot be written, in a private temporary one that goes with the process.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    folder = Path(platformdirs.user_cache_dir("assay", appauthor=False)) / "numba" / stamp_kernels()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        # Cached code is run when it is loaded: a folder that others could fill is no place for it.
        folder = Path(tempfile.mkdtemp(prefix="assay-numba-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # imported by another library: it has read its environment already
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return folder


prepare_numba()

import numba  # noqa: E402
from numba.extending import intrinsic as _numba_intrinsic  # noqa: E402


def njit(function: Kernel) -> Kernel:
    """Compile a kernel at its first call, without the GIL, and cache it on disk."""
    return cast(Kernel, numba.njit(nogil=True, cache=True)(function))


def inline(function: Kernel) -> Kernel:
    """Let a small function be copied into each kernel that calls it."""
    return cast(Kernel, numba.njit(inline="always")(function))


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a numba function of one that writes LLVM instructions."""
    return cast(Callable[..., Any], _numba_intrinsic(function))
