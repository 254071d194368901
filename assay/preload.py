"""Import modules while other threads work without the GIL."""

import threading
from contextlib import suppress
from importlib import import_module


def preload(module: str) -> None:
    """Start importing a module on a thread of its own; who imports it waits for it.

    An import takes the GIL, kernels do not: so the time of both passes once. A module that is not
    there is not an error here: who needs it will say so.
    """

    def load() -> None:
        with suppress(ImportError):
            import_module(module)

    threading.Thread(target=load, name="preload").start()
