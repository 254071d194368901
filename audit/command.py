"""`assay audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.audit.options import AskedRule, rule_options
from assay.terminal.numbers import count
from assay.terminal.text import align, dump_json, screen_width, show_line

if TYPE_CHECKING:
    from assay.formats.findings import Finding


@click.command("audit")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write."
)
@click.option("--val", multiple=True, metavar="INPUT", help="Validation documents; may repeat.")
@click.option("--text-column", default="text", show_default=True, help="Column with the text.")
@click.option("--tokenizer", default="gpt2", show_default=True, help="An encoding of tiktoken's.")
@rule_options
@click.option(
    "--trust-token-count",
    is_flag=True,
    help="Take the shards' own token_count where a sample of them is right; encode nothing.",
)
@click.option("--no-token-cache", is_flag=True, help="Do not keep the ids; prepare encodes again.")
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
    help="A training run to hold the tokens against: a nanoGPT config file (parsed, never run), "
    "overrides and sizes after it (see above).",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="EXPR",
    help="Exit 1 where it holds: 'leak>0', 'exact>10%'. exact and near are shares of tokens, leak "
    "of val documents.",
)
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print totals and findings as JSON.")
@click.pass_context
def audit_command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    output: Path,
    val: tuple[str, ...],
    text_column: str,
    tokenizer: str,
    asked: AskedRule,
    trust_token_count: bool,
    no_token_cache: bool,
    invalid_utf8: str,
    on_bad_shard: str,
    plan: str | None,
    fail_on: tuple[str, ...],
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure shards: tokens, lengths, exact and near duplicates, leakage.

    INPUT is a parquet file, a folder, a glob, or a .bin of nanoGPT's or llm.c's. Nothing is
    changed; the folder written is what `assay prepare` and `assay report` read.

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
    its kernels, some 15 seconds. A run that was stopped goes on by the same command, shard by shard
    (shards of less than 256 MB in all: from the beginning).
    """
    from assay.audit.findings.gates import check_gates
    from assay.audit.run import Settings, audit_shards
    from assay.laws.plans import read_plan

    check_gates(fail_on, inputs, val, planned=plan is not None)
    settings = Settings(
        text_column=text_column,
        tokenizer=tokenizer,
        rule=asked.choose(),
        trust_token_count=trust_token_count,
        keep_tokens=not no_token_cache,
        invalid_utf8=invalid_utf8,
        on_bad_shard=on_bad_shard,
        threads=threads,
        plan=read_plan(plan) if plan is not None else None,
    )
    audit = audit_shards(inputs, output, val=val, settings=settings, quiet=False)
    totals, findings = audit.manifest.totals, audit.read_findings()
    _print_result(totals, findings, as_json=as_json)
    if code := _find_exit_code(totals, findings, fail_on):
        ctx.exit(code)


def _print_result(totals: dict[str, Any], findings: list[Finding], *, as_json: bool) -> None:
    """Print totals and findings; name on stderr the shards that were set aside."""
    from assay.audit.findings.budget import describe_plan
    from assay.formats.findings import describe_findings

    if as_json:
        click.echo(dump_json({"totals": totals, "findings": findings}))
    else:
        click.echo(describe_totals(totals))
        if "budget" in totals:
            click.echo(describe_plan(totals["budget"], screen_width()))
        click.echo(describe_findings(findings, screen_width()))
    for line in totals["set_aside"]:
        click.echo(f"set aside: {show_line(line, 500)}", err=True)


def _find_exit_code(
    totals: dict[str, Any], findings: list[Finding], fail_on: tuple[str, ...]
) -> int:
    """Return 1 if a gate failed, which is told on stderr, 4 if a shard was set aside, else 0."""
    from assay.formats.findings import apply_gates

    failed = apply_gates(findings, fail_on)
    for line in failed:
        click.echo(line, err=True)
    if failed:
        return 1
    return 4 if totals["set_aside"] else 0


def describe_totals(totals: dict[str, Any]) -> str:
    """Say how much there is: a line a shard, and all of them together."""
    shards = totals["shards"]
    rows = [
        (shard["split"], shard["documents"], shard["tokens"], shard["name"]) for shard in shards
    ]
    if len(shards) > 1:
        rows.append(("all", totals["documents"], totals["tokens"], f"{len(shards)} shards"))
    head = ("", "documents", "tokens", "")
    cells = [head] + [(a, count(b), count(c), show_line(d)) for a, b, c, d in rows]
    wide = [max(len(cell[i]) for cell in cells) for i in (1, 2)]
    return align([(a, b.rjust(wide[0]), c.rjust(wide[1]), d) for a, b, c, d in cells]) + "\n"
