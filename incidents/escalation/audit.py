"""What must hold of escalation, looked for in the rows: every kind of broken state with a sentence and what to do.

Nobody's view: cases are read around the scope, for whoever has a shell on the machine. Each check is one statement, or
a few, read in pages, so that a million cases need no more memory than a hundred.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from incidents import journal, tallies
from incidents.escalation import audit_cases, audit_setup, audit_told

#: An entry that is not sealed after so long is forgotten.
UNSEALED = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class Check:
    """One kind of broken state. `find` yields what is concerned: a case's reference or another key, and its detail."""

    kind: str
    says: str
    hint: str
    find: Callable[[dt.datetime], Iterable[str]]


@dataclass
class Finding:
    """What one check found: how many, and the first of them."""

    check: Check
    total: int = 0
    shown: list[str] = field(default_factory=list)


def _tallies(now: dt.datetime) -> Iterator[str]:
    yield from tallies.differences()


def _journal(now: dt.datetime) -> Iterator[str]:
    for found in journal.verify(now, backlog=UNSEALED).findings:
        yield f"{found.kind}: {found.total or len(found.ids) or ''} {found.detail}".strip()


ACT = "Open the case and act on it (an update or an escalation times it anew); tell the developers which act led here."
CHECKS: tuple[Check, ...] = (
    # ---- The case and its clocks ----
    Check("open_without_clock", "an open case that no deadline watches: nothing will ever move it", ACT,
          audit_cases.open_without_clock),
    Check("ended_with_clock", "a case that ended, and a deadline of it still runs",
          "It will fire for nothing. Reopen the case and end it again.", audit_cases.ended_with_clock),
    Check("clock_off_policy", "a running deadline whose next step is not the moment its policy says",
          "Re-base the case to its policy; until then the step comes at the moment in the row.",
          audit_cases.clock_off_policy),
    Check("not_fired", "a step that was due a quarter of an hour ago and was not done",
          "Is the engine late? See /health/engine. Else look for the case's key in the worker's log.",
          audit_cases.not_fired),
    Check("wrong_deadline", "a case whose next deadline in lists is not the one that counts next",
          "Lists and boards order it wrongly. Any act on the case mends it.", audit_cases.wrong_deadline),
    Check("pause_without_end", "a paused case that nothing wakes, or a pause that runs for a case that is not paused",
          "Wake the case by hand.", audit_cases.pause_without_end),
    Check("stopped_without_pause", "a deadline that stands still although its case is not paused",
          "Wake the case by hand; if that is refused, raise or lower its severity.", audit_cases.stopped_without_pause),
    Check("referral_unwatched", "a referral with a legal deadline that no clock watches, or a clock of one that ended",
          "Record the referral's outcome, or refer it again.", audit_cases.referral_unwatched),
    # ---- Who holds it ----
    Check("owner_unexplained", "a case whose owner is not the last command it was handed to", ACT,
          audit_cases.owner_unexplained),
    Check("custody_broken", "a hand-over by a command that did not hold the case",
          "The path on the case page is wrong from there on. Compare it with the journal of the case.",
          audit_cases.custody_broken),
    Check("acceptance_unlike", "a case marked as accepted whose last hand-over is not, or the other way round",
          "Let the owner accept it again.", audit_cases.acceptance_unlike),
    # ---- What was done and told ----
    Check("step_without_entry", "a step in the records of the engine that the journal does not have",
          "Compare with `manage.py verify_journal`: was the journal changed?", audit_told.step_without_entry),
    Check("entry_without_step", "an act of the engine in the journal that its records do not have",
          "A second worker could do it again: find out who wrote around the engine.", audit_told.entry_without_step),
    Check("nobody_told", "an act that somebody had to be told of, and nobody was",
          "Call the command named. Then look in the worker's log at that moment.", audit_told.nobody_told),
    Check("message_forgotten", "a message that waits to be sent and that no sender takes",
          "Is the worker of the queue «delivery» running? See /escalation/deliveries/.", audit_told.message_forgotten),
    # ---- What it works with ----
    Check("policy_unpublished", "cases under a policy that nobody published", "Publish it, or re-base its cases.",
          audit_setup.policy_unpublished),
    Check("policy_gap", "a published policy in which something is missing",
          "Publish a new version without the gap and re-base the open cases to it.", audit_setup.policy_gap),
    Check("delegation_cycle", "commands that act for one another in a circle",
          "End one of these delegations.", audit_setup.delegation_cycle),
    Check("quarantine_forgotten", "a deadline set aside after a fault that is not tried again",
          "Mend its cause, then press «Try again» on the engine's page.", audit_setup.quarantine_forgotten),
    Check("hold_forgotten", "steps held back after a leap of the clock, for more than an hour",
          "A person of the PSC watch or the NEC secretariat must let them go: /escalation/engine/held.",
          audit_setup.hold_forgotten),
    # ---- What is proven elsewhere ----
    Check("tallies", "counts that are not those of the cases", "manage.py rebuild_tallies", _tallies),
    Check("journal", "a journal that is not in order", "manage.py verify_journal says more.", _journal),
)  # fmt: skip


def audit(now: dt.datetime, *, only: Collection[str] = (), most: int = 20) -> list[Finding]:
    """Run the checks, or those named in `only`; the findings that have any, each with up to `most` keys."""
    found = []
    for check in CHECKS:
        if only and check.kind not in only:
            continue
        finding = Finding(check)
        for what in check.find(now):
            finding.total += 1
            if finding.total <= most:
                finding.shown.append(what)
        if finding.total:
            found.append(finding)
    return found
