"""A browser opens the page: no error, no violation, nothing fetched, no sideways scroll."""

import base64
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.reports.build_page import build_page
from assay.reports.render.html import render_html
from tests.support.report_folders import TEXTS, make_audit, make_bins, make_comparison, make_run

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome")
                if (found := shutil.which(name))), None)  # fmt: skip
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium in PATH")
NASTY = "<script>window.PWN=1</script>\"'><img src=x onerror=window.PWN=1>"
# Runs in the page: writes what a reader would see go wrong to the title, which --dump-dom prints.
PROBE = """
const seen = [];
window.addEventListener("error", (event) => seen.push(String(event.message)));
document.addEventListener("securitypolicyviolation", (event) =>
  seen.push(event.violatedDirective + " " + event.blockedURI));
window.addEventListener("load", () => {
  document.querySelectorAll("details").forEach((each) => (each.open = true));
  const root = document.documentElement;
  const charts = [...document.querySelectorAll(".chart svg")];
  document.title = "PROBE" + JSON.stringify({
    seen: seen, pwn: String(window.PWN),
    fetched: performance.getEntriesByType("resource").length,
    wide: root.scrollWidth - root.clientWidth, width: root.clientWidth,
    charts: charts.filter((chart) => chart.getBoundingClientRect().width > 0).length,
  }) + "END";
});
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("folders")
    audit = make_audit(root / "audit", nasty=NASTY, texts=[f"{NASTY} {text}" for text in TEXTS])
    folders = [audit, make_bins(root / "bins", audit, nasty=NASTY), make_run(root / "run")]
    return render_html(build_page([*folders, make_comparison(root / "ab", nasty=NASTY)], raw=True))


def probe(page: str) -> str:
    """Add the probe, its hash named in the policy: the rest of the policy stays in force."""
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    allowed = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return allowed.replace("<style>", f"<script>{PROBE}</script><style>", 1)


def browse(address: str, profile: Path) -> tuple[str, list[str]]:
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--window-size=1280,900", "--hide-scrollbars", "--virtual-time-budget=4000",
             "--enable-logging=stderr",
             f"--user-data-dir={profile}", "--dump-dom"]  # fmt: skip
    done = subprocess.run(
        [BROWSER, *flags, address], capture_output=True, text=True, timeout=120, check=True
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


def read_probe(dom: str) -> dict[str, Any]:
    found = re.search(r"PROBE(\{.*?\})END", dom, re.DOTALL)
    assert found is not None, dom[-2000:]
    result: dict[str, Any] = json.loads(found[1].replace("&quot;", '"'))
    return result


@needs_browser
def test_page_is_quiet_fetches_nothing_and_runs_nothing_of_the_data(
    tmp_path: Path, page: str
) -> None:
    target = tmp_path / "report.html"
    target.write_text(probe(page), encoding="utf-8")

    dom, console = browse(target.as_uri(), tmp_path / "profile")

    found = read_probe(dom)
    assert console == []
    assert found.pop("charts") >= 10
    assert found == {"seen": [], "pwn": "undefined", "fetched": 0, "wide": 0, "width": 1280}


@needs_browser
def test_probe_sees_what_the_policy_forbids(tmp_path: Path, page: str) -> None:
    harm = '<p style="color: red">x</p><img src="https://example.org/x.png"><script>PWN=1</script>'
    target = tmp_path / "report.html"
    target.write_text(probe(page).replace("<main>", f"<main>{harm}", 1), encoding="utf-8")

    dom, console = browse(target.as_uri(), tmp_path / "profile")

    assert {line.split()[0] for line in read_probe(dom)["seen"]} == {
        "style-src-attr", "img-src", "script-src-elem",
    }  # fmt: skip
    assert len(console) >= 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve `tmp_path` on the loopback; the list has every path asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *rest: object) -> None:
            super().__init__(*rest, directory=os.fspath(tmp_path))  # type: ignore[arg-type]

        def log_message(self, format: str, *rest: object) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


@needs_browser
def test_page_does_not_scroll_sideways_on_a_phone(
    tmp_path: Path, page: str, server: tuple[str, list[str]]
) -> None:
    address, asked = server
    (tmp_path / "report.html").write_text(probe(page), encoding="utf-8")
    # A window is at least 500 pixels wide; a frame is as narrow as a phone.
    (tmp_path / "phone.html").write_text(
        '<!doctype html><title>x</title><link rel="icon" href="data:,">'
        '<iframe src="report.html" width="390" height="844" frameborder="0"></iframe><script>'
        "onload = () => { document.title = frames[0].document.title; }</script>"
    )

    dom, console = browse(f"{address}/phone.html", tmp_path / "profile")

    found = read_probe(dom)
    assert console == []
    assert (found["wide"], found["width"]) == (0, 390)
    assert asked == ["/phone.html", "/report.html"]
