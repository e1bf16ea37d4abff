"""The dashboard page and its live parts."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import reading
from benchmarks.measure import Row
from benchmarks.reading import Page, Variants
from benchmarks.stage import Site, Stage


def _of(address: str) -> Variants:
    """Readers of the whole country with filters and without; commanders with their province."""

    def variants(site: Site) -> list[tuple[str, str]]:
        country = list(site.facts["readers"][:3])
        asked = ["", "?severity=high", "?category=CRM", f"?election={site.facts['election']}"]
        asked += [f"?place={code}" for code in site.facts["provinces"]]
        commanders = [(f"province-{code.lower()}", address) for code in site.facts["provinces"]]
        return [(who, address + query) for query in asked for who in country] + commanders

    return variants


PAGES = (
    Page(name="Dashboard page", variants=_of("/dashboard/"), warm=True),
    Page(name="Live parts of the dashboard", variants=_of("/dashboard/live")),
)


def measure(stage: Stage, sizes: Sequence[int], *, rounds: int = reading.ROUNDS) -> list[Row]:
    return reading.measure(stage, PAGES, sizes, rounds=rounds)
