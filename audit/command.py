"""`assay audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from assay.terminal.numbers import count, share
from assay.terminal.text import align, dump_json, screen_width, show_line, wrap

if TYPE_CHECKING:
    from assay.formats.audit_totals import AuditTotals, BudgetTotals
    from assay.formats.findings import Finding
    from assay.formats.leak_totals import BenchmarkTotals, SuiteTotals


@click.command("audit")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write."
)
@click.option("--val", multiple=True, metavar="INPUT", help="Validation documents; may repeat.")
@click.option(
    "--all-train",
    is_flag=True,
    help="Count files named val or test as train, too; without it, names tell (see above).",
)
@click.option(
    "--text-column",
    default="text",
    show_default=True,
    help="Column with the text, a field of one (doc.text), or one of messages.",
)
@click.option(
    "--tokenizer",
    metavar="NAME",
    help="An encoding of tiktoken's.  [default: gpt2; for bins with a meta.pkl, its characters]",
)
@click.option(
    "--dtype",
    type=click.Choice(["uint8", "uint16", "uint32", "int32", "int64"]),
    help="Of ids in bins that do not say it.  [default: told from the ids]",
)
@click.option(
    "--end-of-text",
    type=click.IntRange(0),
    metavar="ID",
    help="The id between documents of bins.  [default: the tokenizer's]",
)
@click.option(
    "--preset",
    metavar="NAME",
    help="Find near duplicates by the rule of fineweb, slimpajama, nemo, refinedweb, datasketch.",
)
@click.option(
    "--threshold",
    type=float,
    help="Jaccard of shingles at or above which two texts are near duplicates.  [default: 0.8]",
)
@click.option("--bands", type=click.IntRange(1), help="Bands of a signature.  [default: 16]")
@click.option("--rows", type=click.IntRange(1), help="Values in a band.  [default: 8]")
@click.option(
    "--shingle",
    metavar="UNIT:N",
    help="N words, letters or characters in a row.  [default: words:5]",
)
@click.option(
    "--signature",
    type=click.Choice(["affine32", "affine64", "slots"]),
    help="Permutations of 32 or 64 bits (datasketch's), or Fast Similarity Sketching.  "
    "[default: affine32]",
)
@click.option(
    "--ngram",
    default="words:13",
    metavar="words:N",
    show_default=True,
    help="Words in a row that a validation document must share with train to be looked at.",
)
@click.option(
    "--boilerplate",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="What stands in more than N clusters of train is boilerplate, and no leak.",
)
@click.option(
    "--benchmarks",
    multiple=True,
    metavar="FILE",
    help="Parquet of benchmark items to look for in train: suite, id, and text, or question and "
    "answers; may repeat.",
)
@click.option(
    "--benchmark-ngram",
    default="words:13",
    metavar="words:N",
    show_default=True,
    help="Words in a row that train must share with an item.",
)
@click.option(
    "--trust-token-count",
    is_flag=True,
    help="Take the shards' own token_count where a sample of them is right; encode nothing.",
)
@click.option(
    "--no-token-cache",
    "keep_tokens",
    flag_value=False,
    default=True,
    help="Do not keep the ids; prepare encodes again.",
)
@click.option(
    "--invalid-utf8",
    type=click.Choice(["replace", "drop", "stop"]),
    default="replace",
    show_default=True,
    help="What to do with a text that is not UTF-8.",
)
@click.option(
    "--on-bad-shard",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="skip sets unreadable shards aside and ends with exit code 4.",
)
@click.option(
    "--plan",
    metavar="PLAN",
    help="A training run to compare the tokens with: a nanoGPT config file (parsed, never run), "
    "overrides and sizes after it (see above).",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="EXPR",
    help="Exit 1 where it holds: 'leak>0', 'exact>10%'. exact and near are shares of tokens, leak "
    "of val documents.",
)
@click.option(
    "--allow-unmeasured",
    multiple=True,
    metavar="NAME",
    help="Let a --fail-on of this finding pass where it was not measured; else that fails, too.",
)
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print totals and findings as JSON.")
@click.pass_context
def audit_command(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    output: Path,
    val: tuple[str, ...],
    all_train: bool,
    fail_on: tuple[str, ...],
    allow_unmeasured: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure shards: tokens, lengths, exact and near duplicates, leakage.

    INPUT is a file of parquet, JSON lines (plain, .gz or .zst) or Arrow; a folder; a glob; or a bin
    of token ids: .bin of nanoGPT's, llm.c's, modded-nanogpt's or Megatron's (with its .idx), .npy,
    datatrove's .ds. Nothing is changed; the folder written is what `assay prepare` and `assay
    report` read.

    Names of files and folders tell their split, as Hugging Face's do: val, valid, validation and
    dev are validation documents, test is set apart. Stderr says which; --val names others.

    \b
    assay audit shards/ -o audit/
    assay audit train-*.parquet --val val.parquet -o audit/ --fail-on 'leak>0'
    assay audit bins/clean -o audit-of-bins/        train.bin against val.bin
    assay audit shards/ -o as-fineweb/ --preset fineweb
    assay audit shards/ -o audit/ --plan 'config/train.py --max_iters=20000'
    assay audit shards/ -o audit/ \\
      --plan '--params 40M --batch-tokens 524288 --iters 20000'

    Near duplicates are proposed by bands of MinHash signatures and verified by the true Jaccard of
    their shingles. A pair of Jaccard J is proposed with chance 1 - (1 - J^rows)^bands; the report
    states it, and measures it on pairs planted for the purpose. The first run on a machine compiles
    its kernels, about 15 seconds. Rerun the same command to resume an audit that was stopped, shard
    by shard (shards of less than 256 MB in all: from the beginning).
    """
    from assay.audit.auditors import leaks
    from assay.audit.auditors.gates import apply_gates, read_gates, warn_early
    from assay.audit.run import audit_shards
    from assay.corpus.inputs import list_inputs

    gates = read_gates(fail_on, allow_unmeasured=allow_unmeasured)
    if gates:
        has_plan = settings["plan"] is not None
        has_val = list_inputs(inputs, val, all_train=all_train).has_val
        known = dict.fromkeys((kind.name for kind in leaks.KINDS), has_val)
        known |= {"epochs": has_plan, "budget": has_plan}
        known["benchmarks"] = bool(settings["benchmarks"])
        for line in warn_early(gates, known):
            click.echo(line, err=True)
    audit = audit_shards(inputs, output, val=val, all_train=all_train, quiet=False, **settings)
    totals, findings = audit.totals, audit.read_findings()
    _print_result(totals, findings, as_json=as_json)
    failed = apply_gates(findings, gates)
    for line in failed:
        click.echo(line, err=True)
    if failed or totals.set_aside:
        ctx.exit(1 if failed else 4)


