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
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import platformdirs
from numpy.typing import NDArray

ROOMS_WITH_KERNELS = ("audit", "prepare")
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def stamp_kernels() -> str:
    """Return a short hash of every source file that holds kernels; about 3 ms.

    numba looks for changes only in the file of the function that it loads, and would run an old
    copy of a kernel that another file inlines.
    """
    digest = hashlib.sha256()
    for file in list_sources():
        source = file.read_bytes()
        if b"assay.kernels" in source or file == Path(__file__):
            digest.update(source)
    return digest.hexdigest()[:16]


def list_sources() -> list[Path]:
    """Return every file of Python in which kernels may be, at any depth.

    A room with kernels is asked for where it lies: inside this folder once it is installed, in a
    checkout beside it. The links to the rooms may be missing there, and are not followed.
    """
    folders = [Path(__file__).parent]
    for room in ROOMS_WITH_KERNELS:
        spec = find_spec(f"{__package__}.{room}")
        folders += map(Path, (spec and spec.submodule_search_locations) or [])
    return sorted({path for folder in folders for path in folder.rglob("*.py")})


def prepare_numba() -> Path:
    """Tell numba where to keep compiled kernels, and return that folder.

    A folder named by `NUMBA_CACHE_DIR` is left alone. Otherwise it lies in the user's cache
    folder; where that cannot be written, in a private temporary one that goes with the process.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
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
from numba.core.caching import FunctionCache  # noqa: E402
from numba.core.runtime.nrt import rtsys  # noqa: E402
from numba.extending import intrinsic as _numba_intrinsic  # noqa: E402


class CompileClock:
    """How many kernels this process compiled, and the seconds that took.

    `announce` is called, once, before the first of them: compiling takes long enough to be told.
    """

    def __init__(self) -> None:
        self.kernels = 0
        self.seconds = 0.0
        self.announce: Callable[[], None] | None = None
        self._began: list[float] = []

    def begin(self) -> None:
        """Note that a kernel is about to be compiled; those that it calls come within its time."""
        if self.announce is not None:
            announce, self.announce = self.announce, None
            announce()
        self._began.append(time.perf_counter())

    def end(self) -> None:
        """Note that the kernel begun last is compiled."""
        if self._began:
            began = self._began.pop()
            self.kernels += 1
            if not self._began:
                self.seconds += time.perf_counter() - began


compile_clock = CompileClock()


class _KernelCache(FunctionCache):
    """Loads a compiled kernel without preparing numba's compiler, which takes 0.3 s.

    numba prepares it before it looks whether there is anything to compile. The compiler brings
    scipy's linear algebra, and whatever other packages registered as extensions (awkward is one).
    A kernel that is in the cache needs the run-time alone.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kernel for a signature, or None, with the compiler ready, if there is none."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            loaded = self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if loaded is None:
            compile_clock.begin()
            target_context.refresh()
        return loaded

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel that was just compiled."""
        super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        compile_clock.end()


def njit(function: Kernel) -> Kernel:
    """Compile a kernel at its first call, without the GIL, and cache it on disk."""
    dispatcher = numba.njit(nogil=True)(function)
    if hasattr(dispatcher, "_cache") and hasattr(dispatcher, "_compilation_chain_init_hook"):
        dispatcher._cache = _KernelCache(function)  # type: ignore[no-untyped-call]
        dispatcher._compilation_chain_init_hook = lambda: None  # `refresh` does what it did
    else:  # a numba that is built in another way: slower to start, but as good
        dispatcher.enable_caching()
    return cast(Kernel, dispatcher)


def inline(function: Kernel) -> Kernel:
    """Let a small function be copied into each kernel that calls it."""
    return cast(Kernel, numba.njit(inline="always")(function))


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a numba function of one that writes LLVM instructions."""
    return cast(Callable[..., Any], _numba_intrinsic(function))


def keep_array(
    name: str, build: Callable[[], NDArray[Any]], shape: tuple[int, ...], dtype: Any
) -> NDArray[Any]:
    """Return an array that takes long to build, read-only, from the cache of compiled kernels.

    Where it is not there, or is not whole, it is built, and kept if that can be done.
    """
    path = Path(os.environ["NUMBA_CACHE_DIR"]) / f"{name}.bin"
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with suppress(OSError):
        if path.stat().st_size == size:
            return np.memmap(path, dtype, "r", shape=shape).view(np.ndarray)
    array = build()
    with suppress(OSError):  # a cache: without it the next process builds the array again
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(array.tobytes())
        os.replace(file.name, path)
    array.flags.writeable = False
    return array
