"""No account is made, changed or posted unseen: the journal keeps it, the NEC and the person are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commands.models import ContactPoint, User
from incidents.models import Entry, Notice
from tests.cast import ROLES

pytestmark = pytest.mark.django_db
POSTED = {"starts_at_0": "2025-01-01", "starts_at_1": "00:00:00"} | dict.fromkeys(
    ["ends_at_0", "ends_at_1", "conduct_accepted_at_0", "conduct_accepted_at_1"], ""
)
SECRET = "four quiet words here"


@pytest.fixture
def administrator(cast: Any, signed_in: Callable[..., Client]) -> Client:
    User.objects.filter(pk=cast.administrator.pk).update(is_superuser=True, is_staff=True)
    return signed_in(User.objects.get(pk=cast.administrator.pk))


def told() -> list[dict[str, Any]]:
    return [e.after for e in Entry.objects.filter(act="account").order_by("pk")]


def inbox(client: Client) -> str:
    return client.get(reverse("incidents:inbox")).content.decode()


def test_a_new_account_is_told_to_the_nec(administrator: Client, cast: Any, signed_in: Any) -> None:
    form = {"username": "somebody", "password1": SECRET, "password2": SECRET, "usable_password": "true"}
    form |= {"email": "somebody@example.org", "language": "km"}
    rows = {"postings-TOTAL_FORMS": "0", "postings-INITIAL_FORMS": "0"}
    assert administrator.post("/admin/commands/user/add/", form | rows).status_code == 302
    assert told() == [{"what": "made", "person": "somebody"}]
    point = ContactPoint.objects.get(user__username="somebody")
    assert (point.channel, point.address, point.verified_at) == ("email", "somebody@example.org", None)
    entry = Entry.objects.get(act="account")
    assert entry.by == cast.administrator and entry.incident is None and SECRET not in str(entry.after)
    people = set(Notice.objects.filter(entry=entry).values_list("recipient__username", flat=True))
    assert {cast.nec.username, cast.nec_second.username, "somebody"} == people
    assert f"{cast.administrator.username} made the account «somebody»." in inbox(signed_in(cast.nec))


def test_the_form_of_a_new_person_asks_for_the_address_and_says_that_it_is_to_be_proven(administrator: Client) -> None:
    page = administrator.get("/admin/commands/user/add/?").content.decode()
    for name in ("email", "language", "first_name", "last_name"):
        assert f'name="{name}"' in page
    assert "before the person has proven that it is theirs" in page
    form = {"username": "somebody", "password1": SECRET, "password2": SECRET, "usable_password": "true"}
    form |= {"email": "somebody@", "language": "km", "postings-TOTAL_FORMS": "0", "postings-INITIAL_FORMS": "0"}
    refused = administrator.post("/admin/commands/user/add/", form)
    assert refused.status_code == 200 and 'value="somebody@"' in refused.content.decode()
    assert not User.objects.filter(username="somebody").exists()


def test_a_posting_is_told_to_the_nec_and_to_whom_it_is_given(administrator: Client, cast: Any, signed_in: Any) -> None:
    command = cast.command("psc")
    posting = {"user": cast.officer.pk, "role": ROLES["psc"][0], "command": command.pk} | POSTED
    assert administrator.post("/admin/commands/posting/add/", posting).status_code == 302
    (after,) = told()
    assert (after["what"], after["person"], after["role"]) == ("posted", cast.officer.username, "psc_watch")
    for person in (cast.nec, cast.officer):
        page = inbox(signed_in(person))
        assert f"posted «{cast.officer.username}»: PSC watch officer, {command.name_en}." in page
    assert not Notice.objects.filter(recipient=cast.duty_commander, kind="account").exists()


def test_a_posting_that_is_ended_or_made_longer_is_told(administrator: Client, cast: Any) -> None:
    posting = cast.officer.postings.get()
    form = {"user": cast.officer.pk, "role": posting.role, "command": posting.command_id} | POSTED
    address = f"/admin/commands/posting/{posting.pk}/change/"
    ended = form | {"ends_at_0": "2028-01-01", "ends_at_1": "00:00:00"}
    assert administrator.post(address, ended).status_code == 302
    assert [a["what"] for a in told()] == ["reposted"] and told()[0]["ends_at"].startswith("2028-01-01")


def test_a_posting_written_on_the_page_of_the_person_is_told(administrator: Client, cast: Any) -> None:
    person = cast.other_province
    form = {"username": person.username, "language": "km", "email": "new@example.org", "is_active": "on"}
    form |= {"date_joined_0": "2025-01-01", "date_joined_1": "00:00:00"}
    row = {"role": ROLES["psc"][0], "command": cast.command("psc").pk} | POSTED
    old = person.postings.get()
    was = {"id": old.pk, "role": old.role, "command": old.command_id} | POSTED
    was |= {"starts_at_0": "2025-01-01", "starts_at_1": "07:00:00"}
    was |= {"conduct_accepted_at_0": "2025-01-01", "conduct_accepted_at_1": "07:00:00"}
    form |= {"postings-TOTAL_FORMS": "2", "postings-INITIAL_FORMS": "1"}
    form |= {f"postings-0-{name}": value for name, value in was.items()} | {"postings-0-user": person.pk}
    form |= {f"postings-1-{name}": value for name, value in row.items()} | {"postings-1-user": person.pk}
    answer = administrator.post(f"/admin/commands/user/{person.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    assert [a["what"] for a in told()] == ["changed", "posted"]
    assert "email" in told()[0]["fields"]


def test_a_password_set_by_an_administrator_is_told(administrator: Client, cast: Any, signed_in: Any) -> None:
    address = f"/admin/commands/user/{cast.officer.pk}/password/"
    assert administrator.post(address, {"password1": "x", "password2": "x"}).status_code == 200
    assert told() == []
    form = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    assert administrator.post(address, form).status_code == 302
    assert told() == [{"what": "password", "person": cast.officer.username}]
    assert f"set a new password for «{cast.officer.username}»." in inbox(
        signed_in(User.objects.get(pk=cast.officer.pk))
    )


def test_what_was_told_leads_nowhere_and_is_read(administrator: Client, cast: Any, signed_in: Any) -> None:
    form = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    administrator.post(f"/admin/commands/user/{cast.officer.pk}/password/", form)
    notice = Notice.objects.get(recipient=cast.nec, channel="inbox")
    answer = signed_in(cast.nec).post(reverse("incidents:open_notice", args=[notice.pk]))
    notice.refresh_from_db()
    assert answer["Location"] == reverse("incidents:inbox") and notice.read_at
