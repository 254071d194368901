"""The GPU experiments' chain on small bins: packed, unpacked, trained, stopped, judged, resumed."""

import argparse
import json
import random
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assay.formats.bins import Bins
from bench import gpu_experiments
from bench.gpu_data import NAMES, Text, make_copies, take_tokens
from bench.gpu_experiments import POOL, Bench, choose_experiments, judge, run_all
from bench.gpu_pack import pack_bins, unpack_bins
from bench.gpu_plan import EXPERIMENTS, SCALES, Experiment
from bench.simulate import read_noise, simulate
from bench.split_seeds import split_seeds, train_seeds
from tests.support.bins_fixture import draw_documents, make_bins

VAL = draw_documents(1, 30)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Bins]:
    root = tmp_path_factory.mktemp("made")
    clean = draw_documents(0, 120)
    train = {name: clean for name in NAMES} | {"u9": clean[:30], "u2": clean[:8]}
    train["dirty"] = [*clean[:60], *(clean[70:75] * 12)]
    for copies in (1, 4, 16):
        train[f"leak{copies}"] = [*clean, *(VAL[:4] * copies)]
    val = {name: VAL for name in NAMES} | {"asis": draw_documents(5, 26)}
    return [make_bins(root / name, train[name], val[name]) for name in NAMES]


def test_a_pack_gives_back_the_bytes_that_went_in(folders: list[Bins], tmp_path: Path) -> None:
    pack_bins(folders, tmp_path / "data.tar.xz")

    made = unpack_bins(tmp_path / "data.tar.xz", tmp_path / "bins")

    assert sorted(made) == sorted(NAMES)
    for bins in folders:
        for file in bins.folder.iterdir():
            assert (tmp_path / "bins" / bins.folder.name / file.name).read_bytes() == (
                file.read_bytes()
            )
    whole = sum(file.stat().st_size for bins in folders for file in bins.folder.glob("*.bin"))
    assert (tmp_path / "data.tar.xz").stat().st_size < whole / 3  # the folders share documents


def test_experiments_share_runs_and_no_two_runs_of_one_share_a_seed() -> None:
    keys = {
        experiment.name: [
            experiment.key(part, seed)
            for part in experiment.parts
            for seed in range(experiment.seeds)
        ]
        for experiment in EXPERIMENTS
    }

    for name, own in keys.items():
        assert len(set(own)) == len(own), name
    for experiment in EXPERIMENTS:
        streams = [part.stream for part in experiment.parts]
        assert len(set(streams)) == len(streams), experiment.name
    assert set(keys["E5-dropout"]) & set(keys["E2"]) == {f"u36-50M-0-{n}" for n in range(3)}
    assert len({key for own in keys.values() for key in own}) == 43


def list_missing(pool: str, experiments: tuple[Experiment, ...]) -> dict[str, list[str]]:
    """Return the runs that a pool lacks, of the experiments that lack any."""
    with tarfile.open(Path(__file__).parent.parent.parent / "bench/pools" / pool) as tar:
        pooled = {name.split("/")[0] for name in tar.getnames() if name.endswith("/manifest.json")}
    missing = {
        each.name: [
            key
            for seed in range(each.seeds)
            for part in each.parts
            if (key := each.key(part, seed)) not in pooled
        ]
        for each in experiments
    }
    return {name: keys for name, keys in missing.items() if keys}


def test_the_pool_has_every_run_of_every_experiment() -> None:
    assert list_missing("gpu-experiments.tar.xz", EXPERIMENTS) == {}


def test_the_pool_of_bytes_has_the_seeds_that_were_judged() -> None:
    scale = SCALES["bytes"]
    chosen = tuple(each.at(scale) for each in EXPERIMENTS if each.name[:2] in ("E3", "E5"))

    assert {each.name: each.seeds for each in chosen} == {"E3": 2, "E5-dropout": 3, "E5-rate": 2}
    assert list_missing("bytes-experiments.tar.xz", chosen) == {}


def test_the_time_goes_to_the_experiments_in_the_order_they_are_named_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    chosen = choose_experiments("E2b,E0,E2", parser)
    assert [each.name for each in chosen] == ["E2b", "E0", "E2"]
    with pytest.raises(SystemExit):
        choose_experiments("E0,E9", parser)
    assert "--only E0,E9: there are ['E0', 'E1'" in capsys.readouterr().err


