"""One act on one case: lock, may, can, write, journal, tally, outbox, wake. The only mechanism that changes a case.

`actions` says what each act means; here is what every act has in common, in one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext as _

from commands.authority import Facts, judge
from commands.models import Posting, SecurityCommand, User
from elections.models import Election
from elections.prepared import prepared
from incidents import lifecycle, tallies
from incidents.choices import Act, Channel, Classification, ClockKind, Nature, State
from incidents.deadlines import Targets
from incidents.delivery.outbox import notices_told, post
from incidents.models import (
    LIVE,
    Category,
    Clock,
    ClockState,
    Custody,
    Entry,
    Escalation,
    EscalationKind,
    Incident,
    Notice,
    NoticeChannel,
    Policy,
)
from incidents.policies import rules_for, targets_at
from incidents.routing import above, people_at, serving_under, vacant_among
from incidents.timekeeping import keep_pauses, run_again
from incidents.timekeeping import new_clock as new_clock
from incidents.timekeeping import refresh_deadline as refresh_deadline
from incidents.timekeeping import resume_clocks as resume_clocks
from incidents.timekeeping import start_clock as start_clock
from incidents.vacancies import write_left_out

#: Fields whose change the journal shows, as stored values.
TRACKED = (
    "state",
    "severity",
    "verification",
    "classification",
    "proposed_classification",
    "owner_id",
    "rung",
    "highest_rung",
    "is_accepted",
    "assignee_id",
    "category_id",
    "place_id",
    "lat",
    "lon",
    "point_precision",
    "occurred_at",
    "time_precision",
    "title",
    "place_note",
    "search_key",
    "actor_type",
    "target_type",
    "means",
    "is_gender_based",
    "killed",
    "injured",
    "stations_affected",
    "minutes_stopped",
    "voters_affected",
    "merged_into_id",
    "outcome",
    "dismiss_reason",
    "request_act",
    "request_by_id",
    "request_at",
    "request_reason",
    "request_data",
    "acknowledged_at",
    "first_update_at",
    "last_update_at",
    "contained_at",
    "resolved_at",
    "resolved_by_id",
    "closed_at",
    "classified_at",
    "reopened_count",
    "policy_id",
    "clock_phase",
    "snoozed_until",
    "next_due_at",
    "next_due_kind",
)
#: Bookkeeping that would only repeat the entry's own columns, or show the narrative where it need not be.
_NOT_SHOWN = frozenset({"next_due_at", "next_due_kind", "search_key", "request_data", "request_by_id", "rung"})
#: People stand in the journal under the name they sign in with, which is a function and not a database key.
_PEOPLE = frozenset({"assignee_id", "resolved_by_id"})


class StaleVersion(ValidationError):
    """The case was changed since the person looked; `meanwhile` holds the entries they did not see."""

    def __init__(self, meanwhile: list[Entry]) -> None:
        super().__init__(_("Somebody else acted on this case. Read what changed, then decide again."), code="stale")
        self.meanwhile = meanwhile


def refused(text: str, code: str = "not_possible") -> ValidationError:
    """A refusal in words, for what the lifecycle or a rule does not allow."""
    return ValidationError(text, code=code)


def in_words(refusal: ValidationError | PermissionDenied) -> str:
    """A refusal as one text for a message."""
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)


def chosen(kind: type[TextChoices], value: str, field: str) -> str:
    """`value` where it is one of `kind`; else a refusal beside `field`."""
    if value not in kind.values:
        raise ValidationError({field: _("Choose one from the list.")}, code="choice")
    return value


def facts_of(incident: Incident, user: User | None) -> Facts:
    """What authority depends on, of this case for this person."""
    key = user.pk if user else None
    return Facts(
        owner_path=incident.owner.path,
        place=incident.place_id,
        severity=incident.severity,
        # What the NEC decided is the NEC's to close, whatever the category is by nature.
        nature=Nature.ELECTORAL if incident.classification == Classification.ELECTORAL else incident.category.nature,
        group=incident.category.group_code,
        is_sealed=incident.is_sealed,
        is_reporter=incident.reporter_id == key,
        is_assignee=incident.assignee_id == key,
        is_resolver=incident.resolved_by_id == key,
        is_requester=incident.request_by_id == key,
        request_act=incident.request_act,
        pause_decided_by=incident.request_data.get("decided_by", "") if incident.request_act == Act.SNOOZE else "",
    )


def chain_above(incident: Incident) -> list[SecurityCommand]:
    """The commands above the owner for this case, nearest first."""
    subjects = [s.command for s in incident.subjects.select_related("command")] if incident.is_sealed else None
    return above(incident.owner, incident.place_id, subjects)


def vacant_for(incident: Incident, commands: Sequence[SecurityCommand], now: dt.datetime) -> set[int]:
    """Keys of those of `commands` where nobody is there who may have this case."""
    subjects = [s.command for s in incident.subjects.select_related("command")] if incident.is_sealed else None
    return vacant_among(commands, now, subjects)


def targets_of(incident: Incident, now: dt.datetime) -> Targets:
    """The response targets of a case: of its own policy, by the phase that times it, its severity and the moment."""
    rules, case = rules_for(incident), incident
    return targets_at(rules, case.election, case.clock_phase, case.severity, case.place_id, now)


def stored(value: object) -> Any:
    """A field's value as the journal keeps it."""
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _as_journaled(name: str, value: Any) -> Any:
    if name in _PEOPLE and value is not None:
        return User.objects.values_list("username", flat=True).get(pk=value)
    if name == "policy_id":
        return str(Policy.objects.select_related("election").get(pk=value))
    return stored(value)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An answer given by radio, SMS or phone, entered by an operator: `by` under `posting`, for who gave it `at`."""

    by: User
    posting: Posting
    at: dt.datetime
    said_by: str


@dataclass
class Turn:
    """One act under way on one locked case; `finish` writes it all."""

    incident: Incident
    act: Act
    by: User | None
    posting: Posting | None
    now: dt.datetime
    channel: str
    reason: str = ""
    note: str = ""
    #: Whose answer it is, where an operator entered it.
    on_behalf_of: User | None = None
    entry: Entry | None = None
    extra_after: dict[str, Any] = field(default_factory=dict)
    _told: list[tuple[str, list[User]]] = field(default_factory=list)
    _told_commands: list[tuple[str, list[str]]] = field(default_factory=list)
    _before: dict[str, Any] = field(default_factory=dict)
    _cell: tallies.Cell | None = None

    def __post_init__(self) -> None:
        self._before = {name: getattr(self.incident, name) for name in TRACKED}
        self._cell = tallies.cell_of(self.incident)

    @property
    def state_before(self) -> str:
        """The state the case had before this act."""
        return str(self._before["state"])

    @property
    def targets(self) -> Targets:
        """The response targets of the phase that times the case and its severity as it stands in this act."""
        return targets_of(self.incident, self.now)

    # ---- Clocks ----

    def start_clock(
        self, kind: ClockKind, minutes: int, anchor: dt.datetime | None = None, like: Clock | None = None
    ) -> None:
        """Run a clock of `minutes` from `anchor` (now); a standing one of the kind is cancelled, the episode grows.

        `like`: the one it takes the place of, whose pauses it keeps.
        """
        made = start_clock(self.incident, kind, minutes, anchor or self.now, self.now)
        if like is not None:
            keep_pauses(made, like)

    def stop_clock(self, *kinds: ClockKind, state: ClockState = ClockState.MET) -> None:
        """Stop what runs, stands paused or fired in vain of these kinds; time paused does not count as time taken."""
        clocks = self.incident.clocks.filter(kind__in=kinds)
        if self.incident.snoozed_until:
            run_again(clocks, min(self.now, self.incident.snoozed_until))
        clocks.filter(state__in=LIVE).update(state=state, stopped_at=self.now)

    def end_pause(self) -> bool:
        """Let paused clocks run again, and drop a pause that was only asked for: the case needs its deadlines now."""
        if self.incident.request_act == Act.SNOOZE:
            clear_request(self.incident)
        return resume_clocks(self.incident, self.now)

    # ---- Custody ----

    def hand_over(
        self,
        to: SecurityCommand,
        reason: str,
        kind: EscalationKind,
        accept_minutes: int,
        *,
        told: str,
        left_out: Sequence[SecurityCommand] = (),
    ) -> None:
        """Give the case to `to`; the sender stays accountable until it accepts.

        `left_out`: who would have got it, had somebody been there; each has its row and its entry, as by the engine.
        """
        sender = self.incident.owner
        Custody.objects.create(
            incident=self.incident, command=to, from_command=sender, reason=reason[:40], due_at=self.now, at=self.now
        )
        number = self.incident.escalations.filter(clock="").count()
        Escalation.objects.create(
            incident=self.incident,
            clock="",
            episode=number + 1,
            step=0,
            kind=kind,
            from_command=sender,
            to_command=to,
            due_at=self.now,
            fired_at=self.now,
        )
        self.incident.owner = to
        self.incident.rung = to.rung or 0
        self.incident.highest_rung = max(self.incident.highest_rung, self.incident.rung)
        self.incident.is_accepted = False
        write_left_out(self.incident, left_out, self.now, episode=number + 1)
        waiting = self.incident.state == State.REPORTED
        self.start_clock(ClockKind.ACKNOWLEDGE if waiting else ClockKind.ACCEPT, accept_minutes)
        self.tell_commands(told, [to])

    # ---- Notices ----

    def tell(self, kind: str, people: Iterable[User]) -> None:
        self._told.append((kind, [p for p in people if self.by is None or p.pk != self.by.pk]))

    def tell_commands(
        self, kind: str, commands: Iterable[SecurityCommand], known: Mapping[int, list[User]] | None = None
    ) -> None:
        """Tell who is at these commands; `known` is what `people_at` gave for some of them already."""
        commands = list(commands)
        self._told_commands.append((kind, [c.path for c in commands]))
        known = known or {}
        found = people_at([c for c in commands if c.pk not in known], self.now)
        found |= {c.pk: known[c.pk] for c in commands if c.pk in known}
        barred: set[int] = set()
        if self.incident.is_sealed:
            barred = serving_under(self.incident.subjects.values_list("command__path", flat=True), self.now)
        self.tell(kind, [person for people in found.values() for person in people if person.pk not in barred])

    # ---- The end ----

    def finish(self) -> Entry:
        incident = self.incident
        refresh_deadline(incident)
        changed = [name for name in TRACKED if getattr(incident, name) != self._before[name]]
        incident.version += 1
        incident.updated_at = self.now
        incident.save(update_fields=[*(n.removesuffix("_id") for n in changed), "version", "updated_at"])
        self._has_read()
        return self._tell_of(changed)

    def _has_read(self) -> None:
        """Who acts on a case knows what the inbox said of it."""
        if self.by is not None:
            said = Notice.objects.filter(incident=self.incident, recipient=self.by, channel=NoticeChannel.INBOX)
            said.filter(read_at=None).update(read_at=self.now)

    def finish_new(self) -> Entry:
        """The end of the report: the row was written whole, version and deadline with it, so nothing is changed."""
        self._cell = None
        return self._tell_of([])

    def _tell_of(self, changed: list[str]) -> Entry:
        """Journal, tallies and notices."""
        incident = self.incident
        shown = [n for n in changed if n not in _NOT_SHOWN]
        self.entry = Entry.objects.create(
            incident=incident,
            act=self.act,
            at=self.now,
            channel=self.channel,
            by=self.by,
            posting=self.posting,
            command=self.posting.command if self.posting else None,
            before={n.removesuffix("_id"): _as_journaled(n, self._before[n]) for n in shown},
            after={n.removesuffix("_id"): _as_journaled(n, getattr(incident, n)) for n in shown} | self.extra_after,
            reason=self.reason,
            note=self.note,
            version=incident.version,
        )
        tallies.move(self._cell, tallies.cell_of(incident))
        self._write_notices(self.entry)
        return self.entry

    def _write_notices(self, entry: Entry) -> None:
        post(notices_told(entry, self.incident, self._told, self._told_commands))


def clear_request(case: Incident) -> None:
    """Nothing waits for a second person any more."""
    case.request_act, case.request_by, case.request_at = "", None, None
    case.request_reason, case.request_data = "", {}


def locked(pk: UUID, by: User | None) -> Incident:
    """The case, locked until the end of the transaction. Raises Incident.DoesNotExist where `by` may not see it."""
    cases = Incident.objects.all() if by is None else Incident.objects.visible_to(by)
    if not cases.filter(pk=pk).exists():
        raise Incident.DoesNotExist
    incident = _locked_row.first(pk)
    if incident is None:
        raise Incident.DoesNotExist
    # Every act asks for these three: prepared, they are read in a third of the time.
    incident.election = _election(incident.election_id)[0]
    incident.owner = _owner(incident.owner_id)[0]
    incident.category = _category(incident.category_id)[0]
    if incident.election.is_locked:
        raise refused(_("The record of this election is closed. It can be read and not changed."), "locked")
    return incident


@prepared
def _locked_row(pk: Any) -> QuerySet[Incident]:
    # Without joins: who waits here for a change of the owner would then find no row. PostgreSQL looks again at the row
    # it waited for, with what it had joined before.
    return Incident.objects.select_for_update(of=("self",)).filter(pk=pk)


@prepared
def _election(pk: Any) -> QuerySet[Election]:
    return Election.objects.filter(pk=pk)


@prepared
def _owner(pk: Any) -> QuerySet[SecurityCommand]:
    return SecurityCommand.objects.filter(pk=pk)


@prepared
def _category(pk: Any) -> QuerySet[Category]:
    return Category.objects.filter(pk=pk)


@contextmanager
def turn(
    incident: Incident,
    act: Act,
    *,
    by: User | None,
    version: int | None,
    now: dt.datetime,
    channel: str = Channel.BROWSER,
    reason: str = "",
    note: str = "",
    heard: Heard | None = None,
) -> Iterator[Turn]:
    """Lock the case, check version, authority and lifecycle, run the body, write. Refusals leave nothing behind.

    `by` is whose act it is and whose authority counts; with `heard` the journal names the operator who entered it as
    its author, and `by` as whom it was done for. Both must see the case.

    Raises Incident.DoesNotExist (not visible), StaleVersion, PermissionDenied, ValidationError.
    """
    reason, note = reason.strip(), note.strip()
    with transaction.atomic():
        case = locked(incident.pk, by)
        if heard and not Incident.objects.visible_to(heard.by).filter(pk=case.pk).exists():
            raise Incident.DoesNotExist
        if version is not None and version != case.version:
            raise StaleVersion(list(case.entries.filter(version__gt=version).order_by("pk")))
        posting = None
        if by is not None:
            posting = judge(act, by.current_postings, facts_of(case, by))
        elif act not in SYSTEM_ACTS:
            raise PermissionDenied(_("Nobody may do this."))
        target = lifecycle.after(case.state, act)
        if target is None:
            raise refused(lifecycle.refusal(case.state, act))
        if act in lifecycle.REASONED and not reason:
            raise ValidationError({"reason": _("Say why, in a few words.")}, code="required")
        going = Turn(incident=case, act=act, by=by, posting=posting, now=now, channel=channel, reason=reason, note=note)
        if heard is not None:
            going.by, going.posting, going.on_behalf_of = heard.by, heard.posting, by
        case.state = target
        yield going
        if heard is not None and by is not None:
            going.extra_after |= {
                "on_behalf_of": by.username,
                "said_by": heard.said_by,
                "heard_at": stored(heard.at),
            }
        going.finish()


#: What may be done with no person behind it: rules of the NEC.
SYSTEM_ACTS = frozenset({Act.CLASSIFY})
