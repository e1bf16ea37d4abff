"""What people read of a drill, in every channel marked as one first, and the link with which they answer.

A drill has no case: its notices are about an entry of the journal, whose `after` says what happened and in which drill.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from incidents.choices import Channel
from incidents.delivery.texts import role_at
from incidents.models import DrillCall, Entry, Notice

#: Before anything else, in both languages whatever the reader's is: nobody may take a drill for an emergency.
MARK = "DRILL · សមយុទ្ធ"
KIND = "drill"
_SALT = "incidents.delivery.drills"
#: A link outlives every drill; whether its call still waits is asked when it is used.
LINK_FOR = dt.timedelta(days=2)


def sentence(entry: Entry, command: str = "", *, is_past: bool = False) -> str:
    """What the entry tells in one sentence, marked. `command` is the name of the command called, or of who cancelled.

    `is_past`: its call waits for no answer any more, because it was answered or the drill is over.
    """
    after = entry.after
    values = {**after, "command": command or after.get("command", "")}
    if after.get("what") == "called" and is_past:
        text = _("%(command)s was called in the drill «%(name)s». Nothing is to be done now.")
    elif after.get("what") == "called":
        values["time"] = _clock(after["due_at"])
        text = _("%(command)s is called in the drill «%(name)s». Please answer by %(time)s. Nothing has happened.")
    elif after.get("what") == "ended":
        text = _(
            "the drill «%(name)s» is over. Answered: %(answered)s of %(commands)s commands. "
            "Not reached: %(unreachable)s. Vacant: %(vacant)s."
        )
    elif after.get("what") == "answered":
        values |= {"by": entry.by, "way": Channel(entry.channel).label}
        text = _(
            "%(by)s entered in your name that %(command)s answered in the drill «%(name)s». Heard by: %(way)s. "
            "If you did not say so, tell your command."
        )
    elif after.get("why") == "relieved":
        text = _(
            "the drill «%(name)s» did not begin: who planned it holds no posting for it any more. "
            "Plan it again if it is wanted."
        )
    elif after.get("why") == "vote":
        text = _(
            "the drill «%(name)s» did not begin, because people vote and votes are counted. "
            "Plan it again for another time."
        )
    elif after.get("role"):
        values["by"] = role_at(after["role"], values["command"])
        text = _("the drill «%(name)s» was cancelled by %(by)s. Nothing needs to be done.")
    else:
        text = _cancelled()
    return f"{MARK}: {text % values}"


def _cancelled() -> str:
    return _("the drill «%(name)s» was cancelled. Nothing needs to be done.")


def short_forms(notice: Notice) -> list[str]:
    """What fits into an SMS, the fullest first. The mark is Khmer, so each part has 67 characters.

    Of a call: by when and how to answer, which needs no code, because nothing is taken by it.
    """
    entry = notice.entry
    if entry.after.get("what") != "called":
        full = sentence(entry, entry.command.name if entry.command else "")
        less = [f"{MARK}: {_cancelled() % entry.after}"] if entry.after.get("role") else []
        return [full, *less, f"{MARK}: {settings.SITE_URL}", MARK]
    values = {"time": _clock(entry.after["due_at"]), "link": _link(notice)}
    return [
        f"{MARK}: {text % values}"
        for text in (
            _("You are called. Answer by %(time)s: %(link)s or tell the watch by radio or phone."),
            _("Answer by %(time)s: %(link)s or radio, phone."),
            _("You are called. Answer by %(time)s: tell the watch by radio or phone."),
            _("answer by %(time)s"),
        )
    ] + [MARK]


def _clock(moment: str) -> str:
    return date_format(timezone.localtime(dt.datetime.fromisoformat(moment)), "TIME_FORMAT")


def message(notice: Notice) -> tuple[str, str]:
    """Subject and body for a channel outside, in the language active now; with the link to answer where one waits."""
    entry = notice.entry
    code = entry.after.get("command")
    called = SecurityCommand.objects.filter(code=code).first() if code else None
    subject = sentence(entry, called.name if called else "")
    is_call = entry.after.get("what") == "called" and notice.recipient_id
    text = _("Answer with one press: %(link)s") if is_call else _("Open the drill: %(link)s")
    body = text % {"link": _link(notice)}
    return subject, f"{subject}\n\n{body}\n"


def _link(notice: Notice) -> str:
    """Where a call is answered with one press; of anything else the page of the drill."""
    after = notice.entry.after
    if after.get("what") == "called" and notice.recipient_id:
        path = answer_path(after["call"], notice.recipient_id)
    else:
        path = reverse("escalation:drill", args=[after["drill"]])
    return f"{settings.SITE_URL}{path}"


def answer_path(call: int, person: int) -> str:
    """The address with which this person answers this call without signing in."""
    return reverse("escalation:drill_link", args=[signing.dumps([call, person], salt=_SALT, compress=True)])


def read_link(token: str) -> tuple[int, int]:
    """Keys of call and person in a link. Raises signing.BadSignature where it is not ours, and SignatureExpired."""
    call, person = signing.loads(token, salt=_SALT, max_age=LINK_FOR)
    return int(call), int(person)


def is_wanted(notice: Notice) -> bool:
    """Whether a message about a drill should still go out: a call only while it waits for an answer."""
    return notice.entry.after.get("what") != "called" or bool(waiting([notice]))


def past(notices: QuerySet[Notice]) -> int:
    """How many of these notices of drills are calls that wait for no answer any more."""
    calls = [n for n in notices.select_related("entry") if n.entry.after.get("what") == "called"]
    return len(calls) - len(waiting(calls))


def waiting(notices: Iterable[Notice]) -> dict[int, int]:
    """By key of a notice: the call it is about, where that still waits. One query, none without drills."""
    calls = {n.pk: n.entry.after["call"] for n in notices if n.kind == KIND and n.entry.after.get("what") == "called"}
    if not calls:
        return {}
    found = DrillCall.objects.filter(pk__in=set(calls.values()), answered_at=None, drill__ended_at=None)
    live = set(found.values_list("pk", flat=True))
    return {notice: call for notice, call in calls.items() if call in live}
