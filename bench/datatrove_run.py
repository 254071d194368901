"""datatrove's MinHash deduplication (four stages), or its tokenization; runs in a peer's venv.

`datatrove_run.py minhash SHARDS FOLDER` or `datatrove_run.py tokens SHARDS FOLDER TOKENIZER`.
Settings are those of datatrove's own FineWeb example: 5-grams, 14 buckets of 8, 64-bit hashes.
English words are cut by `spacy.blank("en")`, which needs no model. Two workers; a task a shard.
"""

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor  # type: ignore[import-not-found,unused-ignore]
from datatrove.pipeline.dedup import (  # type: ignore[import-not-found,unused-ignore]
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig  # type: ignore[import-not-found,unused-ignore]
from datatrove.pipeline.readers import ParquetReader  # type: ignore[import-not-found,unused-ignore]
from datatrove.pipeline.tokens import DocumentTokenizer  # type: ignore[import-not-found,unused-ignore]
from datatrove.pipeline.writers import ParquetWriter  # type: ignore[import-not-found,unused-ignore]
from datatrove.utils.hashing import HashConfig  # type: ignore[import-not-found,unused-ignore]

WORKERS = 2
CONFIG = MinhashConfig(
    hash_config=HashConfig(precision=64), n_grams=5, num_buckets=14, hashes_per_bucket=8
)


def remove_duplicates(shards: str, folder: str) -> None:
    """Run signature, buckets, cluster and filter; the documents that stay are in `kept/`."""
    num_tasks = len(list(Path(shards).glob("*.parquet")))
    stages = [
        (
            num_tasks,
            [ParquetReader(shards), MinhashDedupSignature(f"{folder}/signatures", config=CONFIG)],
        ),
        (
            CONFIG.num_buckets,
            [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=CONFIG)],
        ),
        (1, [MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=CONFIG)]),
        (
            num_tasks,
            [
                ParquetReader(shards),
                MinhashDedupFilter(f"{folder}/remove"),
                ParquetWriter(f"{folder}/kept"),
            ],
        ),
    ]
    before: LocalPipelineExecutor | None = None
    for nth, (tasks, steps) in enumerate(stages):
        before = LocalPipelineExecutor(
            steps,
            tasks=tasks,
            workers=min(WORKERS, tasks),
            logging_dir=f"{folder}/logs{nth}",
            depends=before,
        )
    assert before is not None
    before.run()


def write_tokens(shards: str, folder: str, tokenizer: str) -> None:
    """Encode every document, end-of-text behind it, in the order of the shards."""
    steps = [
        ParquetReader(shards),
        DocumentTokenizer(
            f"{folder}/tokens",
            tokenizer_name_or_path=tokenizer,
            eos_token="<|endoftext|>",
            shuffle_documents=False,
        ),
    ]
    tasks = len(list(Path(shards).glob("*.parquet")))
    LocalPipelineExecutor(
        steps, tasks=tasks, workers=WORKERS, logging_dir=f"{folder}/logs-tokens"
    ).run()


if __name__ == "__main__":
    if sys.argv[1] == "minhash":
        remove_duplicates(*sys.argv[2:])
    else:
        write_tokens(*sys.argv[2:])
