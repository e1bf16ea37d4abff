"""The pages of policies: who reads what, nothing typed is lost, a second person publishes, differences are said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from incidents import policy_actions
from incidents.forms.policies import typed
from incidents.models import Incident, Policy
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
SignIn = Callable[..., Client]


def url(name: str, policy: Policy | None = None) -> str:
    if policy is None:
        return reverse(f"escalation:{name}")
    code = policy.election.code if policy.election else "general"
    return reverse(f"escalation:{name}", kwargs={"code": code, "number": policy.number})


def text(answer: Any) -> str:
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def fields(draft: Policy, **changes: str) -> dict[str, str]:
    content = content_of(Policy.objects.get(pk=draft.pk))
    return {
        **typed(content),
        "note": "Tighter.",
        "mark": content.mark(),
        **{k.replace("__", "."): v for k, v in changes.items()},
    }


# ---- Reading ----


def test_everybody_reads_what_is_in_force_and_by_whom(cast: Cast, signed_in: SignIn) -> None:
    version = published(faster(2))
    page = signed_in(cast.officer).get(url("policies"))
    said = text(page)
    assert "Version 1" in said
    assert "published by NEC secretariat @ " in said
    assert "since the system was set up" in said
    assert "Draft" not in said
    assert signed_in(cast.officer).get(url("policy", version)).status_code == 200


def test_of_who_wrote_and_published_only_the_post_is_shown(cast: Cast, signed_in: SignIn) -> None:
    # The first draft of a number was another's: who wrote the last one is shown.
    first = policy_actions.draft(general(), election=election(), by=cast.nec, now=NOW)
    policy_actions.discard(first, mark=content_of(first).mark(), by=cast.nec, now=NOW)
    version = published(faster(2))
    draft = edited(drafted(version), faster(3))
    client = signed_in(cast.nec_second)
    pages = [client.get(one) for one in (url("policies"), url("policy", version), url("policy", draft))]
    # The account menu names the reader.
    assert not [page for page in map(text, pages) if "cast-" in page.replace("cast-nec-second", "")]
    posts = ["published by NEC secretariat @ ", "last changed by PSC watch officer @ "]
    shown = [[post for post in posts if post in text(page)] for page in pages]
    assert shown == [posts, posts[:1], posts[1:]]


def test_a_version_compared_with_the_general_one_calls_it_by_its_whole_name(cast: Cast, signed_in: SignIn) -> None:
    first = published(with_target("campaign", "high", acknowledge=20))
    client = signed_in(cast.nec)
    assert "1 value is different from the general policy, version 1; what that" in text(
        client.get(url("policy", first))
    )
    same = drafted(code="NA28")
    assert "Every value is as in the general policy, version 1." in text(client.get(url("policy", same)))
    assert "compared with the general policy, version 1" in text(client.get(url("policy_edit", same)))


def test_drafts_are_of_those_who_write_them(cast: Cast, signed_in: SignIn) -> None:
    draft = drafted()
    for person, status in ((cast.psc, 200), (cast.nec, 200), (cast.provincial, 404), (cast.auditor, 404)):
        client = signed_in(person)
        assert client.get(url("policy", draft)).status_code == status
        assert client.get(url("policy_edit", draft)).status_code == status
        assert ("Draft of version 1" in text(client.get(url("policies")))) == (status == 200)


@pytest.mark.parametrize("language", ["en", "km"])
def test_a_version_says_all_it_says(cast: Cast, signed_in: SignIn, language: str) -> None:
    page = signed_in(cast.officer, language=language).get(url("policy", general())).content.decode()
    assert page.count("policy-phase") == 9
    assert page.count('class="policy-clock"') == 9


def test_what_is_different_is_said_in_words_and_not_by_colour_alone(cast: Cast, signed_in: SignIn) -> None:
    version = published(with_target("campaign", "high", acknowledge=20))
    draft = edited(drafted(version), with_target("campaign", "high", acknowledge=15))
    page = signed_in(cast.nec).get(url("policy", draft)).content.decode()
    cell = re.search(r'<td class="n is-changed">.*?</td>', page, re.S)
    assert cell
    assert '<b class="policy-new">15 m</b>' in cell[0]
    assert "before:" in cell[0]
    assert "<del>20 m</del>" in cell[0]
    assert page.count("is-changed") == 1
    assert "1 value is different from version 1, which is in force" in text(
        signed_in(cast.nec).get(url("policy", draft))
    )


def test_a_step_that_was_added_or_taken_away_is_said(cast: Cast, signed_in: SignIn) -> None:
    from incidents.deadlines import Step

    version = published(
        with_steps(contain=(Step(75, "warn"), Step(100, "tell"), Step(150, "move", 3)), verify=(Step(100, "tell"),))
    )
    said = text(signed_in(cast.nec).get(url("policy", version)))
    assert "move the case up: the PSC" in said
    assert "taken away" in said


# ---- Writing ----


def test_a_draft_is_made_from_a_version_and_opened_for_change(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.psc).post(url("policy_draft", general()), {"election": "CC27"})
    made = Policy.objects.get(published_at=None)
    assert answer["Location"] == url("policy_edit", made)
    assert (made.election and made.election.code, made.created_by) == ("CC27", cast.psc)
    assert signed_in(cast.officer).post(url("policy_draft", general()), {"election": "CC27"}).status_code == 404


def test_times_are_typed_with_their_units_and_kept_in_minutes(cast: Cast, signed_in: SignIn) -> None:
    draft = drafted()
    sent = fields(
        draft,
        campaign__high__acknowledge="0.5 h",
        between__low__contain="13 d",
        polling__high__contain="៩០ នាទី",
        repeat="45 m",
    )
    assert signed_in(cast.psc).post(url("policy_edit", draft), sent).status_code == 302
    targets = content_of(Policy.objects.get(pk=draft.pk)).targets
    assert targets["campaign", "high"].acknowledge == 30
    assert targets["between", "low"].contain == 13 * 1440
    assert targets["polling", "high"].contain == 90
    assert Policy.objects.get(pk=draft.pk).repeat_minutes == 45


def test_what_is_wrong_stands_beside_its_value_and_nothing_typed_is_lost(cast: Cast, signed_in: SignIn) -> None:
    draft = drafted()
    before = content_of(draft).mark()
    sent = fields(
        draft, campaign__high__acknowledge="soon", campaign__low__contain="90", polling__high__first_update="3 m",
        contain__1__percent="50", acknowledge__1__deed="tell", review__0__percent="", tight_from_hour="25", note="",
    )  # fmt: skip
    answer = signed_in(cast.psc).post(url("policy_edit", draft), sent)
    page, said = answer.content.decode(), text(answer)
    assert answer.status_code == 422
    for words in (
        "«soon» is no time", "«90» is no time", "before the acknowledgement", "must be more than 75", "must move",
        "clear the whole line", "full hour from 0 to 23", "what changes and why",
    ):  # fmt: skip
        assert words in said, words
    for value in ('value="soon"', 'value="90"', 'value="3 m"', 'value="50"', 'value="25"'):
        assert value in page
    assert page.count('aria-invalid="true"') >= 7
    assert content_of(Policy.objects.get(pk=draft.pk)).mark() == before


def test_a_line_is_added_taken_away_and_not_left_empty_between(cast: Cast, signed_in: SignIn) -> None:
    draft, client = drafted(), signed_in(Cast().psc)
    more = fields(
        draft, contain__3__percent="300 %", contain__3__deed="move", contain__2__deed="tell", contain__3__rung="3"
    )
    assert client.post(url("policy_edit", draft), more).status_code == 302
    steps = content_of(Policy.objects.get(pk=draft.pk)).steps["contain"]
    assert [(s.percent, s.deed, s.rung) for s in steps][-1] == (300, "move", 3)
    less = fields(draft, contain__3__percent="", contain__3__deed="", contain__3__rung="")
    assert client.post(url("policy_edit", draft), less).status_code == 302
    assert len(content_of(Policy.objects.get(pk=draft.pk)).steps["contain"]) == 3
    gap = fields(draft, contain__1__percent="", contain__1__deed="", contain__1__rung="")
    answer = client.post(url("policy_edit", draft), gap)
    assert "Line 2 is empty" in text(answer)


def test_two_who_change_it_at_once_lose_nothing(cast: Cast, signed_in: SignIn) -> None:
    draft = drafted()
    mine = fields(draft, campaign__high__acknowledge="25 m")
    edited(draft, with_target("campaign", "high", acknowledge=22))
    client = signed_in(cast.nec)
    answer = client.post(url("policy_edit", draft), mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'value="25 m"' in page
    assert "was 22 m" in text(answer)
    again = mine | {"mark": re.search(r'name="mark" value="(\w+)"', page)[1]}  # type: ignore[index]
    assert client.post(url("policy_edit", draft), again).status_code == 302
    assert content_of(Policy.objects.get(pk=draft.pk)).targets["campaign", "high"].acknowledge == 25


def test_the_page_of_a_draft_says_who_may_publish_it(cast: Cast, signed_in: SignIn) -> None:
    draft = edited(drafted(), faster(2))
    assert "publish</button>" in signed_in(cast.nec).get(url("policy", draft)).content.decode().replace("\n", "")
    assert "The NEC secretariat publishes it" not in text(signed_in(cast.nec).get(url("policy", draft)))
    assert "You changed it last" in text(signed_in(cast.psc).get(url("policy", draft)))


def test_it_is_published_as_it_was_read(cast: Cast, signed_in: SignIn) -> None:
    draft = edited(drafted(), faster(2))
    mark = content_of(draft).mark()
    client = signed_in(cast.nec)
    client.post(url("policy_publish", draft), {"mark": "stale"})
    assert Policy.objects.get(pk=draft.pk).published_at is None
    client.post(url("policy_publish", draft), {"mark": mark})
    done = Policy.objects.get(pk=draft.pk)
    assert (done.published_at, done.published_by) == (NOW, cast.nec)
    assert client.get(url("policy_edit", draft)).status_code == 404
    assert "never changes again" in text(client.post(url("policy_discard", draft), {"mark": mark}, follow=True))


def test_a_draft_is_given_up(cast: Cast, signed_in: SignIn) -> None:
    draft = drafted()
    answer = signed_in(cast.nec).post(url("policy_discard", draft), {"mark": content_of(draft).mark()})
    assert answer["Location"] == url("policies")
    assert not Policy.objects.filter(pk=draft.pk).exists()


# ---- Moving open cases ----


def test_all_open_cases_are_moved_round_by_round(
    cast: Cast, signed_in: SignIn, make_incident: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.rebasing.rebase_some.__kwdefaults__", {"after": None, "most": 2})
    for number in range(3):
        make_incident(narrative=f"A motorbike was taken from the market, number {number}.")
    version = published(faster(2))
    client = signed_in(cast.nec)
    assert "3 open cases run by older versions" in text(client.get(url("policy", version)))
    assert "would have other deadlines" in text(client.get(url("policy_move", version)))
    assert "Say why" in text(client.post(url("policy_move", version), {"reason": ""}))
    answer = client.post(url("policy_move", version), {"reason": "For all."})
    page = answer.content.decode()
    assert "2 cases moved" in text(answer)
    assert "1 left" in text(answer)
    hidden = dict(re.findall(r'type="hidden" name="(reason|after|moved)" value="([^"]*)"', page))
    last = client.post(url("policy_move", version), hidden, follow=True)
    assert "3 cases run by this version now" in text(last)
    assert set(Incident.objects.values_list("policy", flat=True)) == {version.pk}
    assert "No case is left to move" in text(client.get(url("policy_move", version)))


def test_one_case_is_moved_with_its_reason(cast: Cast, signed_in: SignIn, make_incident: Callable[..., Any]) -> None:
    case = make_incident()
    version = published(faster(2))
    where = reverse("escalation:policy_case", args=[case.pk])
    client = signed_in(cast.nec)
    assert "then" in text(client.get(where))
    sent = {"policy": "CC27/1", "reason": "The exercise showed it.", "version": str(case.version)}
    stale = client.post(where, sent | {"version": "9"})
    assert stale.status_code == 422
    assert "The exercise showed it." in stale.content.decode()
    assert client.post(where, sent)["Location"] == case.get_absolute_url()
    assert Incident.objects.get(pk=case.pk).policy == version
    assert signed_in(cast.duty_commander).get(where).status_code == 404


def test_sealed_cases_are_not_there(cast: Cast, signed_in: SignIn, make_sealed: Callable[..., Any]) -> None:
    case = make_sealed()
    published(faster(2))
    where = reverse("escalation:policy_case", args=[case.pk])
    assert signed_in(cast.nec).get(where).status_code == 404
    assert signed_in(cast.demo_integrity).get(where).status_code == 200


def test_a_reader_without_posting_finds_nothing(cast: Cast, signed_in: SignIn) -> None:
    assert signed_in(cast.relieved).get(url("policies")).status_code == 404
    assert policy_actions.may_draft(cast.relieved) is False


# ---- Where cases speak of their policy ----


def test_a_case_names_its_version_and_who_may_moves_it(
    cast: Cast, signed_in: SignIn, make_incident: Callable[..., Any]
) -> None:
    case = make_incident()
    assert "By the general escalation policy, version 1" in text(signed_in(cast.officer).get(case.get_absolute_url()))
    published(faster(2))
    theirs, ours = (text(signed_in(person).get(case.get_absolute_url())) for person in (cast.officer, cast.nec))
    assert "is in force now" not in theirs
    assert "That of CC27, version 1, is in force now. Move the case" in ours


def test_the_preview_of_a_report_goes_by_the_version_in_force(cast: Cast) -> None:
    from incidents import actions

    data = actions.Report(category="INT-01", occurred_at=NOW, place="KH210801", narrative="A family was threatened.")
    before = actions.preview(data, by=cast.officer, now=NOW)
    version = published(faster(2))
    after = actions.preview(data, by=cast.officer, now=NOW)
    assert (before.policy, after.policy) == (general(), version)
    assert (before.deadlines["acknowledge"] - NOW) == 2 * (after.deadlines["acknowledge"] - NOW)
    assert (after.is_tight, after.left_out) == (False, [])


def test_the_preview_says_vacant_levels_and_the_rules_of_the_silence_day(cast: Cast, signed_in: SignIn) -> None:
    import datetime as dt

    from commands.models import Posting

    Posting.objects.filter(user__in=[cast.duty_commander, cast.provincial]).update(ends_at=NOW - dt.timedelta(days=1))
    evening = dt.datetime(2027, 6, 5, 19, 0, tzinfo=NOW.tzinfo)
    sent = {
        "category": "INT-01", "province": "KH21", "district": "KH2108", "commune": "KH210801",
        "narrative": "A family was threatened at home.", "date": "2027-06-05", "time": "18:30", "severity": "high",
    }  # fmt: skip
    with time_machine.travel(evening, tick=False):
        said = text(signed_in(cast.officer).post(reverse("incidents:report_preview"), sent))
    assert "tighter rules of the silence day hold now" in said
    assert "Left out, because nobody is there now: " in said
    assert "By the general escalation policy, version 1" in said


def test_who_is_told_of_a_new_version_reads_it_in_the_inbox(cast: Cast, signed_in: SignIn) -> None:
    published(faster(2))
    said = text(signed_in(cast.psc).get(reverse("incidents:inbox")))
    assert "cast-nec published the escalation policy CC27/1" in said


def test_the_timeline_of_a_moved_case_says_from_which_version_to_which(
    cast: Cast, signed_in: SignIn, make_incident: Callable[..., Any]
) -> None:
    from incidents import rebasing

    case, version = make_incident(), published(faster(2))
    rebasing.rebase(case, version, by=cast.nec, reason="For all.", version=None, now=NOW)
    said = text(signed_in(cast.nec).get(case.get_absolute_url()))
    assert "Moved to version CC27/1 of the escalation policy" in said
    assert "For all." in said
