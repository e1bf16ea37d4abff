"""Which of an address's notices go out as one message. Pure: no database, no clock.

A catch-up after an outage, or a storm, writes thousands at once; a phone that rings a hundred times is switched off.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.utils.crypto import salted_hmac

from incidents.delivery import drills
from incidents.models import Notice

#: From so many that wait for one address, one message tells them all.
TOGETHER = 5


def bundles(notices: Iterable[Notice]) -> list[list[Notice]]:
    """The notices in messages, each a list whose first carries the others; order kept.

    From TOGETHER on everything to one address is one message; below it only several of one case are. A drill and a
    webhook's notice stay alone: the one must not be taken for the real thing, the other is read by a machine.
    """
    alone: list[list[Notice]] = []
    by_address: dict[int, list[Notice]] = defaultdict(list)
    for notice in notices:
        if notice.contact_id is None or notice.kind == drills.KIND:
            alone.append([notice])
        else:
            by_address[notice.contact_id].append(notice)
    for waiting in by_address.values():
        alone += [waiting] if len(waiting) >= TOGETHER else _by_case(waiting)
    return alone


def _by_case(waiting: Sequence[Notice]) -> list[list[Notice]]:
    cases: dict[object, list[Notice]] = defaultdict(list)
    for notice in waiting:
        cases[notice.incident_id or f"none {notice.pk}"].append(notice)
    return list(cases.values())


def token_of(notices: Sequence[Notice]) -> str:
    """The Message-ID: the same at every try at the same notices, another where one joined them.

    No number: gaps of a running key would count acts on sealed cases.
    """
    keys = ",".join(str(pk) for pk in sorted(n.pk for n in notices))
    text = keys if len(notices) == 1 else hashlib.sha256(keys.encode()).hexdigest()
    token = salted_hmac("incidents.delivery.outbox", text, algorithm="sha256").hexdigest()[:32]
    return f"<{token}@incidents>"
