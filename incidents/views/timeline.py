"""The journal of a case as its page shows it: what, when, who as role @ unit, from what to what, why, who was told.

Values are those of the reader's tier: without the details of a case no reason, note, narrative or exact place; of
protected identities nothing but that something was done.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.choices import Role
from commands.models import Posting, SecurityCommand
from elections.models import Jurisdiction
from incidents.choices import Act
from incidents.escalation.outage import Late, late_steps
from incidents.models import Block, Category, Entry, Incident, NoticeChannel
from incidents.routing import ANSWERING
from incidents.views import sentences

MOST = 100
SHOWS = ("all", "decisions", "notices")

ICONS: dict[str, str] = {
    Act.REPORT: "plus", Act.ACKNOWLEDGE: "tick", Act.ACCEPT: "tick", Act.SEEN: "eye", Act.UPDATE: "pencil",
    Act.ASSIGN: "person", Act.RAISE_SEVERITY: "warning", Act.LOWER_SEVERITY: "minus", Act.ESCALATE: "up",
    Act.HAND_BACK: "back", Act.CONTAIN: "tick", Act.FLARE_UP: "again", Act.RESOLVE: "tick", Act.CLOSE: "lock",
    Act.REOPEN: "again", Act.VERIFY: "search", Act.PROPOSE: "flag", Act.CLASSIFY: "flag", Act.CORRECT: "pencil",
    Act.ATTACH: "camera", Act.MERGE: "join", Act.UNMERGE: "join", Act.WITHDRAW: "cross", Act.DISMISS: "cross",
    Act.COUNTERSIGN: "tick", Act.DECLINE: "cross", Act.RELOCATE_STATION: "map", Act.WARN: "clock",
    Act.AUTO_ESCALATE: "up", Act.INFORM: "bell", Act.SNOOZE: "pause", Act.WAKE: "play", Act.RESUME: "play",
    Act.REFER: "scales", Act.CONCLUDE_REFERRAL: "scales", Act.SKIP: "arrow", Act.RETIME: "clock", Act.REBASE: "list",
}  # fmt: skip
#: Acts that tell or show and decide nothing.
_NO_DECISION = (
    Act.UPDATE, Act.ATTACH, Act.SEEN, Act.WARN, Act.INFORM, Act.OPEN_IDENTITY, Act.SKIP, Act.RESUME, Act.RETIME,
)  # fmt: skip
_PROTECTED = (Act.RECORD_PERSON, Act.GRANT_IDENTITY, Act.OPEN_IDENTITY)
_MOVES = (Act.ESCALATE, Act.AUTO_ESCALATE, Act.HAND_BACK)
#: Changes a reader learns from; the rest of an entry is for machines.
_SHOWN = (
    "severity", "owner", "category", "verification", "classification", "proposed_classification", "outcome",
    "dismiss_reason", "occurred_at", "time_precision", "place", "title", "place_note", "killed", "injured",
    "stations_affected", "minutes_stopped", "voters_affected", "actor_type", "target_type", "means", "is_gender_based",
    "assignee", "request_act",
)  # fmt: skip
_EXACT = ("title", "place_note")
_COMMUNE = 8


@dataclass
class Item:
    """One entry; `before` and `after` hold only what may be shown."""

    entry: Entry
    title: str
    who: str
    icon: str
    kind: str
    before: dict[str, Any]
    after: dict[str, Any]
    text: str = ""
    reason: str = ""
    told: str = ""
    said: Sequence[str] = ()


@dataclass
class Timeline:
    items: list[Item]
    names: dict[str, str]
    show: str
    #: True where older entries are left out.
    is_cut: bool
    #: The moment of the newest sealed entry.
    sealed_at: dt.datetime | None = None


def of(incident: Incident, *, detailed: bool, show: str = "all", whole: bool = False) -> Timeline:
    """The newest entries, or every one with `whole`; few queries, and one for each kind of name that occurs."""
    entries = incident.entries.all()
    match show:
        case "decisions":
            entries = entries.exclude(act__in=_NO_DECISION)
        case "notices":
            entries = entries.filter(notices__channel=NoticeChannel.INBOX).distinct()
        case _:
            show = "all"
    found = list(_with_people(entries).order_by("-pk")[: None if whole else MOST + 1])
    shown = found if whole else found[:MOST]
    names = names_for(shown)
    return Timeline(_items(shown, names, detailed), names, show, len(found) > len(shown), _sealed_up_to(incident))


def _sealed_up_to(incident: Incident) -> dt.datetime | None:
    """When the newest sealed entry of the case was made; None while none is.

    Not the number or the moment of its block: between two blocks everybody acts, on cases out of sight too.
    """
    last = Block.objects.order_by("-pk").values_list("last_id", flat=True).first()
    if last is None:
        return None
    return incident.entries.filter(pk__lte=last).order_by("-pk").values_list("at", flat=True).first()


def meanwhile(entries: Iterable[Entry], *, detailed: bool) -> Timeline:
    """Entries that happened meanwhile, newest first, for the page of a stale version."""
    full = list(_with_people(Entry.objects.filter(pk__in=[e.pk for e in entries])).order_by("-pk"))
    names = names_for(full)
    return Timeline(_items(full, names, detailed), names, "all", is_cut=False)


def _with_people(entries: Any) -> Any:
    inbox = Q(notices__channel=NoticeChannel.INBOX)
    return entries.select_related("posting", "command").annotate(
        told=Count("notices", filter=inbox, distinct=True),
        read=Count("notices", filter=inbox & Q(notices__read_at__isnull=False), distinct=True),
        last_read=Max("notices__read_at", filter=inbox),
    )


def _items(entries: Iterable[Entry], names: dict[str, str], detailed: bool) -> list[Item]:
    listed = list(entries)
    late = late_steps(listed)
    return [_item(entry, names, late.get(entry.pk), detailed) for entry in listed]


def _item(entry: Entry, names: dict[str, str], late: Late | None, detailed: bool) -> Item:
    protected = entry.act in _PROTECTED
    before = {} if protected else _values(entry, entry.before, detailed)
    after = {} if protected else _values(entry, entry.after, detailed)
    if sentences.says_request(entry):
        before.pop("request_act", None)
        after.pop("request_act", None)
    moved = entry.act in _MOVES and "owner" in after
    owner = names.get(f"owner:{after.get('owner')}", "") if moved else ""
    kind = "strong" if moved else "machine" if entry.by_id is None else ""
    readable = detailed and not protected
    return Item(
        entry=entry,
        title=sentences.title(entry, names) or _title(entry, owner, names.get(f"told:{entry.after.get('told')}", "")),
        who=_who(entry),
        icon=ICONS.get(entry.act, "lock"),
        kind=kind,
        before=before,
        after=after,
        text=entry.note if readable else "",
        reason=entry.reason if readable else "",
        told=_told(entry, names.get(f"posts:{entry.pk}", "")),
        said=sentences.lines(entry, late, detailed=detailed),
    )


def _title(entry: Entry, owner: str, told: str) -> str:
    if owner and entry.act == Act.HAND_BACK:
        return _("Handed back to %(command)s") % {"command": owner}
    if owner:
        return _("Moved up to %(command)s") % {"command": owner}
    if told:
        return _("%(command)s was told") % {"command": told}
    return str(entry.get_act_display())


def _who(entry: Entry) -> str:
    """Role @ unit, and the door. A liaison's office may be the person, so it is left out."""
    if entry.by_id is None:
        return _("By rule")
    role = entry.posting.role if entry.posting else ""
    parts = [entry.posting.get_role_display() if entry.posting else _("A person")]
    if entry.command and role != Role.LIAISON:
        parts = [_("%(role)s @ %(unit)s") % {"role": parts[0], "unit": entry.command.name}]
    parts.append(str(entry.get_channel_display()))
    return ", ".join(parts)


