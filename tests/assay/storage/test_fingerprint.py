import hashlib
from pathlib import Path

from assay.storage.fingerprint import hash_file, hash_settings


def test_a_files_hash_is_its_sha256(tmp_path: Path) -> None:
    for data in (b"", b"abc", bytes(1_000_000)):
        (tmp_path / "a").write_bytes(data)
        assert hash_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_equal_settings_hash_equally_whatever_their_order() -> None:
    a = {"lr": 0.1, "layers": {"n": 2, "m": [1, 2]}}
    b = {"layers": {"m": [1, 2], "n": 2}, "lr": 0.1}

    assert hash_settings(a) == hash_settings(b)
    assert hash_settings(a) != hash_settings(a | {"lr": 0.2})
    assert hash_settings({"m": [1, 2]}) != hash_settings({"m": [2, 1]})
