"""Lists of cases: the queue page and the API, first page and half way down."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import reading
from benchmarks.measure import Row
from benchmarks.reading import Page, Variants
from benchmarks.stage import Site, Stage

API = "/api/v1/incidents/"


def _for_readers(*addresses: str, cursor: str = "", name: str = "cursor") -> Variants:
    """Every reader with every address, in turn; `cursor` names which of the site's cursors is added."""

    def variants(site: Site) -> list[tuple[str, str]]:
        return [(who, _with(a, name, site.facts["cursors"].get(cursor, ""))) for a in addresses for who in _who(site)]

    return variants


def _who(site: Site) -> list[str]:
    return list(site.facts["readers"])


def _with(address: str, name: str, cursor: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{name}={cursor}" if cursor else address


PAGES = (
    Page(
        name="Queue page",
        variants=_for_readers("/incidents/", "/incidents/?severity=high&severity=critical", "/incidents/?state=late"),
    ),
    Page(name="Queue page, half way down", variants=_for_readers("/incidents/", cursor="queue", name="after")),
    Page(name="List of all cases, half way down", variants=_for_readers(
        "/incidents/?state=all", cursor="list", name="after")),
    Page(
        name="API list", is_api=True,
        variants=_for_readers(API, f"{API}?category=CRM-06", f"{API}?state=open"),
    ),
    Page(name="API list, half way down", is_api=True, variants=_for_readers(API, cursor="api")),
)  # fmt: skip


def measure(stage: Stage, sizes: Sequence[int], *, rounds: int = reading.ROUNDS) -> list[Row]:
    return reading.measure(stage, PAGES, sizes, rounds=rounds)
