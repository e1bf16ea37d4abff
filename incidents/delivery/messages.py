"""The complete messages of each channel: what happened, what to do, by when, how to answer. In the language active now.

Never a narrative, a person or an exact place, because they leave the system; of a sealed case not even its kind.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from elections.choices import Level
from elections.models import Jurisdiction
from incidents.choices import ClockKind, State
from incidents.delivery import drills
from incidents.delivery.texts import PASSED_DIGEST, day_and_time, passed_sentence, subject
from incidents.models import ClockState, Incident, Notice, NoticeChannel

#: Characters of one SMS: GSM 7-bit (those of the second set count twice), or UCS-2 where one letter is not in it.
SMS_GSM, SMS_UCS = 160, 70
#: Of each part of a longer one.
PART_GSM, PART_UCS = 153, 67
#: More parts cost more, and the whole is read only when the last one is there. Khmer needs three for how to answer.
MOST_PARTS = 3
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
#: References a digest names; the rest is counted.
NAMED = 20


def sms_room(text: str) -> int:
    """Characters left in one SMS with `text`; negative where it takes more than one."""
    units, is_gsm = _units(text)
    return (SMS_GSM if is_gsm else SMS_UCS) - units


def sms_parts(text: str) -> int:
    """How many SMS a telephone puts together to `text`; what joins them takes room from each."""
    units, is_gsm = _units(text)
    return 1 if sms_room(text) >= 0 else math.ceil(units / (PART_GSM if is_gsm else PART_UCS))


def _units(text: str) -> tuple[int, bool]:
    """Places `text` takes, and whether they are those of GSM 7-bit."""
    if all(c in _GSM or c in _GSM_TWICE for c in text):
        return sum(2 if c in _GSM_TWICE else 1 for c in text), True
    # A letter outside the basic plane takes two of its places.
    return len(text.encode("utf-16-be")) // 2, False


def written(notice: Notice, now: dt.datetime, link: str = "", code: str = "") -> tuple[str, str]:
    """Subject and body of one notice for its channel. `link` and `code` answer it, where it asks for an answer."""
    if notice.channel == NoticeChannel.SMS:
        return "", _sms(notice, now, code)
    if notice.kind == drills.KIND:
        return drills.message(notice)
    if notice.incident is None:
        return _about_no_case(notice)
    case = notice.incident
    head = subject(notice, case)
    parts = [head]
    if not case.is_sealed:
        parts.append("\n".join([_what(case), *([due] if (due := _due(case, now)) else [])]))
    if link:
        parts.append(_("I have it: %(link)s") % {"link": link})
    if code:
        parts.append(_("Or say this code by radio, or answer an SMS with it: %(code)s") % {"code": grouped(code)})
    parts.append(_("Open the case: %(link)s") % {"link": case_link(case)})
    parts.append(_("All times are Phnom Penh time."))
    if notice.channel == NoticeChannel.CHAT:
        return "", "\n".join(parts)
    return head, "\n\n".join(parts) + "\n"


def case_link(case: Incident) -> str:
    return f"{settings.SITE_URL}{case.get_absolute_url()}"


def grouped(code: str) -> str:
    """123 456: two groups are heard better over radio than six digits."""
    return f"{code[:3]} {code[3:]}"


def _about_no_case(notice: Notice) -> tuple[str, str]:
    """An account is a person, so what was done to it stays in the inbox."""
    texts = {
        "duty": _("The duty roster or a delegation was changed."),
        "policy": _("A new escalation policy is in force."),
    }
    text = texts.get(notice.kind, _("A notice for you waits in the inbox."))
    head = text.rstrip(".។")
    if notice.kind == PASSED_DIGEST:
        text = passed_sentence(notice.entry, notice.entry.command.name if notice.entry.command else "")
        head = _("Cases passed your command while escalation did not run")
    link = settings.SITE_URL + reverse("incidents:inbox")
    return head, text + "\n\n" + _("Read it: %(link)s") % {"link": link} + "\n"


def _what(case: Incident) -> str:
    """Kind, severity and district: no commune, which with the kind may name a person."""
    return _("%(kind)s. Severity: %(severity)s. %(place)s.") % {
        "kind": case.category.name,
        "severity": case.get_severity_display(),
        "place": district_of(case),
    }


def district_of(case: Incident) -> str:
    """District and province of the case, from the place that was read with it."""
    names: list[str] = []
    place: Jurisdiction | None = case.place
    while place is not None and place.level not in (Level.COUNTRY, Level.PROVINCE):
        if place.level == Level.DISTRICT:
            names.append(place.name)
        place = place.parent
    return ", ".join([*names, *([place.name] if place is not None else [])])


def _due(case: Incident, now: dt.datetime) -> str:
    if case.next_due_at is None:
        return ""
    values = {"what": ClockKind(case.next_due_kind).label, "time": moment(case.next_due_at, now)}
    if case.next_due_at <= now:
        return _("Late since %(time)s: %(what)s.") % values
    return _("By %(time)s: %(what)s.") % values


def moment(value: dt.datetime, now: dt.datetime) -> str:
    """14:20 of today, else 26 May, 14:20; local time."""
    if timezone.localdate(value) == timezone.localdate(now):
        return date_format(timezone.localtime(value), "TIME_FORMAT")
    return day_and_time(value)


# ---- SMS: of one part where that says all, of at most three with how to answer ----


def _sms(notice: Notice, now: dt.datetime, code: str) -> str:
    """Which case, what is asked, by when, and what to do with the code. No link: it alone would take two parts."""
    if notice.kind == drills.KIND:
        return _first_fitting(drills.short_forms(notice), MOST_PARTS)
    case = notice.incident
    if case is None:
        head, text = _about_no_case(notice)
        return _first_fitting([" ".join(text.split()), head, settings.SITE_URL])
    if case.is_sealed:
        return _first_fitting([subject(notice, case), case.reference])
    name = f"{case.reference} {case.get_severity_display()}:"
    if not code:
        what, due = _short(notice.kind), _due(case, now)
        return _first_fitting([" ".join(p for p in (name, what, due) if p), f"{name} {what}"], MOST_PARTS)
    came, asked, how = _came(notice.kind), _asked(case, now), _how(grouped(code))
    forms = [[name, came, asked, how], [name, asked, how], [f"{case.reference}:", asked, how]]
    forms += [[f"{case.reference}:", asked, grouped(code)], [case.reference, grouped(code)]]
    return _first_fitting([" ".join(form) for form in forms], MOST_PARTS)


def _first_fitting(forms: Sequence[str], most: int = 1) -> str:
    """The first of the forms, the fullest first, that takes at most so many parts."""
    for text in forms:
        if sms_parts(text) <= most:
            return text
    return forms[-1][:SMS_UCS]


def _asked(case: Incident, now: dt.datetime) -> str:
    """What taking the case is now, and until when."""
    kind = ClockKind.ACKNOWLEDGE if case.state == State.REPORTED else ClockKind.ACCEPT
    due = case.next_due_at
    if case.next_due_kind != kind:
        clock = case.clocks.filter(kind=kind, state=ClockState.RUNNING).order_by("deadline_at").first()
        due = clock.deadline_at if clock else None
    values = {"time": moment(due, now)} if due else {}
    is_late = due is not None and due <= now
    if kind == ClockKind.ACKNOWLEDGE:
        late, ahead = _("Please acknowledge it: late since %(time)s."), _("Please acknowledge it by %(time)s.")
        plain = _("Please acknowledge it.")
    else:
        late, ahead = _("Please accept it: late since %(time)s."), _("Please accept it by %(time)s.")
        plain = _("Please accept it.")
    return (late if is_late else ahead) % values if due else plain


def _how(code: str) -> str:
    """What to do with the code; an answer by SMS only where this system takes them."""
    if settings.SMS_INBOUND_SECRET:
        text = _("To do so, answer with the code %(code)s, or say it to the watch by radio or phone.")
    else:
        text = _("To do so, say the code %(code)s to the watch by radio or phone.")
    return text % {"code": code}


def _came(kind: str) -> str:
    """How a case came that can be taken now."""
    texts = {
        "report": _("new case."),
        "hand_back": _("handed back to you."),
        "warn": _("deadline near."),
    }
    return texts.get(kind, _("came up to you."))


def _short(kind: str) -> str:
    """What a notice that is not answered says in a few letters."""
    texts = {
        "report": _("new case, acknowledge it."),
        "informed": _("for information."),
        "escalate": _("came up to you, accept it."),
        "hand_back": _("handed back to you, accept it."),
        "assign": _("assigned to you."),
        "auto_escalate": _("came up to you, act."),
        "skip": _("came up to you, act."),
        "warn": _("deadline near."),
        "exhausted": _("late, nobody above."),
        "inform": _("late at the command below."),
        "moved_up": _("moved up."),
        "passed_digest": _("moved up."),
        "legal": _("legal deadline near."),
        "resume": _("deadlines run again."),
    }
    return texts.get(kind, _("open the case."))


# ---- Several in one ----


def of_one_case(notices: Sequence[Notice], main: Notice, now: dt.datetime, link: str, code: str) -> tuple[str, str]:
    """The message of `main`, and in a sentence each what else `notices`, all of its case, tell."""
    head, body = written(main, now, link, code)
    others = [n for n in notices if n.pk != main.pk]
    if main.channel == NoticeChannel.SMS or not others:
        return head, body
    lines = [_("Also:"), *(f"- {subject(n, n.incident)}" for n in others[-NAMED:] if n.incident is not None)]
    return head, body.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def digest(notices: Sequence[Notice], now: dt.datetime) -> tuple[str, str]:
    """One message for several notices of one address: how many, which, and where to read them."""
    cases: dict[str, Notice] = {}
    for notice in sorted(notices, key=lambda n: n.pk):
        if notice.incident is not None:
            cases[notice.incident.reference] = notice
    others = [n for n in notices if n.incident is None]
    head = _("%(number)s notices: %(cases)s cases") % {"number": len(notices), "cases": len(cases)}
    if notices[0].channel == NoticeChannel.SMS:
        return "", _sms_digest(head, list(cases))
    lines = [subject(n, n.incident) for n in list(cases.values())[:NAMED] if n.incident is not None]
    if left := len(cases) - len(lines):
        lines.append(_("and %(number)s more cases") % {"number": left})
    if others:
        lines.append(_("Not about a case: %(number)s") % {"number": len(others)})
    link = _("Read them: %(link)s") % {"link": settings.SITE_URL + reverse("incidents:inbox")}
    body = "\n".join([head + ":", *(f"- {line}" for line in lines)]) + f"\n\n{link}\n"
    return ("" if notices[0].channel == NoticeChannel.CHAT else head), body


def _sms_digest(head: str, references: Sequence[str]) -> str:
    """As many references as there is room for, and how many are left out."""
    for shown in range(len(references), 0, -1):
        left = len(references) - shown
        text = f"{head}: {', '.join(references[:shown])}{f' +{left}' if left else ''}"
        if sms_room(text) >= 0:
            return text
    return _first_fitting([head, re.sub(r"\D+", " ", head)])
