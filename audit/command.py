"""`assay audit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import UNSET

from assay.terminal.numbers import count
from assay.terminal.text import dump_json, screen_width, show_line

if TYPE_CHECKING:
    from assay.audit.auditors.gates import Gate
    from assay.formats.audit import Audit
    from assay.formats.audit_totals import AuditTotals
    from assay.formats.findings import Finding


@click.command("audit")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write."
)
@click.option("--val", multiple=True, metavar="INPUT", help="Validation documents; may repeat.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Judge this audit again, at another --threshold, and read no shard: in place of INPUT.",
)
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
    "--near",
    type=click.Choice(["keeper", "component"]),
    default="keeper",
    show_default=True,
    help="keeper: a document goes only if it nearly repeats one that stays. component: of "
    "documents linked by near duplicates one stays.",
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
    source: Path | None,
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
    assay audit --from audit/ --threshold 0.9 -o audit-at-0.9/

    Near duplicates are proposed by bands of MinHash signatures and verified by the true Jaccard of
    their shingles. A pair of Jaccard J is proposed with chance 1 - (1 - J^rows)^bands; the report
    states it, and measures it on pairs planted for the purpose. The first run on a machine compiles
    its kernels, about 15 seconds. Rerun the same command to resume an audit that was stopped, shard
    by shard (shards of less than 256 MB in all: from the beginning).
    """
    from assay.audit.auditors.gates import apply_gates, read_gates
    from assay.audit.run import audit_shards

    gates = read_gates(fail_on, allow_unmeasured=allow_unmeasured)
    if source is not None:
        _refuse_beside_source(ctx)
        audit = _judge_again(source, output, settings["threshold"], settings["plan"])
    elif not inputs:
        raise click.UsageError("Missing argument 'INPUT...'.", ctx)
    else:
        if gates:
            _warn_early(gates, inputs, val, settings, all_train=all_train)
        audit = audit_shards(inputs, output, val=val, all_train=all_train, quiet=False, **settings)
    totals, findings = audit.totals, audit.read_findings()
    _print_result(totals, findings, as_json=as_json)
    failed = apply_gates(findings, gates)
    for line in failed:
        click.echo(line, err=True)
    if failed or totals.set_aside:
        ctx.exit(1 if failed else 4)


def _warn_early(
    gates: Sequence[Gate],
    inputs: Sequence[str],
    val: Sequence[str],
    settings: dict[str, Any],
    *,
    all_train: bool,
) -> None:
    """Say before a long audit which gates will fail for want of an input."""
    from assay.audit.auditors import leaks
    from assay.audit.auditors.gates import warn_early
    from assay.corpus.inputs import list_inputs

    has_val = list_inputs(inputs, val, all_train=all_train).has_val
    has_plan = settings["plan"] is not None
    known = dict.fromkeys((kind.name for kind in leaks.KINDS), has_val)
    known |= {"epochs": has_plan, "budget": has_plan}
    known["benchmarks"] = bool(settings["benchmarks"])
    for line in warn_early(gates, known):
        click.echo(line, err=True)


def _refuse_beside_source(ctx: click.Context) -> None:
    """Refuse what an audit that is judged again has already, or was made with."""
    allowed = ("source", "output", "threshold", "plan", "fail_on", "allow_unmeasured")
    given = [
        param.opts[0] if param.param_type_name == "option" else "INPUT"
        for param in ctx.command.params
        if param.name not in (*allowed, "as_json", "threads")
        and ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        named = ", ".join(given)
        raise click.UsageError(f"--from has its own documents and bands: leave out {named}", ctx)


def _judge_again(source: Path, output: Path, threshold: float | None, plan: str | None) -> Audit:
    """Judge an audit at another threshold; say where that is a lower bound."""
    from assay.audit.rejudge import rejudge_audit
    from assay.formats.audit import note_lower_bound, open_audit

    found = open_audit(source)
    audit = rejudge_audit(found, output, threshold=threshold, plan=plan, quiet=False)
    if threshold not in (None, found.totals.lsh.threshold) and (note := note_lower_bound(found)):
        click.echo(note, err=True)
    return audit


def _print_result(totals: AuditTotals, findings: list[Finding], *, as_json: bool) -> None:
    """Print totals and findings; name on stderr the shards that were set aside."""
    from assay.audit.summary import describe_benchmarks, describe_budget, describe_totals
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
