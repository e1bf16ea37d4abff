"""What a notice says: never a narrative, a person or an exact place, because mail leaves the system."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.choices import Role
from commands.models import SecurityCommand, User
from elections.choices import Phase
from elections.models import Election, PollingStation, RegisteredVoters
from incidents.choices import Act, ClockKind, Outcome
from incidents.models import Category, Entry, Incident, LegalDeadline, Notice

#: Kinds of notices, each a sentence about the case.
KINDS = (
    "report",
    "informed",
    "escalate",
    "hand_back",
    "assign",
    "raise_severity",
    "lower_severity",
    "request",
    "decline",
    "relocate_station",
    "outcome",
    "closed",
    "reopen",
    "warn",
    "auto_escalate",
    "moved_up",
    "inform",
    "exhausted",
    "passed_digest",
    "skip",
    "snooze",
    "resume",
    "refer",
    "legal",
    "retime",
    "referral_concluded",
    "stood_down",
    "not_quiet",
)


#: Of an outage: about many cases at once and then without any of them, or about one sealed case.
PASSED_DIGEST = "passed_digest"
#: What the reporter is told of the end.
ENDED = ("outcome", "closed")


def sentence(kind: str, reference: str, owner: str) -> str:
    """One sentence for the inbox and the subject of an e-mail."""
    values = {"reference": reference, "owner": owner}
    texts = {
        "report": _("%(reference)s: a new case for %(owner)s. Please acknowledge it."),
        "informed": _("%(reference)s: for your information. It belongs to %(owner)s."),
        "escalate": _("%(reference)s was escalated to %(owner)s. Please accept it."),
        "hand_back": _("%(reference)s was handed back to %(owner)s. Please accept it."),
        "assign": _("%(reference)s was assigned to you."),
        "raise_severity": _("%(reference)s: the severity was raised."),
        "lower_severity": _("%(reference)s: the severity was lowered."),
        "request": _("%(reference)s waits for a countersignature."),
        "decline": _("%(reference)s: what you asked for was declined. Read why."),
        "relocate_station": _("%(reference)s: a polling station was moved."),
        "outcome": _("%(reference)s, which you reported, has an outcome."),
        "closed": _("%(reference)s, which you reported, was closed."),
        "reopen": _("%(reference)s was reopened."),
        "warn": _("%(reference)s: a deadline is near."),
        "auto_escalate": _("%(reference)s came up to %(owner)s because nobody acted in time. Please act."),
        "moved_up": _("%(reference)s moved up to %(owner)s, because nobody acted in time."),
        "inform": _("%(reference)s is late at %(owner)s."),
        "exhausted": _("%(reference)s is late, and there is no command above %(owner)s."),
        "passed_digest": _("%(reference)s passed through your command while escalation was not running. "
                           "It is with %(owner)s now."),
        "skip": _("%(reference)s came to %(owner)s, because nobody was there on the way. Please act."),
        "snooze": _("%(reference)s: its deadlines are paused."),
        "resume": _("%(reference)s: the pause is over and its deadlines run again."),
        "refer": _("%(reference)s was referred to a legal body."),
        "legal": _("%(reference)s: a legal deadline is near."),
        "referral_concluded": _("%(reference)s: a legal body has decided. Read how it ended."),
        "stood_down": _("%(reference)s was handed back to %(owner)s after a quiet time."),
        "not_quiet": _("%(reference)s, which you handed back to %(owner)s, is not quiet any more. Read what happened."),
        "retime": _("%(reference)s: its deadlines are those of the new phase."),
    }  # fmt: skip
    # An act whose kind has no sentence yet still tells that something happened.
    return texts.get(kind, _("%(reference)s: something changed. Open the case.")) % values


def role_at(role: str, command: str) -> str:
    """Who did something, as everybody may read it: role @ command, never a name. `command` is the name of it."""
    return _("%(role)s @ %(unit)s") % {"role": Role(role).label, "unit": command}


def day_and_time(value: dt.datetime) -> str:
    """26 May, 14:20; local time."""
    local = timezone.localtime(value)
    values = {"day": date_format(local, "MONTH_DAY_FORMAT"), "time": date_format(local, "TIME_FORMAT")}
    return _("%(day)s, %(time)s") % values


def request_sentence(entry: Entry, reference: str, owner: str) -> str:
    """What a second person is asked to decide; of a pause until when, for its time passes while nobody decides."""
    after = entry.after
    if after.get("requested") != Act.SNOOZE or "until" not in after:
        return sentence("request", reference, owner)
    values = {"reference": reference, "until": day_and_time(dt.datetime.fromisoformat(after["until"]))}
    return _("%(reference)s: a pause of its deadlines until %(until)s is asked for. Please decide.") % values


def moved_sentence(clock: str, reference: str, owner: str, sender: str) -> str:
    """What a command reads whose case the rule moved up: to whom, and which deadline `sender` missed."""
    values = {"reference": reference, "owner": owner, "sender": sender}
    if clock == ClockKind.ACKNOWLEDGE:
        return _("%(reference)s moved up to %(owner)s, because it was not acknowledged by %(sender)s.") % values
    if clock == ClockKind.ACCEPT:
        return _("%(reference)s moved up to %(owner)s, because it was not accepted by %(sender)s.") % values
    return _("%(reference)s moved up to %(owner)s, because it was late at %(sender)s.") % values


def outcome_sentence(kind: str, reference: str, outcome: str) -> str:
    """What a reporter reads of the end of their case; without a known `outcome` (a code), only that it has one."""
    if outcome not in Outcome.values:
        return sentence(kind, reference, "")
    values = {"reference": reference, "outcome": Outcome(outcome).label}
    if kind == "closed":
        return _("%(reference)s, which you reported, was closed. Outcome: %(outcome)s.") % values
    return _("%(reference)s, which you reported, has an outcome: %(outcome)s.") % values


def passed_sentence(entry: Entry, command: str) -> str:
    """What a command reads once after an outage: how many cases it would have had, had the engine run."""
    after = entry.after
    started_at, ended_at = (dt.datetime.fromisoformat(after[name]) for name in ("started_at", "ended_at"))
    values = {
        "count": after["cases"],
        "command": command,
        "start": day_and_time(started_at),
        "end": day_and_time(ended_at),
    }
    return (
        ngettext(
            "Escalation did not run from %(start)s to %(end)s. "
            "%(count)s case passed %(command)s in that time and went on to the command above.",
            "Escalation did not run from %(start)s to %(end)s. "
            "%(count)s cases passed %(command)s in that time and went on to the command above.",
            after["cases"],
        )
        % values
    )


def policy_sentence(entry: Entry) -> str:
    """That a version of an escalation policy was published; its name is that of its address."""
    values = {"by": entry.by, "version": entry.after.get("policy", "")}
    return _("%(by)s published the escalation policy %(version)s. New cases run by it from now on.") % values


def account_sentence(entry: Entry, command: str) -> str:
    """What an administrator did to an account; `command` is the name of the body of a posting. For the inbox only."""
    after = entry.after
    if after["what"] == "reference":
        return _reference_sentence(entry.by, after["name"], after["fields"])
    if after["what"].startswith("webhook"):
        hooks = {
            "webhook_made": _("%(by)s had what %(command)s is told sent to another system: «%(name)s» at %(host)s."),
            "webhook_on": _("%(by)s had what %(command)s is told sent again to «%(name)s» at %(host)s."),
            "webhook_off": _("%(by)s stopped what %(command)s is told from going to «%(name)s» at %(host)s."),
        }
        return hooks[after["what"]] % {**after, "by": entry.by, "command": command}
    texts = {
        "made": _("%(by)s made the account «%(person)s»."),
        "changed": _("%(by)s changed the account «%(person)s»."),
        "password": _("%(by)s set a new password for «%(person)s»."),
        "posted": _("%(by)s posted «%(person)s»: %(role)s, %(command)s."),
        "reposted": _("%(by)s changed a posting of «%(person)s»: %(role)s, %(command)s."),
    }
    role = Role(after["role"]).label if "role" in after else ""
    return texts[after["what"]] % {"by": entry.by, "person": after["person"], "role": role, "command": command}


def subject(notice: Notice, incident: Incident) -> str:
    """The sentence of a notice about a case, for outside; of a sealed one it tells only that something waits."""
    if incident.is_sealed:
        return _("%(reference)s: something waits for you. Sign in to read it.") % {"reference": incident.reference}
    entry = notice.entry
    if notice.kind == "moved_up" and entry.command:
        owner = SecurityCommand.objects.get(pk=entry.after["owner"])
        return moved_sentence(entry.after["clock"], incident.reference, owner.name, entry.command.name)
    if notice.kind in ENDED:
        return outcome_sentence(notice.kind, incident.reference, incident.outcome)
    if notice.kind == "request":
        return request_sentence(entry, incident.reference, incident.owner.name)
    return sentence(notice.kind, incident.reference, incident.owner.name)


#: What an administrator changes and the PSC and the NEC are told of, by its name in the journal.
_REFERENCE: dict[str, type[Model]] = {
    model._meta.model_name or "": model
    for model in (Category, Election, LegalDeadline, PollingStation, RegisteredVoters, SecurityCommand)
}


def _reference_sentence(by: User | None, name: str, fields: Sequence[str]) -> str:
    """The journal holds names that last; people read what the pages call the same things now."""
    key, _space, which = name.partition(" ")
    model = _REFERENCE[key]
    what = f"{model._meta.verbose_name} {which}"
    if list(fields) == ["made"]:
        return _("%(by)s entered reference data: %(what)s.") % {"by": by, "what": what}
    words = {f"phase {code}": str(label) for code, label in Phase.choices}
    words |= {field.name: str(field.verbose_name) for field in model._meta.fields}
    named = _(", ").join(words.get(field, field) for field in fields)
    return _("%(by)s changed reference data: %(what)s (%(fields)s).") % {"by": by, "what": what, "fields": named}
