"""A process that carries out commands of assay's, one a line, with bounds on memory and time.

A command that ends the process, as a crash in a library does, is seen as such, and the next
command gets a new one.
"""

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType

MEMORY_BYTES = 6_000_000_000
_SECONDS = 60.0
_LOOP = f"""
import contextlib, io, json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
from assay.cli import run
answers = sys.stdout
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(json.loads(line))
        except BaseException:
            import traceback
            traceback.print_exc()
            code = -1
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: exit code (None: the process died or hung), stdout, stderr."""

    code: int | None
    out: str
    err: str


class Worker:
    """Carries out commands in a process of its own; a context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def run(self, command: list[str]) -> Answer:
        """Carry out a command, `audit FILE -o DIR` say, and wait for it."""
        process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line:
            code = process.poll()
            self._end()
            return Answer(None, "", f"ended by {code}" if ready else f"over {_SECONDS:g} s")
        return Answer(*json.loads(line))

    def _begin(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
        )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
