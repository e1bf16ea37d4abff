"""A draft is made from a version, edited by one person at a time and published by a second one; cases run by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from incidents import policies, policy_actions
from incidents.choices import Act
from incidents.models import Entry, Notice, Policy
from incidents.policies import content_of
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import (
    drafted,
    edited,
    election,
    faster,
    general,
    published,
    with_steps,
    with_target,
)

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(hours=1)


def stored(policy: Policy) -> Any:
    return content_of(Policy.objects.get(pk=policy.pk))


# ---- Draft ----


def test_a_draft_says_what_its_version_says(cast: Cast) -> None:
    draft = drafted()
    assert (draft.number, draft.based_on, draft.published_at, draft.created_by) == (1, general(), None, cast.psc)
    assert content_of(draft).values() == content_of(general()).values()
    assert drafted(draft).number == 2
    entry = Entry.objects.get(act=Act.POLICY, after__policy="CC27/1")
    assert (entry.by, entry.incident, entry.after["what"], entry.after["from"]) == (
        cast.psc,
        None,
        "drafted",
        "general/1",
    )


@pytest.mark.parametrize("name", ["officer", "duty_commander", "provincial", "ministry", "auditor", "administrator"])
def test_others_may_not_draft(cast: Cast, name: str) -> None:
    with pytest.raises(PermissionDenied, match="NEC"):
        policy_actions.draft(general(), election=election(), by=getattr(cast, name), now=NOW)


def test_nothing_is_drafted_for_a_closed_record_or_from_another_election(cast: Cast) -> None:
    with pytest.raises(ValidationError, match="closed"):
        policy_actions.draft(general(), election=election("SEN24"), by=cast.nec, now=NOW)
    other = published()
    with pytest.raises(ValidationError, match="same election"):
        policy_actions.draft(other, election=None, by=cast.nec, now=NOW)


# ---- Edit ----


def test_an_edit_is_kept_whole_and_journaled_by_value(cast: Cast) -> None:
    draft = edited(drafted(), with_target("campaign", "low", acknowledge=700, contain=9000), now=LATER)
    now_says = stored(draft).targets["campaign", "low"]
    assert (now_says.acknowledge, now_says.contain) == (700, 9000)
    entry = Entry.objects.filter(act=Act.POLICY).latest("pk")
    assert entry.before == {"campaign.low.acknowledge": 720, "campaign.low.contain": 14400}
    assert entry.after == {
        "what": "edited",
        "policy": "CC27/1",
        "campaign.low.acknowledge": 700,
        "campaign.low.contain": 9000,
    }


def test_a_refused_edit_leaves_everything_as_it_was(cast: Cast) -> None:
    draft = edited(drafted(), faster(2))
    before, entries = stored(draft).mark(), Entry.objects.count()
    with pytest.raises(ValidationError) as refused:
        edited(draft, lambda c: with_steps(contain=())(with_target("polling", "high", acknowledge=1)(c)))
    assert set(refused.value.message_dict) == {"contain.0.percent"}
    assert (stored(draft).mark(), Entry.objects.count()) == (before, entries)


def test_an_edit_says_why(cast: Cast) -> None:
    draft = drafted()
    content = content_of(draft)
    for note, words in (("", "what changes and why"), ("x" * 2001, "2,000")):
        with pytest.raises(ValidationError) as refused:
            policy_actions.edit(draft, replace(content, note=note), mark=content.mark(), by=cast.psc, now=NOW)
        assert words in refused.value.message_dict["note"][0].replace("2000", "2,000")


def test_the_second_of_two_editors_is_told_and_overwrites_nothing(cast: Cast) -> None:
    draft = drafted()
    read = content_of(draft)
    edited(draft, faster(2))
    kept = stored(draft).mark()
    with pytest.raises(policy_actions.StaleDraft, match="Somebody else changed"):
        policy_actions.edit(draft, faster(3)(replace(read, note="x")), mark=read.mark(), by=cast.nec, now=NOW)
    assert stored(draft).mark() == kept


def test_nobody_edits_or_publishes_what_was_given_up(cast: Cast) -> None:
    draft = drafted()
    content = content_of(draft)
    policy_actions.discard(draft, mark=content.mark(), by=cast.nec, now=NOW)
    for act in (policy_actions.discard, policy_actions.publish):
        with pytest.raises(ValidationError, match="given up"):
            act(draft, mark=content.mark(), by=cast.nec, now=NOW)


# ---- Publish ----


def test_a_second_person_of_the_nec_publishes_and_new_cases_run_by_it(
    cast: Cast, make_incident: Callable[..., Any]
) -> None:
    before = make_incident()
    version = published(faster(2), now=LATER)
    after = make_incident(now=LATER)
    assert (before.policy, after.policy) == (general(), version)
    minutes = {case: case.clocks.get(kind="acknowledge").target_minutes for case in (before, after)}
    assert minutes == {before: 720, after: 360}
    assert (version.published_by, version.published_at) == (cast.nec, LATER)
    entry = Entry.objects.filter(act=Act.POLICY).latest("pk")
    assert (entry.after["what"], entry.by) == ("published", cast.nec)
    told = set(Notice.objects.filter(entry=entry).values_list("recipient__username", flat=True))
    assert {"cast-psc", "cast-nec-second"} <= told
    assert "cast-nec" not in told


def test_who_wrote_it_does_not_publish_it(cast: Cast) -> None:
    draft = policy_actions.draft(general(), election=election(), by=cast.nec, now=NOW)
    content = content_of(draft)
    policy_actions.edit(draft, replace(content, note="why"), mark=content.mark(), by=cast.nec, now=NOW)
    mark = stored(draft).mark()
    with pytest.raises(PermissionDenied, match="somebody else"):
        policy_actions.publish(draft, mark=mark, by=cast.nec, now=NOW)
    with pytest.raises(PermissionDenied, match="NEC secretariat"):
        policy_actions.publish(draft, mark=mark, by=cast.psc, now=NOW)
    assert not policy_actions.may_publish(cast.nec, draft)
    assert policy_actions.publish(draft, mark=mark, by=cast.nec_second, now=NOW).published_at == NOW


def test_who_changed_it_last_wrote_it(cast: Cast) -> None:
    draft = edited(drafted(), faster(2))
    content = content_of(draft)
    policy_actions.edit(
        draft, with_target("after", "low", verify=99)(content), mark=content.mark(), by=cast.nec, now=NOW
    )
    with pytest.raises(PermissionDenied, match="somebody else"):
        policy_actions.publish(draft, mark=stored(draft).mark(), by=cast.nec, now=NOW)


def test_what_was_not_read_is_not_published(cast: Cast) -> None:
    draft = edited(drafted(), faster(2))
    read = stored(draft).mark()
    edited(draft, faster(2))
    with pytest.raises(policy_actions.StaleDraft):
        policy_actions.publish(draft, mark=read, by=cast.nec, now=NOW)


def test_a_draft_that_does_not_say_why_is_not_published(cast: Cast) -> None:
    draft = drafted()
    with pytest.raises(ValidationError, match="what changes and why"):
        policy_actions.publish(draft, mark=stored(draft).mark(), by=cast.nec, now=NOW)


def test_an_older_draft_cannot_come_after_a_newer_version(cast: Cast) -> None:
    first, second = edited(drafted(), faster(2)), edited(drafted(), faster(3))
    policy_actions.publish(second, mark=stored(second).mark(), by=cast.nec, now=NOW)
    with pytest.raises(ValidationError, match="Version 2 was published meanwhile"):
        policy_actions.publish(first, mark=stored(first).mark(), by=cast.nec, now=LATER)


def test_a_draft_does_not_take_back_what_was_published_since_it_was_written(cast: Cast) -> None:
    first, second = edited(drafted(), faster(2)), edited(drafted(), faster(3))
    policy_actions.publish(first, mark=stored(first).mark(), by=cast.nec, now=LATER)
    with pytest.raises(ValidationError, match="Version 1 was published meanwhile"):
        policy_actions.publish(second, mark=stored(second).mark(), by=cast.nec, now=LATER)
    assert policies.policy_for(election(), LATER) == first


PLANTED: dict[str, Callable[[Policy], object]] = {
    "a gap in the steps": lambda p: p.steps.filter(clock="contain", number=1).update(number=5),
    "a severity gone": lambda p: p.targets.filter(phase="polling", severity="high").delete(),
    "a clock without steps": lambda p: p.steps.filter(clock="accept").delete(),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_was_broken_behind_the_pages_is_not_published(cast: Cast, what: str) -> None:
    draft = edited(drafted(), faster(2))
    PLANTED[what](draft)
    with pytest.raises(ValidationError, match="not sound"):
        policy_actions.publish(draft, mark=stored(draft).mark(), by=cast.nec, now=NOW)


def test_a_version_of_an_election_comes_before_the_general_one(cast: Cast) -> None:
    own = published(faster(2), now=LATER)
    content = content_of(general())
    newer = policy_actions.draft(general(), election=None, by=cast.psc, now=LATER)
    policy_actions.edit(newer, replace(content, note="why"), mark=content_of(newer).mark(), by=cast.psc, now=LATER)
    policy_actions.publish(newer, mark=stored(newer).mark(), by=cast.nec, now=LATER)
    assert policies.policy_for(election(), LATER) == own
    assert policies.policy_for(election(), NOW) == general()
    assert policies.policy_for(election("SEN24"), LATER) == newer
    assert policies.in_force([election(), None], LATER) == {own.election_id: own, None: newer}
