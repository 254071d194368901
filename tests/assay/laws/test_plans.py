import json
import math
import re
from pathlib import Path

import pytest

from assay.cli import run
from assay.errors import UsageError
from assay.laws.budgets import describe_budget, draw_budget
from assay.laws.plans import read_plan
from tests.support.origin import CONFIG

SIZES = "--params 40.56M --batch-tokens 524288 --iters 14500"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "train_gpt2.py"
    path.write_text(CONFIG)
    return path


def test_a_nanogpt_config_is_counted_and_its_name_contradicted(config: Path) -> None:
    plan = read_plan(str(config))

    assert (plan.parameters, plan.blocks) == (40_560_000, 21_233_664)
    assert (plan.tokens_per_step, plan.steps) == (524_288, 20_000)
    assert plan.tokens == 10_485_760_000
    assert plan.find_claim() == ("125M-single-parquet-4070", 125e6)


def test_words_after_a_config_override_it(config: Path) -> None:
    plan = read_plan(f"{config} --max_iters=14500 --n_layer 6 --wandb_run_name=x")

    assert (plan.steps, plan.parameters) == (14_500, 29_938_560)
    assert plan.find_claim() is None


def test_sizes_alone_are_a_plan() -> None:
    plan = read_plan(SIZES)

    assert (plan.parameters, plan.tokens, plan.blocks) == (40_560_000, 7_602_176_000, None)


