"""All runs of the search, on the disk after each: a call that is cut off loses those in flight."""

import json
import math
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.recipe.plan import Result

LEDGER, NATS = "ledger.jsonl", "nats.tar"
TRIES = 2


@dataclass(slots=True)
class Ledger:
    """All runs so far, on the disk after each: the last line of a run counts."""

    work: Path
    out: Path
    lines: list[dict[str, Any]] = field(default_factory=list)

    def read(self, earlier: Path | None = None) -> None:
        """Take in what this folder holds, and what an earlier call left elsewhere."""
        for folder in [self.work, *([earlier] if earlier else [])]:
            known = {line["id"] for line in self.lines}
            path = folder / LEDGER
            text = path.read_text() if path.exists() else ""
            # A line that was cut off by a kill has no end, and is no run.
            whole = [
                json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n"
            ]
            self.lines += [line for line in whole if line["id"] not in known]
            if (folder / NATS).exists():
                with tarfile.open(folder / NATS) as tar:
                    tar.extractall(self.work / "nats", filter="data")
        self.save()

    def add(self, line: dict[str, Any]) -> None:
        """Add a run, and write all down."""
        self.lines.append(line)
        self.save()

    def save(self) -> None:
        """Write the ledger and the documents' losses, to both places."""
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        (self.work / "nats").mkdir(parents=True, exist_ok=True)
        self.out.mkdir(parents=True, exist_ok=True)
        partial = self.work / f"part-{LEDGER}"
        partial.write_text(text)
        partial.replace(self.work / LEDGER)
        shutil.copy(self.work / LEDGER, self.out / LEDGER)
        with tarfile.open(self.out / f"part-{NATS}", "w") as tar:
            for path in sorted((self.work / "nats").glob("*.npy")):
                tar.add(path, path.name)
        (self.out / f"part-{NATS}").replace(self.out / NATS)

    def results(self) -> dict[str, Result]:
        """Return what came of each run that is over: it has a loss, diverged, or failed twice."""
        found: dict[str, Result] = {}
        failures: dict[str, int] = {}
        for line in self.lines:
            key, loss = line["key"], line.get("loss")
            failures[key] = failures.get(key, 0) + ("error" in line)
            if loss is not None or line.get("diverged") or failures[key] >= TRIES:
                speed = line.get("tokens_per_second", 0.0)
                found[key] = Result(math.inf if loss is None else loss, speed)
        return found
