"""What each act asks of a person: the verb on its button, what will happen, the fields of its form. One table."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from incidents.choices import Act
from incidents.limits import COUNTS
from incidents.models import Incident

#: What a correction may change: facts, never the narrative, which only grows by updates.
CORRECTABLE = (
    "category", "occurred_at", "time_precision", "place", "title", "place_note", *COUNTS,
    "actor_type", "target_type", "means", "is_gender_based",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One act as the pages offer it: the verb on its button, its icon, what will happen, and the fields it asks."""

    verb: str | Promise
    icon: str
    intro: str | Promise = ""
    fields: tuple[str, ...] = ()
    done: str | Promise = ""
    is_final: bool = False


#: In the order in which buttons are offered.
ASKS: dict[Act, Ask] = {
    Act.COUNTERSIGN: Ask(
        _("Countersign"), "tick", _("What was asked for takes effect at once."), ("note",), _("Countersigned.")
    ),
    Act.DECLINE: Ask(
        _("Decline the request"), "cross", _("The case goes on as it is. Whoever asked is told why."),
        ("reason",), _("The request is declined."),
    ),
    Act.ACKNOWLEDGE: Ask(
        _("Acknowledge"), "tick",
        _("You take note of the case for your command and its clock of acknowledgement stops."),
        ("concerned", "note"), _("The case is acknowledged."),
    ),
    Act.ACCEPT: Ask(
        _("Accept"), "tick", _("Your command takes the case over. Until then the sender stays responsible."),
        ("note",), _("The case is accepted."),
    ),
    Act.SEEN: Ask(
        _("We have seen it"), "eye", _("The owner learns that your command knows. The case stays where it is."),
        ("note",), _("The owner knows that you have seen it."),
    ),
    Act.UPDATE: Ask(
        _("Add an update"), "pencil",
        _("What is known now, what was done, what comes next. No names of persons harmed, witnesses or sources."),
        ("update_note", "is_quiet"), _("The update is in the timeline."),
    ),
    Act.CONTAIN: Ask(
        _("Mark contained"), "tick", _("The harm has stopped and an authority holds the matter."),
        ("note", *COUNTS), _("The case is contained."),
    ),
    Act.RESOLVE: Ask(
        _("Resolve"), "tick", _("How it ended, and how far it is known to be true."),
        ("outcome", "final_verification", "note"), _("The resolution is recorded."),
    ),
    Act.CLOSE: Ask(_("Close"), "lock", _("Nothing more is to be done. The case stays readable."), ("note",),
                   _("The case is closed.")),
    Act.ASSIGN: Ask(
        _("Assign"), "person", _("The person is told and sees the case. Somebody who is not in the list is not told: "
        "then write in the note who is sent."), ("assignee", "note"), _("The case is assigned."),
    ),
    Act.ESCALATE: Ask(
        _("Escalate"), "up", _("The command you choose will own the case. You stay responsible until it accepts."),
        ("to", "reason"), _("The case is escalated."),
    ),
    Act.HAND_BACK: Ask(
        _("Hand back"), "back", _("The command below will own the case again. You stay responsible until it accepts. "
        "A case is handed back after a quiet time: 12 hours, or 2 hours while people vote and votes are counted."),
        ("reassessed", "reason"), _("The case is handed back. It stays under your watch for 24 hours."),
    ),
    Act.SNOOZE: Ask(
        _("Ask for a pause"), "pause", _("Ask for it here; somebody else decides. "
        "Until then the deadlines run. At most 72 hours, and twice in the life of a case."),
        ("until", "reason"), _("Your request waits for a second person."),
    ),
    Act.WAKE: Ask(
        _("End the pause"), "play", _("The deadlines run on from now, moved by the time they stood still."),
        ("optional_reason",), _("The deadlines run again."),
    ),
    Act.REFER: Ask(
        _("Refer to a legal body"), "scales", _("Record that the case was handed to a body that decides by law. Write "
        "what is alleged, never that somebody is guilty. The case cannot be closed before the outcome is recorded."),
        ("body", "document", "sent_at", "note"), _("The referral is recorded."),
    ),
    Act.CONCLUDE_REFERRAL: Ask(
        _("Record the outcome"), "scales", _("How the body ended the matter. Its deadline stops."),
        ("referral", "referral_outcome", "note"), _("The outcome is recorded."),
    ),
    Act.RAISE_SEVERITY: Ask(
        _("Raise severity"), "warning", _("More commands may be told, and deadlines become shorter."),
        ("raised_severity", "optional_reason"), _("The severity is raised."),
    ),
    Act.LOWER_SEVERITY: Ask(
        _("Lower severity"), "minus", _("One step at a time, with the reason in the timeline."),
        ("lowered_severity", "reason"), _("The severity is lowered."),
    ),
    Act.FLARE_UP: Ask(_("It flared up again"), "again", _("The case goes back to responding."), ("reason",),
                      _("The case is open for response again.")),
    Act.VERIFY: Ask(
        _("Set verification"), "search",
        _("Two independent sources of different kinds verify a report, or one official record and direct observation."),
        ("verification", "note"), _("The verification is set."),
    ),
    Act.CLASSIFY: Ask(
        _("Classify"), "flag", _("What it is, as the NEC decides."), ("classification", "optional_reason"),
        _("The case is classified."),
    ),
    Act.PROPOSE: Ask(
        _("Propose a classification"), "flag", _("The NEC decides; your proposal stays visible beside its decision."),
        ("classification", "note"), _("Your proposal is with the NEC."),
    ),
    Act.ATTACH: Ask(
        _("Add files"), "camera",
        _("Photos lose their location before others see them. The originals are kept unchanged."),
        ("files",), _("The files are added."),
    ),
    Act.CORRECT: Ask(
        _("Correct facts"), "pencil", _("Old and new values stay in the timeline. What happened is told by updates, "
        "not corrected."), (*CORRECTABLE, "reason"), _("The facts are corrected."),
    ),
    Act.MERGE: Ask(
        _("Join to another case"), "join", _("This report becomes part of the other case and is counted once."),
        ("survivor",), _("The reports are joined."),
    ),
    Act.UNMERGE: Ask(_("Take apart again"), "join", _("This report becomes a case of its own again."), ("reason",),
                     _("The reports are taken apart.")),
    Act.RELOCATE_STATION: Ask(
        _("Record a moved station"), "map", _("A polling station that the NEC moved because of this case."),
        ("station", "old_place", "new_place", "station_voters"), _("The move is recorded."),
    ),
    Act.RECORD_PERSON: Ask(
        _("Record a protected identity"), "shield", _("It is sealed at once. Nobody reads it without a grant for this "
        "case, and each opening is recorded."), ("role", "name", "contact", "notes"), _("The identity is sealed."),
    ),
    Act.GRANT_IDENTITY: Ask(
        _("Grant access to identities"), "key", _("One person, this case, for a time. The auditor reads every grant."),
        ("grantee", "hours", "reason"), _("Access is granted."),
    ),
    Act.OPEN_IDENTITY: Ask(
        _("Open identities"), "key", _("This opening is recorded with your posting and your reason."), ("reason",),
    ),
    Act.REOPEN: Ask(_("Reopen"), "again", _("New evidence or an error. The clocks start again."), ("reason",),
                    _("The case is open again.")),
    Act.DISMISS: Ask(
        _("Not an incident"), "cross", _("A second person must countersign. It stays counted as a report received."),
        ("dismiss_reason", "reason"), _("Your finding is recorded."), is_final=True,
    ),
    Act.WITHDRAW: Ask(
        _("Withdraw the report"), "cross", _("After acknowledgement this is a request that a second person decides."),
        ("reason",), _("The withdrawal is recorded."), is_final=True,
    ),
}  # fmt: skip


