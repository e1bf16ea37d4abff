"""Who was told of a case, through which channel, when, and whether they read or answered it. Posts, never names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.choices import Role
from commands.models import Posting
from incidents.choices import Act, Channel
from incidents.delivery.texts import role_at
from incidents.models import Entry, Incident, Notice, NoticeChannel, NoticeStatus
from incidents.templatetags import _time

#: Notices looked at, the newest; a case that has more is told of in its timeline.
MOST = 400
#: An act by which somebody answers what they were told.
_ANSWERS = (Act.ACKNOWLEDGE, Act.ACCEPT, Act.SEEN)


@dataclass
class Way:
    """One channel to one recipient: what became of the newest notice there."""

    label: str
    text: str
    is_stuck: bool


@dataclass
class Receipt:
    """One recipient: a post, or a webhook by its name."""

    who: str
    told_at: dt.datetime
    ways: list[Way] = field(default_factory=list)
    answer: str = ""


def of(incident: Incident, now: dt.datetime) -> list[Receipt]:
    """The newest told first. Three queries."""
    notices = list(
        Notice.objects.filter(incident=incident).select_related("webhook").order_by("-created_at", "-pk")[:MOST]
    )
    posts = _posts({n.recipient_id for n in notices if n.recipient_id}, now)
    answers = _answers(incident, now)
    newest: dict[tuple[str, int], dict[str, Notice]] = {}
    for notice in notices:
        key = ("hook", notice.webhook_id) if notice.webhook_id else ("person", notice.recipient_id or 0)
        newest.setdefault(key, {}).setdefault(notice.channel, notice)
    return [_receipt(key, ways, posts, answers, now) for key, ways in newest.items()]


def _receipt(
    key: tuple[str, int],
    ways: dict[str, Notice],
    posts: dict[int, str],
    answers: dict[int, str],
    now: dt.datetime,
) -> Receipt:
    kind, number = key
    order = list(NoticeChannel.values)
    shown = sorted(ways.values(), key=lambda n: order.index(n.channel))
    hook = shown[0].webhook
    return Receipt(
        who=hook.name if hook else posts.get(number, _("A person without a posting")),
        told_at=max(n.created_at for n in shown),
        ways=[_way(n, now) for n in shown],
        answer=answers.get(number, "") if kind == "person" else "",
    )


def _way(notice: Notice, now: dt.datetime) -> Way:
    label = str(NoticeChannel(notice.channel).label)
    return Way(label, _what_became(notice, now), notice.status == NoticeStatus.DEAD or bool(notice.last_error))


def _what_became(notice: Notice, now: dt.datetime) -> str:
    if notice.channel == NoticeChannel.INBOX:
        if notice.read_at is None:
            return _("not read yet")
        return _("read %(time)s") % {"time": _time.moment(notice.read_at, now)}
    match notice.status:
        case NoticeStatus.SENT | NoticeStatus.DIGEST if notice.sent_at:
            text = _("sent %(time)s") if notice.status == NoticeStatus.SENT else _("sent %(time)s, with others")
            return text % {"time": _time.moment(notice.sent_at, now)}
        case NoticeStatus.DEAD:
            return _("could not be sent")
        case NoticeStatus.OBSOLETE:
            return _("not needed any more")
        case _:
            return _waiting(notice, now)


def _waiting(notice: Notice, now: dt.datetime) -> str:
    if notice.attempts and notice.last_error:
        return ngettext("waiting, %(n)d try", "waiting, %(n)d tries", notice.attempts) % {"n": notice.attempts}
    if notice.next_try_at and notice.next_try_at > now + dt.timedelta(minutes=1):
        return _("waits until %(time)s") % {"time": _time.moment(notice.next_try_at, now)}
    return _("on its way")


def _posts(people: Iterable[int], now: dt.datetime) -> dict[int, str]:
    """By person: role and unit of the posting in force, else of the last. A liaison's office may be the person."""
    found: dict[int, str] = {}
    rows = Posting.objects.filter(user__in=list(people)).select_related("command").order_by("starts_at")
    for posting in sorted(rows, key=lambda p: p.ends_at is None or p.ends_at > now):
        # A liaison's office may be the person.
        is_liaison = posting.role == Role.LIAISON
        post = posting.get_role_display() if is_liaison else role_at(posting.role, posting.command.name)
        found[posting.user_id] = post
    return found


def _answers(incident: Incident, now: dt.datetime) -> dict[int, str]:
    """By person: when and through which door they answered last; an operator's entry counts for whom it names."""
    entries = list(Entry.objects.filter(incident=incident, act__in=_ANSWERS).select_related("by").order_by("pk"))
    names = {n for e in entries if (n := e.after.get("on_behalf_of"))}
    named = (
        dict(Posting.objects.filter(user__username__in=names).values_list("user__username", "user")) if names else {}
    )
    found = {}
    for entry in entries:
        person = named.get(entry.after.get("on_behalf_of")) or entry.by_id
        if person:
            values = {
                "act": str(entry.get_act_display()).lower(),
                "time": _time.moment(entry.at, now),
                "channel": Channel(entry.channel).label,
            }
            found[person] = _("%(act)s %(time)s, %(channel)s") % values
    return found
