"""What an entry of the journal says beside its act: pauses, referrals, what a rule left out, and how late it came.

Pure on the entry, the names of the commands in it and how late it came, so that a page asks for each once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from elections.choices import Phase
from incidents.choices import Act, ClockKind, ReferralBody, ReferralOutcome
from incidents.escalation.outage import Late
from incidents.models import Entry
from incidents.templatetags import _time


def title(entry: Entry, names: Mapping[str, str]) -> str:
    """The heading of an entry whose act needs more than its name; "" for the others."""
    after = entry.after
    match entry.act:
        case Act.SNOOZE:
            return _("A pause of the deadlines is asked for, until %(time)s") % {"time": _moment(after, "until", entry)}
        case Act.COUNTERSIGN if after.get("until"):
            return _("Countersigned: deadlines paused until %(time)s") % {"time": _moment(after, "until", entry)}
        case Act.DECLINE if after.get("lapsed"):
            return _("The pause that was asked for is void: nobody decided before its end")
        case Act.REFER if after.get("is_number"):
            return _("The number of the document for: %(body)s") % {"body": _label(ReferralBody, after.get("body"))}
        case Act.REFER:
            return _("Referred to: %(body)s") % {"body": _label(ReferralBody, after.get("body"))}
        case Act.CONCLUDE_REFERRAL if after.get("referral_outcome") == ReferralOutcome.MISTAKE:
            return _("Not referred to: %(body)s. It was recorded by mistake") % {
                "body": _label(ReferralBody, after.get("body"))
            }
        case Act.CONCLUDE_REFERRAL:
            values = {
                "body": _label(ReferralBody, after.get("body")),
                "outcome": _label(ReferralOutcome, after.get("referral_outcome")),
            }
            return _("%(body)s has decided: %(outcome)s") % values
        case Act.SKIP:
            command = names.get(f"left_out:{after.get('left_out')}")
            return _("%(command)s was left out: nobody was there") % {"command": command} if command else ""
        case Act.RETIME:
            phase = _label(Phase, after.get("phase") or after.get("clock_phase"))
            return _("Deadlines of the new phase: %(phase)s") % {"phase": phase} if phase else ""
        case Act.REBASE:
            policy = after.get("policy")
            return _("Moved to version %(policy)s of the escalation policy") % {"policy": policy} if policy else ""
        case Act.UPDATE if after.get("quiet"):
            return _("Update: nothing new, it stays quiet")
    return ""


def says_request(entry: Entry) -> bool:
    """Whether the heading says already what waits for a second person, or waited for one."""
    is_pause = entry.act in (Act.SNOOZE, Act.COUNTERSIGN) and bool(entry.after.get("until"))
    return is_pause or bool(entry.after.get("lapsed"))


def lines(entry: Entry, late: Late | None, *, detailed: bool) -> list[str]:
    """Whole sentences below the heading; `late` where the entry is a step of a rule that came too late."""
    found = [*_of_referral(entry, detailed=detailed)]
    if entry.before.get("snoozed_until") and entry.act not in (Act.WAKE, Act.RESUME):
        found.append(_("The pause of the deadlines ended with this."))
    if entry.before.get("request_act") == Act.SNOOZE and entry.act not in (Act.COUNTERSIGN, Act.DECLINE):
        found.append(_("The pause that was asked for is void with this."))
    if entry.after.get("same_command"):
        found.append(_("Somebody of the same command agreed: nobody was there above it when the pause was asked for."))
    if late is not None:
        found.append(_late(entry, late))
    return found


def _of_referral(entry: Entry, *, detailed: bool) -> Iterable[str]:
    if entry.act != Act.REFER:
        return
    if detailed and entry.after.get("document"):
        yield _("Document %(number)s, sent %(time)s.") % {
            "number": entry.after["document"], "time": _moment(entry.after, "sent_at", entry)
        }  # fmt: skip
    if entry.after.get("due_at"):
        yield _("It must decide by %(time)s.") % {"time": _moment(entry.after, "due_at", entry)}


# ---- Late steps ----


def _late(entry: Entry, late: Late) -> str:
    length = _time.length(late.by)
    if late.outage is None:
        return _("%(length)s late.") % {"length": length}
    return _("%(length)s late: automatic escalation was down from %(start)s to %(end)s.") % {
        "length": length,
        "start": _time.moment(late.outage.started_at, entry.at),
        "end": _time.moment(late.outage.ended_at, entry.at),
    }


# ---- Stored values ----


def clock_word(entry: Entry) -> str:
    """The deadline a step of a rule was about, in words; "" for other entries."""
    return _label(ClockKind, entry.after.get("clock"))


def _label(kind: type[ClockKind] | type[ReferralBody] | type[ReferralOutcome] | type[Phase], value: object) -> str:
    return str(kind(value).label) if value in kind.values else ""


def _time_of(values: Mapping[str, object], name: str) -> dt.datetime | None:
    text = values.get(name)
    return parse_datetime(text) if isinstance(text, str) else None


def _moment(values: Mapping[str, object], name: str, entry: Entry) -> str:
    at = _time_of(values, name)
    return _time.moment(at, entry.at) if at else ""