def _print_result(totals: AuditTotals, findings: list[Finding], *, as_json: bool) -> None:
    """Print totals and findings; name on stderr the shards that were set aside."""
    from assay.formats.findings import describe_findings

    if as_json:
        click.echo(dump_json({"totals": totals, "findings": findings}))
    else:
        click.echo(describe_totals(totals))
        if totals.budget is not UNSET:
            click.echo(describe_budget(totals.budget, screen_width()))
        if totals.benchmarks is not UNSET:
            click.echo(describe_benchmarks(totals.benchmarks))
        click.echo(describe_findings(findings, screen_width()))
    for shard in totals.shards:
        if shard.labels_unreadable:
            lost = f"{count(shard.labels_unreadable)} values of id and url are no text"
            click.echo(f"{show_line(shard.name)}: {lost}: null in the tables", err=True)
    for line in totals.set_aside:
        click.echo(f"set aside: {show_line(line, 500)}", err=True)


def describe_totals(totals: AuditTotals) -> str:
    """Say how much there is: a line a shard, and all of them together."""
    shards = totals.shards
    rows = [
        (shard.split, "not told" if shard.undivided else count(shard.documents), shard.tokens,
         shard.name)
        for shard in shards
    ]  # fmt: skip
    if len(shards) > 1:
        told = "not told" if totals.undivided else count(totals.documents)
        rows.append(("all", told, totals.tokens, f"{len(shards)} shards"))
    head = ("", "documents", "tokens", "")
    cells = [head] + [(a, b, count(c), show_line(d)) for a, b, c, d in rows]
    wide = [max(len(cell[i]) for cell in cells) for i in (1, 2)]
    return align([(a, b.rjust(wide[0]), c.rjust(wide[1]), d) for a, b, c, d in cells]) + "\n"


def describe_benchmarks(benchmarks: BenchmarkTotals) -> str:
    """Say how many items of each suite stand in train; suites alike up to a / are one row."""
    from assay.audit.leaks.contamination import estimate_share

    groups: dict[str, list[SuiteTotals]] = {}
    for suite in benchmarks.suites:
        groups.setdefault(suite.suite.partition("/")[0], []).append(suite)
    cells = [(f"{benchmarks.ngram} in train", "share of measured", "95% interval", "not measured")]
    for name, suites in [*groups.items(), ("all", [benchmarks.total])]:
        items, measured, contaminated = (
            sum(getattr(suite, field) for suite in suites)
            for field in ("items", "measured", "contaminated")
        )
        low, high = estimate_share(contaminated, measured) if measured else (0.0, 1.0)
        cells.append(
            (
                show_line(name, 80) + (f" ({len(suites)} suites)" if len(suites) > 1 else ""),
                share(contaminated, measured) if measured else "not measured",
                f"{100 * low:.2f} to {100 * high:.2f}%" if measured else "",
                count(items - measured),
            )
        )
    return align(cells) + "\n"


def describe_budget(budget: BudgetTotals, width: int | None = None) -> str:
    """Lay out the budget of an audit; `width` is a terminal's, None: a line each."""
    lines = [align(budget.rows)]
    if claimed := budget.claimed:
        lines.append(
            f"{claimed.label!r} claims {claimed.parameters / 1e6:g}M parameters; its "
            f"settings make {budget.parameters / 1e6:.2f}M"
        )
    lines += [f"- {caveat}" for caveat in budget.caveats]
    lines += budget.notes
    if width is not None:
        lines = [lines[0], *("\n  ".join(wrap(line, width - 2)) for line in lines[1:])]
    return "\n".join(lines) + "\n"