def _told(entry: Entry, posts: str) -> str:
    """How many were told in the inbox, how many read it, and at which posts; never their names."""
    counts = _told_counts(entry)
    return _("%(told)s: %(who)s") % {"told": counts, "who": posts} if counts and posts else counts


def _told_counts(entry: Entry) -> str:
    told, read = getattr(entry, "told", 0), getattr(entry, "read", 0)
    if not told:
        return ""
    text = ngettext("%(told)d person told", "%(told)d people told", told) % {"told": told}
    if read == told:
        return _("%(told)s, all have read it") % {"told": text}
    if not read:
        return _("%(told)s, nobody has read it yet") % {"told": text}
    return _("%(told)s, %(read)d have read it") % {"told": text, "read": read}


def _values(entry: Entry, values: dict[str, Any], detailed: bool) -> dict[str, Any]:
    if entry.act == Act.REPORT:
        return {}
    shown = {n: v for n, v in values.items() if n in _SHOWN}
    if not detailed:
        shown = {n: v for n, v in shown.items() if n not in (*_EXACT, "assignee")}
        if isinstance(shown.get("place"), str):
            shown["place"] = shown["place"][:_COMMUNE]
    return shown


# ---- Names of what the journal stores as keys ----


def names_for(entries: Sequence[Entry]) -> dict[str, str]:
    """Words for stored references, by "field:stored value"; one query for each kind that occurs."""
    wanted: dict[str, set[Any]] = {
        "owner": set(), "told": set(), "left_out": set(), "place": set(), "category": set(), "assignee": set()
    }  # fmt: skip
    for entry in entries:
        for values in (entry.before, entry.after):
            for name, found in wanted.items():
                # A step that left several commands out names them together.
                value = values.get(name)
                found |= set(value) if isinstance(value, list) else {value} if value else set()
    names: dict[str, str] = {}
    for name in ("owner", "told", "left_out"):
        if wanted[name]:
            names |= _commands(name, wanted[name])
    if wanted["place"]:
        codes = {str(c) for c in wanted["place"]} | {str(c)[:_COMMUNE] for c in wanted["place"]}
        names |= {f"place:{p.pk}": p.full_name for p in Jurisdiction.objects.filter(pk__in=codes)}
    if wanted["category"]:
        names |= {f"category:{c.pk}": c.name for c in Category.objects.filter(pk__in=wanted["category"])}
    if wanted["assignee"]:
        names |= _postings(wanted["assignee"])
    return names | _posts_told([e for e in entries if getattr(e, "told", 0)])


