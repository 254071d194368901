"""From shards to a sealed audit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.audit.findings.measure import measure_corpus
from assay.audit.recipe import make_recipe, open_finished
from assay.audit.scan.collect import collect_documents
from assay.audit.scan.settings import Settings
from assay.audit.scan.shard_cache import has_parts, remove_parts
from assay.corpus.inputs import list_inputs
from assay.corpus.shards import open_shards
from assay.corpus.tokenizer import load_tokenizer, needs_awkward
from assay.engine import count_threads
from assay.errors import InputError, UsageError
from assay.formats.audit import Audit, open_audit
from assay.kernels import compile_clock
from assay.preload import preload
from assay.storage.sealed_folder import claim_folder
from assay.terminal.numbers import count, duration, number_of
from assay.terminal.progress import say
from assay.terminal.text import show_line

__all__ = ["Settings", "audit_shards"]

_MOST_NAMED = 3
_THREAD_BYTES = 2_000_000  # of shards: for less, another thread takes longer to start than it saves


def audit_shards(
    inputs: Sequence[str | Path],
    output: Path,
    *,
    val: Sequence[str | Path] = (),
    settings: Settings | None = None,
    quiet: bool = True,
) -> Audit:
    """Measure shards and write an audit: tables, findings, and the token ids made on the way.

    An audit that the same call finished is opened as it is.

    Args:
        inputs: Parquet files, bins, folders or globs: the training documents.
        output: The folder to write; absent, empty, or left unfinished by this verb.
        val: Likewise, the validation documents; leakage between the two is measured.
        settings: How to audit.
        quiet: No progress on stderr.

    The bytes of the outputs do not depend on the number of threads or the size of row groups, nor
    on whether a call before was stopped: its shards are not scanned again (`audit.parts`).

    Raises:
        UsageError: A path does not exist, a setting is out of range, or the folder is in use.
        ShardError: A shard cannot be read (`on_bad_shard="stop"`).
        InputError: There is no document.
        SpaceError: The disk is full; the same command goes on.
    """
    settings = settings or Settings()
    settings.check()
    with _tell_compiling(quiet):
        return _audit(inputs, output, val, settings, quiet)


def _audit(
    inputs: Sequence[str | Path],
    output: Path,
    val: Sequence[str | Path],
    settings: Settings,
    quiet: bool,
) -> Audit:
    repeats: list[tuple[Path, Path]] = []
    files = list_inputs(inputs, repeats=repeats) + list_inputs(val, "val", repeats=repeats)
    _refuse_overlap(files)
    if repeats and not quiet:
        say(f"named more than once, counted once: {_list_repeats(repeats)}")
    size = sum(path.stat().st_size for path, _ in files)
    if needs_awkward(size):
        preload("awkward")
    tokenizer = load_tokenizer(settings.tokenizer)
    shards, bad = open_shards(
        files,
        text_column=settings.text_column,
        end_of_text=tokenizer.end_of_text,
        on_bad=settings.on_bad_shard,
    )
    threads = count_threads(settings.threads, work=size // _THREAD_BYTES)
    if finished := open_finished(output, shards, bad, tokenizer, settings, threads):
        if not quiet:
            say(f"{show_line(str(output), 200)} holds this audit already: nothing is scanned anew")
        return finished
    with claim_folder(output, "audit", resumes=lambda: has_parts(output)):
        collected = collect_documents(shards, bad, tokenizer, settings, output, threads, quiet)
        shards = collected.shards
        if not collected.corpus.num_documents:
            rows = number_of(collected.corpus.counts["num_rows"], "row")
            first = shards[0].name if shards else "the shards"
            raise InputError(
                f"{first}: the shards hold {rows}, no text; is {settings.text_column!r} the column?"
            )
        totals, outputs = measure_corpus(
            collected, bad, tokenizer, settings.rule, output, threads, settings.plan
        )
        remove_parts(output)
        make_recipe(settings, shards, tokenizer).seal(
            output,
            inputs=collected.inputs,
            outputs=[*collected.token_files, *outputs],
            totals=totals | _note_repeats(repeats),
        )
    return open_audit(output)


@contextmanager
def _tell_compiling(quiet: bool) -> Iterator[None]:
    """Say that kernels are compiled, before the first, and at the end how long that took."""
    before = compile_clock.kernels, compile_clock.seconds
    compile_clock.announce = None if quiet else _say_compiling
    yield
    compiled = compile_clock.kernels - before[0]
    if compiled and not quiet:
        say(f"compiled {compiled} kernels in {duration(compile_clock.seconds - before[1])}")


def _say_compiling() -> None:
    say("compiling kernels, once on this machine: some 15 s")


def _note_repeats(repeats: Sequence[tuple[Path, Path]]) -> dict[str, list[list[str]]]:
    """Return for the totals each name of a shard beside the one that counts; nothing if none."""
    named = [[name.as_posix(), first.as_posix()] for name, first in repeats]
    return {"named_again": named} if named else {}


def _list_repeats(repeats: Sequence[tuple[Path, Path]]) -> str:
    """List names of shards that have another, or stand twice; the first few."""
    listed = []
    for name, first in repeats[:_MOST_NAMED]:
        other = f" (is {show_line(str(first), 200)})" if name != first else ""
        listed.append(show_line(str(name), 200) + other)
    more = len(repeats) - len(listed)
    return ", ".join(listed) + (f" and {count(more)} more" if more else "")


def _refuse_overlap(files: Sequence[tuple[Path, str]]) -> None:
    sides: dict[tuple[int, int], str] = {}
    for path, split in files:
        stat = path.stat()
        if sides.setdefault((stat.st_dev, stat.st_ino), split) != split:
            raise UsageError(f"{path} is named both for train and for --val")
