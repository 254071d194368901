"""Read a page's tags and text, and hold it to what the project's pages are made of."""

import re
from html.parser import HTMLParser

OURS = {"html", "head", "meta", "title", "style", "body", "main", "header", "p", "h1", "h2", "h3",
        "section", "ul", "li", "span", "nav", "a", "div", "table", "thead", "tbody", "tr", "th",
        "td", "figure", "figcaption", "svg", "g", "path", "text", "line", "details", "summary",
        "dl", "dt", "dd", "article", "mark", "pre", "code", "footer", "script", "strong", "rect",
        "defs", "clippath"}  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def check_harmless(html: str) -> None:
    reader = read(html)
    assert {tag for tag, _ in reader.tags} <= OURS
    names = {name for _, attributes in reader.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src")}
    assert [tag for tag, _ in reader.tags].count("script") == html.count("</script>") <= 1
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", html
    )