def primary(incident: Incident, allowed: list[Act]) -> Act | None:
    """The one act to offer first."""
    return next((act for act in wanted_first(incident) if act in allowed), None)


#: What a running deadline waits for.
MEETING: dict[str, list[Act]] = {
    "acknowledge": [Act.ACKNOWLEDGE, Act.ACCEPT],
    "accept": [Act.ACCEPT],
    "first_update": [Act.UPDATE],
    "update": [Act.UPDATE],
    "contain": [Act.CONTAIN],
    "resolve": [Act.RESOLVE],
    "review": [Act.RAISE_SEVERITY],
    "verify": [Act.VERIFY],
    # A body decides by law, not the reader; and a pause ends by itself.
    "legal": [Act.UPDATE],
    "snooze": [Act.UPDATE],
}


def wanted_first(incident: Incident) -> list[Act]:
    """What to offer first, in this order: what the next deadline waits for, then the next steps of the case."""
    # Before anything else somebody must own it: while nobody accepts, it goes on up whatever is written to it.
    wanted = [Act.COUNTERSIGN, Act.ACCEPT] if incident.request_act else [Act.ACCEPT]
    wanted += MEETING.get(incident.next_due_kind, [])
    return [*wanted, Act.ACKNOWLEDGE, Act.ACCEPT, Act.UPDATE, Act.CLASSIFY, Act.CLOSE, Act.REOPEN]
