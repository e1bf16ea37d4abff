"""What each role finds in the rail and the bottom bar: only what it can use. No database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commands.choices import COMMANDING, Role

_REPORTING = (Role.OFFICER, Role.LIAISON, *COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY)
_FIGURES = (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.MINISTRY_ANALYST, Role.AUDITOR)
_WEEK = (
    *COMMANDING, Role.NEC_SECRETARIAT, Role.MINISTRY_ANALYST, Role.AUDITOR,
)  # fmt: skip

#: District commands come to a drill from their notices.
_DRILLS = (Role.PROVINCIAL_COMMAND, Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.AUDITOR)


@dataclass(frozen=True)
class Place:
    """One destination: `key` names it for counts and for what is current."""

    key: str
    url_name: str
    icon: str
    label: str | Promise
    short: str | Promise
    roles: tuple[Role, ...] | None = None
    #: Not offered to these even when another posting would.
    unless: tuple[Role, ...] = ()


#: In the order of the rail. `roles` None is everybody.
PLACES: tuple[Place, ...] = (
    Place("start", "start", "home", _("Start"), _("Start")),
    # Second: a long rail goes on below the fold, and what calls a person must be seen without scrolling.
    Place("inbox", "incidents:inbox", "bell", _("Notices"), _("Notices")),
    Place("queue", "incidents:list", "list", _("Queue"), _("Queue"), COMMANDING),
    Place("mine", "incidents:list", "list", _("My cases"), _("My cases"), (Role.OFFICER, Role.LIAISON), COMMANDING),
    Place("cases", "incidents:list", "list", _("Cases"), _("Cases"),
          (Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.MINISTRY_ANALYST, Role.AUDITOR), (*COMMANDING, Role.OFFICER)),
    Place("board", "escalation:board", "up", _("Next to escalate"), _("Next"),
          (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY)),
    Place("log", "incidents:log", "plus", _("Log an incident"), _("Log"), _REPORTING),
    Place("classify", "nec:queue", "flag", _("Classify"), _("Classify"), (Role.NEC_SECRETARIAT, Role.INTEGRITY)),
    Place("map", "dashboards:page", "map", _("Map and figures"), _("Map"), _FIGURES),
    Place("week", "reports:weekly", "document", _("Weekly summary"), _("Week"), _WEEK),
    Place("public", "nec:notices", "shield", _("Public notices"), _("Public"), (Role.NEC_SECRETARIAT,)),
    Place("policies", "escalation:policies", "scales", _("Escalation policies"), _("Policies"),
          (Role.PSC_WATCH, Role.NEC_SECRETARIAT)),
    Place("drills", "escalation:drills", "aim", _("Drills"), _("Drills"), _DRILLS),
    Place("duty", "duty:overview", "people", _("Duty"), _("Duty"),
          (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY)),
    Place("engine", "escalation:engine", "clock", _("Escalation engine"), _("Engine"),
          (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.AUDITOR, Role.ADMINISTRATOR)),
    Place("codes", "escalation:codes", "phone", _("Answers heard"), _("Heard"),
          (*COMMANDING, Role.NEC_SECRETARIAT)),
    Place("messages", "escalation:deliveries", "arrow", _("Messages"), _("Messages"),
          (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.ADMINISTRATOR)),
    Place("reference", "admin:index", "gear", _("Reference data"), _("Data"), (Role.ADMINISTRATOR,)),
)  # fmt: skip

#: The bottom bar: what comes first, until there are two before and one after the middle, and "More" last.
_BOTTOM_FIRST = ("start", "queue", "mine", "cases", "classify", "map", "week", "reference")
_MIDDLE = ("log", "week", "map", "reference")
#: The NEC secretariat, known by its public notices, classifies and looks at the country; it logs rarely.
_BOTTOM_NEC = ("start", "classify", "map", "inbox")


@dataclass
class Item:
    """One link of the rail or bar as a page shows it."""

    key: str
    url: str
    icon: str
    label: str | Promise
    short: str | Promise
    count: str = ""
    is_current: bool = False
    is_main: bool = False


def rail(roles: Collection[Role | str], counts: dict[str, str], path: str) -> list[Item]:
    """The links of the roles, with counts by key; the longest address that `path` begins with is current."""
    items = [item for place in PLACES if (item := _item(place, roles, counts))]
    fitting = [i for i in items if path == i.url or (i.key != "start" and path.startswith(i.url))]
    if fitting:
        max(fitting, key=lambda i: len(i.url)).is_current = True
    return items


def bottom(items: list[Item]) -> list[Item]:
    """Four of the rail for a phone, the main one in the middle; "More" is the page's fifth."""
    by_key = {i.key: i for i in items}
    if "public" in by_key and "queue" not in by_key:
        return [by_key[k] for k in _BOTTOM_NEC if k in by_key]
    middle = next((by_key[k] for k in _MIDDLE if k in by_key), None)
    first = [by_key[k] for k in _BOTTOM_FIRST if k in by_key and by_key[k] is not middle][:2]
    chosen = [*first, *([middle] if middle else []), *([by_key["inbox"]] if "inbox" in by_key else [])]
    for item in chosen:
        item.is_main = item is middle and item.key == "log"
    return chosen


def _item(place: Place, roles: Collection[Role | str], counts: dict[str, str]) -> Item | None:
    if place.roles is not None and not any(r in place.roles for r in roles):
        return None
    if any(r in place.unless for r in roles):
        return None
    try:
        url = reverse(place.url_name)
    except NoReverseMatch:
        # An installation may leave a part out: SERVE_ADMIN=0 has no reference data pages.
        return None
    return Item(place.key, url, place.icon, place.label, place.short, counts.get(place.key, ""))
