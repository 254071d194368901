"""A sample of every audit is encoded by tiktoken, too; one difference ends the run."""

from pathlib import Path

import numpy as np
import pytest

from assay.audit.run import audit_shards
from assay.corpus.tokenizer import Tokenizer, choose_backend
from assay.errors import TokenizerError
from tests.support.make import make_corpus, write_shard


def test_ids_that_tiktoken_does_not_give_end_the_audit(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if choose_backend(gpt2) == "tiktoken":
        pytest.skip("no gigatoken here: tiktoken does the work, and has nothing to be held against")
    exact = Tokenizer.encode_reference

    def encode(self: Tokenizer, text: bytes) -> np.ndarray:
        return exact(self, text) + 1

    monkeypatch.setattr(Tokenizer, "encode_reference", encode)
    shard = write_shard(tmp_path / "a.parquet", make_corpus(20))

    with pytest.raises(
        TokenizerError, match=r"a\.parquet: row 0: gigatoken and tiktoken give diff"
    ):
        audit_shards([shard], tmp_path / "audit")
    assert not (tmp_path / "audit" / "manifest.json").exists()
