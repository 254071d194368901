"""No mutated input ends an audit in a traceback, or in a total that another reader denies."""

import json
import shutil
import zlib
from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.independent import count_documents
from tests.fuzz.mutations import mutate
from tests.fuzz.regions import find_regions
from tests.fuzz.seeds import SEEDS, count_valid, write_seed
from tests.fuzz.worker import Worker

MUTATIONS = 64  # of each seed
REFUSALS = (2, 3)


def check(worker: Worker, path: Path, output: Path, words: str, valid: dict[str, int]) -> str:
    """Audit a file; return how it ended, having held its totals against another reader's.

    Other readers refuse what does no harm, a writer's name that is not UTF-8 say: what they refuse
    may be read where the totals are those of the valid file, or where texts were mended.
    """
    answer = worker.run(["audit", str(path), "-o", str(output), "--json", "--threads", "1"])
    assert answer.code is not None, f"{words}: {answer.err}"
    assert "Traceback" not in answer.err, f"{words}: {answer.err}"
    if answer.code != 0:
        assert answer.code in REFUSALS, f"{words}: {answer.code} {answer.err}"
        lines = [line for line in answer.err.splitlines() if line.startswith("assay: ")]
        assert len(lines) == 1, f"{words}: {answer.err}"
        return "refused"
    totals = json.loads(answer.out)["totals"]
    expected = count_documents(path)
    if expected is None:
        harmless = {name: totals[name] for name in valid} == valid
        assert harmless or totals["invalid_utf8"], f"{words}: the other reader refuses it"
        return "read alone"
    assert {name: totals[name] for name in expected} == expected, words
    return "read"


@pytest.mark.parametrize("name", SEEDS)
def test_the_other_reader_reads_what_is_valid(tmp_path: Path, name: str) -> None:
    path = write_seed(name, tmp_path)

    found = count_documents(path)

    assert found is not None
    if name != "groups.parquet":  # a fifth of its texts are null
        assert found == {key: count_valid()[key] for key in found}
    with Worker() as worker:
        assert check(worker, path, tmp_path / "audit", name, found) == "read"


@pytest.mark.long
@pytest.mark.parametrize("name", SEEDS)
def test_no_mutation_is_read_wrong(tmp_path: Path, name: str) -> None:
    valid = write_seed(name, tmp_path)
    whole, regions = valid.read_bytes(), find_regions(valid)
    path, output = tmp_path / "mutated" / name, tmp_path / "audit"
    counts = count_documents(valid)
    assert counts is not None
    path.parent.mkdir()
    ends: Counter[str] = Counter()

    with Worker() as worker:
        for place in range(MUTATIONS):
            data, words = mutate(whole, regions, f"{name}-{place}")
            path.write_bytes(data)
            ends[check(worker, path, output, words, counts)] += 1
            shutil.rmtree(output, ignore_errors=True)

    print(f"{name}: {dict(ends)}")
    assert ends["read"] >= MUTATIONS // 10
    assert ends["refused"] >= 1


def test_mutations_are_the_same_each_time(tmp_path: Path) -> None:
    valid = write_seed("plain.parquet", tmp_path)
    whole, regions = valid.read_bytes(), find_regions(valid)

    sums = [zlib.crc32(mutate(whole, regions, f"s{n}")[0]) for n in range(50)]

    assert sums == [zlib.crc32(mutate(whole, regions, f"s{n}")[0]) for n in range(50)]
    assert len(set(sums)) > 40
