"""Runs of a search on a GPU, on the disk after each: a call that is cut off loses one at most."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[float, int, int, int], dict[str, Any]]  # rate, warmup, steps, seed
GUESS = {"plain": 0.66, "modern": 0.45}  # seconds a step, before any was timed


class Ledger:
    """The runs so far, on the disk after each; knows what there is time for."""

    def __init__(self, out: Path, before: Path | None, seconds: float) -> None:
        self.out, self.end = out, time.monotonic() + seconds
        earlier = next((path for path in (out, before) if path and path.exists()), None)
        self.facts: dict[str, Any] = json.loads(earlier.read_text()) if earlier else {"runs": {}}

    def run(
        self, side: str, rate: float, warmup: int, steps: int, make: Run, seed: int = 0
    ) -> dict[str, Any]:
        """Return a run, made now if it was not before.

        Raises:
            TimeoutError: There is no time left for it.
        """
        key = f"{side} rate={rate:g} warmup={warmup} steps={steps}" + (
            f" seed={seed}" if seed else ""
        )
        runs = self.facts["runs"]
        if key not in runs:
            paces = [
                each["seconds"] / each["steps"] for each in runs.values() if each["side"] == side
            ]
            needed = steps * max(paces or [GUESS[side]]) + 20
            if time.monotonic() + needed > self.end:
                raise TimeoutError(f"no time for {key} ({needed:.0f} s); run the command again")
            runs[key] = {"side": side, "rate": rate, "warmup": warmup, "steps": steps}
            try:
                runs[key] |= make(rate, warmup, steps, seed)
            except BaseException:
                del runs[key]
                raise
            print(f"{key}: {runs[key]}", file=sys.stderr, flush=True)
            self.save()
        found: dict[str, Any] = runs[key]
        return found

    def runs_of(self, side: str, steps: int) -> list[dict[str, Any]]:
        """Return a side's runs of so many steps."""
        runs = self.facts["runs"].values()
        return [run for run in runs if (run["side"], run["steps"]) == (side, steps)]

    def save(self) -> None:
        """Write what there is."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(json.dumps(self.facts, indent=2) + "\n", encoding="utf-8")