def test_a_run_that_two_experiments_share_has_one_config(folders: list[Bins]) -> None:
    bins = {each.folder.name: each for each in folders}
    configs: dict[str, set[str]] = {}
    for experiment in EXPERIMENTS:
        for name, scale in SCALES.items():
            for part, arm in zip(experiment.parts, experiment.arms(bins, scale), strict=True):
                key = f"{name} {experiment.key(part, 0)}"
                configs.setdefault(key, set()).add(repr(arm.config))

    assert all(len(found) == 1 for found in configs.values()), configs


def test_the_chain_stops_in_time_goes_on_from_its_pool_and_judges(
    folders: list[Bins], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bins = {each.folder.name: each for each in folders}
    chosen = [each for each in EXPERIMENTS if each.name == "E2"]
    clock = iter(range(1000))
    ticking = SimpleNamespace(monotonic=lambda: float(next(clock)))
    monkeypatch.setattr(gpu_experiments, "time", ticking)
    out = tmp_path / "out"
    first = Bench(tmp_path / "one", out, bins, SCALES["tiny"], 15.0, [])

    stopped = run_all(first, chosen)

    assert "runs are missing" in stopped["E2"]["sentence"]
    trained = len(list(first.pool.glob("*/manifest.json")))
    assert 2 <= trained < 8
    with tarfile.open(out / POOL) as tar:
        tar.extractall(tmp_path / "two" / "pool", filter="data")
    second = Bench(tmp_path / "two", out, bins, SCALES["tiny"], 1e9, [])
    before = {path.parent.name for path in second.pool.glob("*/manifest.json")}
    assert len(before) == trained
    assert not list(second.pool.glob("*/*.safetensors"))

    found = run_all(second, chosen)

    assert found["E2"]["verdict"] in ("no detectable difference", "better", "equivalent", "worse")
    assert found["E2"]["also"]["name"] == "asis"
    written = json.loads((out / "verdicts.json").read_text())
    assert written["E2"] == json.loads(json.dumps(found["E2"]))
    with tarfile.open(out / POOL) as tar:
        tar.extractall(tmp_path / "three" / "pool", filter="data")
    elsewhere = Bench(tmp_path / "three", out, bins, SCALES["tiny"], 0.0, [])
    assert judge(elsewhere, chosen[0]).sentence == found["E2"]["sentence"]


def test_copies_fill_the_tokens_and_every_second_lap_is_edited() -> None:
    originals = [Text("one two three four five six " * 50, 300), Text("a b c d e " * 60, 300)]

    made = make_copies(originals, 1500, random.Random(0))

    assert [each.tokens for each in made] == [300] * 5
    assert [each.text for each in made[:2]] == [each.text for each in originals]
    assert made[2].text != originals[0].text
    assert made[4].text == originals[0].text
    assert take_tokens(made, 301) == made[:2]


def test_a_finished_comparison_of_equal_data_gives_the_noise_to_draw_from(
    folders: list[Bins], tmp_path: Path
) -> None:
    bins = {each.folder.name: each for each in folders}
    bench = Bench(tmp_path / "work", tmp_path / "out", bins, SCALES["tiny"], 1e9, [])
    found = run_all(bench, [each for each in EXPERIMENTS if each.name == "E0"])

    facts = simulate(read_noise(bench.work / "comparisons" / "E0"), 20, 0, 0)

    assert "verdict" in found["E0"]
    assert facts["noise"]["documents"] == 30
    assert facts["noise"]["both_sd"] > 0
    shares = [value for name, value in facts.items() if name.startswith(("false", "found"))]
    assert len(shares) == 8
    assert all(0 <= share <= 1 for share in shares)
    assert facts["found at 2x, 5 seeds"] > facts["false verdicts, 5 seeds"]


def test_seeds_of_real_runs_are_split_at_random(folders: list[Bins], tmp_path: Path) -> None:
    nats_SJ, tokens_J = train_seeds(folders[0], tmp_path, 6, 2)
    again_SJ, _ = train_seeds(folders[0], tmp_path, 6, 2)  # found, not trained

    assert nats_SJ.shape == (6, 30)
    assert (nats_SJ == again_SJ).all()
    assert 0 <= split_seeds(nats_SJ, tokens_J, 3, 20) <= 1
    apart_SJ = nats_SJ + np.repeat([0.0, 1e6], 3)[:, None]
    assert split_seeds(apart_SJ, tokens_J, 3, 40) > 0  # the one true split in ten is seen
