"""The page: nothing from the data is markup, every number is the manifest's, nothing is fetched."""

import base64
import hashlib
import re
import shlex
from pathlib import Path

import pytest

from assay.errors import InputError, IntegrityError, UsageError
from assay.reports.build_page import build_page
from assay.reports.render.html import render_html
from assay.reports.run import render_report, write_report
from tests.support.html_reader import check_harmless, read
from tests.support.report_folders import (
    HOSTILE,
    TEXTS,
    make_audit,
    make_bins,
    make_comparison,
    make_run,
)

MAX_BYTES = 2_500_000  # of a page


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave charts out where they are not the point: drawing a page takes seconds."""
    monkeypatch.setattr("assay.reports.render.html.draw_chart", lambda *given: "")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("folders")
    audit = make_audit(root / "audit")
    return {
        "audit": audit,
        "bins": make_bins(root / "clean", audit),
        "run": make_run(root / "run"),
        "comparison": make_comparison(root / "ab"),
    }


@pytest.fixture(scope="module")
def page(folders: dict[str, Path]) -> str:
    return render_html(build_page(list(folders.values())))


@pytest.mark.parametrize("nasty", HOSTILE)
@pytest.mark.usefixtures("no_charts")
def test_hostile_labels_and_texts_are_never_markup(tmp_path: Path, nasty: str) -> None:
    texts = [f"{nasty} {text}" for text in TEXTS]
    audit = make_audit(tmp_path / "audit", nasty=nasty, texts=texts)
    folders = [audit, make_bins(tmp_path / "bins", audit, nasty=nasty)]
    folders.append(make_comparison(tmp_path / "ab", nasty=nasty))

    html = render_html(build_page(folders, raw=True))

    check_harmless(html)
    if nasty.startswith("{{"):
        assert "{{ 7*7 }}" in read(html).text


def test_links_lead_only_into_the_page(page: str) -> None:
    tags = read(page).tags
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    anchors = {attributes.get("id") for _, attributes in tags}

    assert links
    assert all(link is not None and link.startswith("#") and link[1:] in anchors for link in links)
    assert len([a["id"] for _, a in tags if "id" in a]) == len(
        {a["id"] for _, a in tags if "id" in a}
    )


def test_policy_names_the_hashes_of_the_style_and_the_script(page: str) -> None:
    policy = next(
        attributes["content"] for tag, attributes in read(page).tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert found is not None
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "number",
    [
        "685", "3,424", "237", "1 of 2 differ", "17, of which 1 met the threshold; 5 not",
        "888 passed over", "under 13 letters",
        "100.00% (5.00% to 100.00%)", "3.12%", "0.9471", "1 of 1 validation documents",
        "137 ids, 136 unique tokens", "150 tokens in, 150 kept or dropped",
        "+0.3017", "+0.2511 to +0.3523", "0.00042", "0.0612", "21%", "4,322", "3.4050", "0.0071",
        "123,456", "31,337", "3 shards, 9 rows", "3.1234", "5,120 (50.00% of those seen)",
        "H200, bfloat16", "from step 31 on", "<i>H100, bfloat16",
    ],
)  # fmt: skip
def test_page_shows_the_number_of_the_manifest(page: str, number: str) -> None:
    assert number in read(page).text


def test_verdicts_come_before_findings_and_sections_in_the_order_of_the_work(page: str) -> None:
    order = ["clean is worse", "2 findings to act on", "Shards", "Prepared: clean", "Run: run",
             "Comparison: ab", "Where this comes from", "Reproduce this"]  # fmt: skip
    text = read(page).text

    places = [text.rindex(word) if i > 1 else text.index(word) for i, word in enumerate(order)]

    assert places == sorted(places)


def test_order_of_the_folders_does_not_matter(folders: dict[str, Path], page: str) -> None:
    assert render_html(build_page(list(folders.values())[::-1])) == page


@pytest.mark.parametrize("kind", ["audit", "bins", "run", "comparison"])
@pytest.mark.parametrize("form", ["html", "md", "text", "json"])
def test_each_kind_alone_makes_a_report(folders: dict[str, Path], kind: str, form: str) -> None:
    assert folders[kind].name in render_report([folders[kind]], format=form)


def test_invalid_is_as_prominent_as_any_verdict(tmp_path: Path, page: str) -> None:
    invalid = render_html(build_page([make_comparison(tmp_path / "ab", verdict="invalid")]))

    def banner(text: str) -> str:
        first = text[text.index('<section class="banner') :].split("</section>")[0]
        return re.sub(r"tone-\w+|edge-\w+|worse|invalid", "", first)

    assert banner(invalid) == banner(page)
    assert "FAILED" in read(invalid).text
    assert "No difference was measured" in read(invalid).text


def test_page_fits_its_budget(page: str) -> None:
    assert len(page.encode()) < MAX_BYTES / 4


@pytest.mark.usefixtures("no_charts")
def test_planted_personal_data_is_hidden_unless_asked_for(tmp_path: Path) -> None:
    secret = "ann.lee@example.org"
    texts = [f"write to {secret} or 4111 1111 1111 1111: {text}" for text in TEXTS]
    audit = make_audit(tmp_path / "audit", nasty=secret, texts=texts)

    hidden, raw = (render_html(build_page([audit], raw=raw)) for raw in (False, True))

    samples = re.findall(r'<p class="sample">(.*?)</p>', hidden, re.DOTALL)
    assert samples
    assert all("[email]" in sample and "[card]" in sample for sample in samples)
    assert "4111 1111" not in hidden
    assert "4111 1111" in raw
    for form in ("md", "text"):
        assert "shown as they are" in render_report([audit], format=form, raw=True)
        assert "shard 0 row 0, id " in render_report([audit], format=form)
        assert f"id id0{secret}" not in render_report([audit], format=form).replace("\\", "")
    assert "shown as they are" in raw
    assert "shown as they are" not in hidden


@pytest.mark.usefixtures("no_charts")
def test_no_samples_leaves_texts_out(folders: dict[str, Path]) -> None:
    with_texts = render_html(build_page([folders["audit"]]))
    without = render_html(build_page([folders["audit"]], samples=False))

    assert "court held" in with_texts
    assert "court held" not in without
    assert "Jaccard 0.9000" in without


@pytest.mark.usefixtures("no_charts")
def test_audit_without_kept_ids_makes_a_report_without_texts(tmp_path: Path) -> None:
    html = render_html(build_page([make_audit(tmp_path / "audit", keep_tokens=False)]))

    assert "court held" not in html
    assert "Jaccard 0.9000" in html


def test_differing_words_alone_are_marked(page: str) -> None:
    marked = re.findall(r"<mark>(.*?)</mark>", page)

    assert marked == ["filed", "lodged"]


def test_samples_are_at_most_300_characters(page: str) -> None:
    samples = re.findall(r'<p class="sample">(.*?)</p>', page, re.DOTALL)

    assert samples
    assert all(len(" ".join(read(sample).text.split())) <= 300 for sample in samples)


def test_same_folder_twice_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="name it once"):
        build_page([folders["audit"], folders["bins"], folders["audit"]])


def test_unknown_level_totals_and_sizes_are_refused(tmp_path: Path) -> None:
    for name, old, new, error in (
        ("level", b'"high"', b'"HIGH"', InputError),
        ("size", b'"high"', b'"very high"', IntegrityError),
    ):
        audit = make_audit(tmp_path / name)
        path = audit / "findings.json"
        path.write_bytes(path.read_bytes().replace(old, new))
        with pytest.raises(error):
            build_page([audit])
    audit = make_audit(tmp_path / "totals")
    manifest = audit / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"unique_tokens"', b'"unicorn_tokens"'))
    with pytest.raises(InputError, match="unique_tokens"):
        build_page([audit])


@pytest.mark.usefixtures("no_charts")
def test_report_is_replaced_and_a_folder_is_not(folders: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report([folders["run"]], target)

    write_report([folders["bins"]], target)

    assert folders["bins"].name in target.read_text(encoding="utf-8")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(UsageError, match="is a folder"):
        write_report([folders["bins"]], tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        write_report([folders["bins"]], tmp_path / "absent" / "report.html")


def test_commands_are_those_that_made_the_folders(tmp_path: Path) -> None:
    audit = make_audit(tmp_path / "my audit")
    bins = make_bins(tmp_path / "clean", audit)

    commands = build_page([bins, audit, make_comparison(tmp_path / "ab")]).commands

    words = [shlex.split(command) for command in commands]
    assert words[0][:6] == [
        "assay", "audit", "shard-0.parquet", "shard-1.parquet", "--val", "shard-2.parquet",
    ]  # fmt: skip
    assert words[0][-2:] == ["-o", str(audit)]
    assert words[1][:5] == ["assay", "prepare", str(audit), "--drop", "exact,near"]
    assert words[2][:4] == ["assay", "compare", "raw", "clean"]
    assert words[2][4:8] == ["--seeds", "2", "--delta", "0.01"]
