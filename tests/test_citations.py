"""What comments cite can be read in the repository: rules of the domain and decisions by number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("config", "elections", "commands", "incidents", "tests", "docs", "benchmarks")


def texts() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md") and path.name != "domain.md":
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_every_cited_rule_of_the_domain_stands_in_its_page() -> None:
    rules = set(re.findall(r"^\| (\d+(?:\.\d+)?) \|", (ROOT / "docs" / "domain.md").read_text("utf-8"), re.MULTILINE))
    cited = {(rule, name) for name, text in texts() for rule in re.findall(r"\bdomain (\d+(?:\.\d+)?)", text)}
    assert cited
    assert {(rule, name) for rule, name in cited if rule not in rules} == set()


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    pages = sorted(p.name for p in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    assert [name for name in pages if f"]({name})" not in listed] == []
    cited = {page for _name, text in texts() for page in re.findall(r"decisions/(\d{4}-[a-z]+\.md)", text)}
    assert cited <= set(pages)