def test_a_name_that_fits_is_no_claim() -> None:
    assert read_plan(f"{SIZES} --out_dir=out-40M").find_claim() is None
    assert read_plan(f"{SIZES} --out_dir=v1.5b").find_claim() == ("v1.5b", 1.5e9)
    assert read_plan(f"{SIZES} --out_dir=4070Mix-b2").find_claim() is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--params 40M", "sets no batch_size"),
        ("--params 40M --batch-tokens 9 --iters 0", "--iters is '0'"),
        ("--params many --batch-tokens 9 --iters 9", "--params is 'many'"),
        ("--n_layer=2 --n_embd=x --batch-tokens 9 --iters 9", "n_embd is 'x'"),
        ("--n_layer=2 --n_embd=1e999 --batch-tokens 9 --iters 9", "n_embd is inf"),
        ("--n_layers=2", "no setting 'n_layers'"),
        ("--params 40M oops", "'oops' is not --name=value"),
        ("nothing.py", r"nothing\.py does not exist; name"),
        ("--params '40M", "cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_is_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_plan(text)


def test_code_that_decides_nothing_is_passed_over_and_said(tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    path.write_text("import time\nwandb_run_name = 'a' + str(time.time())\nn_layer = 2\n")

    plan = read_plan(str(path))

    assert plan.settings["n_layer"] == 2
    assert [note.split(", ")[1][:6] for note in plan.notes] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    "code",
    [
        "n_layer = int(open('MARK', 'w').write('2'))",
        "open('MARK', 'w')",
        "if True:\n    open('MARK', 'w')",
        "from os import path as n_layer",
        "from os import *",
        "n_layer += 1",
        "[n_layer for n_layer in (open('MARK', 'w'),)]",
    ],
)
def test_code_that_may_decide_something_is_refused_and_never_run(here: Path, code: str) -> None:
    Path("c.py").write_text(f"n_embd = 8\n{code}\n")

    with pytest.raises(UsageError, match=r"c\.py, line 2: .*code is never run"):
        read_plan("c.py")
    assert not Path("MARK").exists()


def test_toml_and_a_runs_manifest_are_read(tmp_path: Path) -> None:
    sizes = {"n_layer": 2, "n_embd": 8, "block_size": 4, "batch_size": 3, "max_iters": 10}
    sizes["gradient_accumulation_steps"] = 2
    (tmp_path / "c.toml").write_text("".join(f"{k} = {v}\n" for k, v in sizes.items()))
    manifest = {"kind": "run", "settings": {"config": {**sizes, "lr_decay_iters": None}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    plans = [read_plan(str(tmp_path / name)) for name in ("c.toml", "manifest.json")]

    assert [plan.tokens for plan in plans] == [240, 240]


def test_the_origin_cases_budget() -> None:
    plan = read_plan(f"{SIZES} --n_embd=384")
    budget = draw_budget(plan, 730_000_000)
    rows = dict(describe_budget(budget))

    assert budget.seen == 7_602_176_000
    assert (budget.epochs, budget.tokens_per_parameter) == pytest.approx((10.41, 187.4), abs=0.05)
    assert budget.effective / budget.seen == pytest.approx(0.77, abs=5e-3)
    assert draw_budget(plan, 700_000_000).epochs == pytest.approx(10.9, abs=0.05)
    assert rows["tokens seen"] == "7,602,176,000 (7.60B)"
    assert rows["repeats cost"] == "0.004 to 0.047 nats/token"


def test_audit_prints_the_arithmetic_of_a_plan(
    here: Path, corpus: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = f"{config} --max_iters=14500"

    code = run(["audit", str(corpus), "-o", "a", "--plan", plan, "--fail-on", "epochs>4"])

    out, err = capsys.readouterr()
    assert code == 1
    assert "gate failed: epochs is" in err
    assert "40,560,000 (40.56M by nanoGPT's count)" in out
    assert "524,288" in out
    assert "7,602,176,000 (7.60B)" in out
    assert "claims 125M parameters; its settings make 40.56M" in out
    assert re.search(r"high +epochs", out)
    assert "budget" in out
    assert "exceeded its own runs" in out


def test_a_bad_plan_stops_an_audit_before_it_begins(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", str(corpus), "-o", "a", "--plan", "--params 40M"]) == 2
    assert not Path("a").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_an_audit_without_a_plan_says_nothing_of_budgets(audited: Path) -> None:
    manifest = json.loads((audited / "manifest.json").read_text())

    assert "budget" not in manifest["totals"]
    assert "plan" not in manifest["settings"]


@pytest.mark.parametrize(
    ("unique", "says"),
    [
        (34_649, "nats/token or more (of so few tokens no formula tells)"),
        (3_000_000, "nothing bounds"),
        (50_000_000, "can part by at most 6.188 nats/token"),
        (700_000_000, "8.2 times what the model can memorise"),
    ],
)
def test_a_budget_tells_no_number_that_no_loss_can_have(unique: int, says: str) -> None:
    plan = read_plan("--params 124M --batch-tokens 491520 --iters 20000")

    rows = " ".join(f"{name} {value}" for name, value in describe_budget(draw_budget(plan, unique)))

    assert says in rows
    numbers = re.findall(r"([\d.]+) (?:nats|to )", rows)
    assert all(float(number) < math.log(50_257) for number in numbers)
    assert "0.0 times" not in rows


def test_a_config_may_name_what_it_set_before(tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    path.write_text(
        "n_layer: int = 2\nn_embd = 2 ** 3\nmax_iters = 5_000\nlr_decay_iters = max_iters\n"
    )

    settings = read_plan(str(path)).settings

    assert [settings[k] for k in ("n_layer", "n_embd", "lr_decay_iters")] == [2, 8, 5000]


@pytest.mark.parametrize(
    "code",
    [
        "n_layer = 9 ** 9 ** 9",
        "n_layer = (-2) ** 0.5",
        "n_layer = 9 ** 9\n" + "n_layer = n_layer * n_layer\n" * 60,  # would fill any memory
        "n_layer = unknown",
        "n_layer: int",
    ],
)
def test_what_a_name_or_a_power_does_not_tell_is_refused(tmp_path: Path, code: str) -> None:
    path = tmp_path / "c.py"
    path.write_text(code)

    with pytest.raises(UsageError, match=r"line \d: .*code is never run"):
        read_plan(str(path))


def test_an_override_stands_in_for_code(here: Path) -> None:
    Path("c.py").write_text("max_iters = int(open('MARK', 'w').write('2'))\n")

    plan = read_plan("c.py --max_iters=7")

    assert plan.steps == 7
    assert not Path("MARK").exists()


def test_a_start_from_gpt2_has_its_size(tmp_path: Path) -> None:
    path = tmp_path / "finetune.py"
    path.write_text("init_from = 'gpt2-medium'\nmax_iters = 20\n")

    plan = read_plan(str(path))

    assert plan.parameters == pytest.approx(353.8e6, rel=1e-3)
    assert "the sizes of its weights stand" in plan.notes[0]


def test_an_override_of_a_runs_shape_changes_its_parameters(tmp_path: Path) -> None:
    config = {"n_layer": 2, "n_embd": 8, "block_size": 4, "batch_size": 3, "max_iters": 10}
    config["gradient_accumulation_steps"] = 2
    manifest = {"kind": "run", "settings": {"config": config}, "totals": {"parameters": 999}}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))

    counted = read_plan(f"{path} --n_layer=2")
    assert read_plan(str(path)).parameters == 999
    assert counted.parameters == read_plan(f"{path} --n_layer=1").parameters + 12 * 8 * 8 + 2 * 8
    assert read_plan(f"{path} --n_layer=2 --params 777").parameters == 777


def test_a_number_of_parameters_that_was_told_is_not_called_counted() -> None:
    words = "--n_layer=12 --n_embd=384 --batch-tokens 524288 --iters 100"
    for text, shown in ((words, " by nanoGPT's count)"), (f"{words} --params 40M", "(40.00M)")):
        rows = dict(describe_budget(draw_budget(read_plan(text), 10**9)))
        assert rows["parameters"].endswith(shown)