def _commands(name: str, keys: set[Any]) -> dict[str, str]:
    numbers = [k for k in keys if isinstance(k, int)]
    codes = [k for k in keys if isinstance(k, str)]
    found = SecurityCommand.objects.filter(Q(pk__in=numbers) | Q(code__in=codes))
    return {f"{name}:{key}": c.name for c in found for key in (c.pk, c.code)}


def _postings(people: set[Any]) -> dict[str, str]:
    """People as role @ unit, never by name."""
    found = Posting.objects.filter(user__username__in=people).select_related("command", "user")
    return {f"assignee:{p.user.username}": str(p) for p in found.order_by("starts_at")}


def _posts_told(entries: Sequence[Entry]) -> dict[str, str]:
    """Role @ unit of everybody told of each entry, by the posting they were told at; by "posts:entry key"."""
    if not entries:
        return {}
    at = {e.pk: e.at for e in entries}
    told = Posting.objects.filter(user__notices__entry__in=list(at), user__notices__channel=NoticeChannel.INBOX)
    chosen: dict[tuple[int, int], Posting] = {}
    for posting in told.select_related("command").annotate(entry=F("user__notices__entry")).order_by("pk"):
        entry: int = posting.entry  # type: ignore[attr-defined]
        if posting.starts_at > at[entry] or (posting.ends_at and posting.ends_at <= at[entry]):
            continue
        key = (entry, posting.user_id)
        # Cases are told to who answers at a command; what else the person does is not why.
        if key not in chosen or (posting.role in ANSWERING and chosen[key].role not in ANSWERING):
            chosen[key] = posting
    found: dict[int, Counter[str]] = {}
    for (told_of, _person), posting in chosen.items():
        found.setdefault(told_of, Counter())[post_of(posting)] += 1
    return {f"posts:{key}": ", ".join(_many(*item) for item in posts.items()) for key, posts in found.items()}


def post_of(posting: Posting) -> str:
    # A liaison's office may be the person.
    return posting.get_role_display() if posting.role == Role.LIAISON else str(posting)


def _many(post: str, people: int) -> str:
    return post if people == 1 else _("%(post)s (%(people)d people)") % {"post": post, "people": people}
