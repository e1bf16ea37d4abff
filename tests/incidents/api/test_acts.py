"""Acting: on the version that was read, within one's authority, with refusals that explain themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from incidents.choices import Act
from tests.incidents.api.clients import API, is_problem

JSON = "application/json"


def act(client: Any, incident: Any, content: dict[str, Any], **headers: str) -> Any:
    return client.post(f"{API}incidents/{incident.pk}/acts/", content, content_type=JSON, headers=headers)


def test_an_act_by_if_match_answers_with_the_next_version(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    content = {"act": "acknowledge", "not_concerned": True}
    response = act(api(cast.duty_commander), incident, content, **{"if-match": f'"{incident.version}"'})
    assert response.status_code == 200, response.content
    assert response.json()["state"] == "acknowledged"
    assert response.headers["ETag"] == f'"{incident.version + 1}"'
    incident.refresh_from_db()
    assert incident.entries.last().channel == "api"


def test_a_stale_version_is_409_with_what_happened_meanwhile(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    duty, above = api(cast.duty_commander), api(cast.provincial)
    act(duty, incident, {"act": "acknowledge", "not_concerned": True, "version": incident.version})
    response = act(above, incident, {"act": "update", "note": "On the way.", "version": incident.version})
    body = is_problem(response, 409, "stale")
    assert [e["act"] for e in body["meanwhile"]] == ["acknowledge"]
    assert body["meanwhile"][0]["by"]["role"] == "duty_commander"


def test_an_act_without_a_version_is_refused(cast: Any, api: Any, make_incident: Any) -> None:
    is_problem(act(api(cast.duty_commander), make_incident(), {"act": "acknowledge"}), 428, "version-needed")


@pytest.mark.parametrize("header", ["x", '"0"', '"-1"', "*", '"²"', '"' + "9" * 5000 + '"', "1" * 5000])
def test_an_if_match_that_is_no_version_is_refused(cast: Any, api: Any, make_incident: Any, header: str) -> None:
    is_problem(act(api(cast.duty_commander), make_incident(), {"act": "acknowledge"}, **{"if-match": header}), 400)


def test_two_different_versions_are_refused(cast: Any, api: Any, make_incident: Any) -> None:
    response = act(api(cast.duty_commander), make_incident(), {"act": "close", "version": 1}, **{"if-match": '"2"'})
    is_problem(response, 400)


def test_an_act_that_is_not_possible_now_is_409_and_says_what_to_do(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    body = is_problem(
        act(api(cast.provincial), incident, {"act": "contain", "version": incident.version}), 409, "conflict"
    )
    assert "first" in body["detail"]


def test_an_act_beyond_the_posting_is_403_in_a_sentence(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    content = {
        "act": "classify",
        "classification": "electoral",
        "reason": "Near a station.",
        "version": incident.version,
    }
    body = is_problem(act(api(cast.officer), incident, content), 403, "not-allowed")
    assert len(body["detail"]) > 10


def test_an_act_on_a_case_out_of_sight_is_404(cast: Any, api: Any, make_incident: Any) -> None:
    is_problem(act(api(cast.neighbour), make_incident(), {"act": "acknowledge", "version": 1}), 404)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "explode",
        5,
        None,
        ["acknowledge"],
        "warn",
        "auto_escalate",
        "record_person",
        "open_identity",
        "grant_identity",
        "report",
        "attach",
    ],
)
def test_only_acts_of_people_without_identities_are_offered(cast: Any, api: Any, make_incident: Any, name: Any) -> None:
    body = is_problem(act(api(cast.nec), make_incident(), {"act": name, "version": 1}), 400, "fields")
    assert body["errors"][0]["pointer"] == "/act"


def test_fields_of_an_act_are_checked_by_name(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    content = {"act": "escalate", "version": 1, "resaon": "More forces are needed."}
    body = is_problem(act(api(cast.duty_commander), incident, content), 400, "fields")
    assert {e["pointer"] for e in body["errors"]} == {"/resaon"}
    body = is_problem(act(api(cast.duty_commander), incident, {"act": "escalate", "version": 1}), 400, "fields")
    assert {e["pointer"] for e in body["errors"]} == {"/reason"}
    wrong = {"act": "correct", "version": 1, "reason": "x", "fields": {"killed": -1}}
    body = is_problem(act(api(cast.duty_commander), incident, wrong), 400, "fields")
    assert body["errors"][0]["pointer"] == "/fields/killed"


def test_somebody_is_assigned_by_name(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    client = api(cast.duty_commander)
    done = act(client, incident, {"act": "acknowledge", "not_concerned": True, "version": incident.version}).json()
    content = {"act": "assign", "assignee": "cast-officer", "version": done["version"]}
    response = act(client, incident, content)
    assert response.status_code == 200, response.content
    assert response.json()["assignee"] == "cast-officer"
    assert response.json()["state"] == "responding"
    nobody = content | {"assignee": "nobody-here", "version": response.json()["version"]}
    is_problem(act(client, incident, nobody), 400, "fields")
    rows = client.get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
    assert rows[-1]["after"]["assignee"] == "cast-officer", "no database key leaves the house"


def test_a_case_goes_up_and_comes_back_by_codes_of_commands(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident(now=timezone.now() - dt.timedelta(days=1))
    duty, above = api(cast.duty_commander), api(cast.provincial)
    up = act(duty, incident, {"act": "escalate", "reason": "More forces are needed.", "version": incident.version})
    assert up.json()["owner"]["code"] == cast.command("provincial").code
    rows = above.get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
    assert rows[-1]["before"]["owner"] == cast.command("officer").code
    assert rows[-1]["after"]["owner"] == cast.command("provincial").code
    early = act(above, incident, {"act": "hand_back", "reason": "Calm again.", "version": up.json()["version"]})
    assert is_problem(early, 409)["detail"].startswith("Accept the case first.")
    taken = act(above, incident, {"act": "acknowledge", "version": up.json()["version"]})
    back = act(above, incident, {"act": "hand_back", "reason": "Calm again.", "version": taken.json()["version"]})
    assert back.json()["owner"]["code"] == cast.command("officer").code, back.content


def test_a_correction_points_at_the_field_it_refuses(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident(now=timezone.now())
    for fields, pointer in (
        ({"place": "KH200101"}, "/fields/place"),
        ({"category": "ZZZ-99"}, "/fields/category"),
        ({"lat": 11.0}, "/fields/lat"),
        ({"narrative": "Other words."}, "/fields/narrative"),
    ):
        content = {"act": "correct", "version": incident.version, "reason": "Mistaken.", "fields": fields}
        body = is_problem(act(api(cast.duty_commander), incident, content), 400, "fields")
        assert [e["pointer"] for e in body["errors"]] == [pointer], body


def test_a_case_is_joined_only_to_one_that_may_be_seen(cast: Any, api: Any, make_incident: Any) -> None:
    one, other = make_incident(), make_incident(narrative="The same motorbike, told by another person.")
    hidden = make_incident(by=cast.demo_officer, place="KH990101")
    client = api(cast.duty_commander)
    content = {"act": "merge", "survivor": str(hidden.pk), "version": one.version}
    unseen = is_problem(act(client, one, content), 400, "fields")
    missing = is_problem(act(client, one, content | {"survivor": str(one.pk)[:-4] + "ffff"}), 400, "fields")
    assert unseen["errors"] == missing["errors"]
    joined = act(client, one, content | {"survivor": str(other.pk)})
    assert joined.status_code == 200, joined.content
    assert (joined.json()["state"], joined.json()["merged_into"]) == ("merged", str(other.pk))


def test_every_offered_act_is_one_the_write_path_knows(cast: Any) -> None:
    from incidents import actions
    from incidents.api.inputs import ACTS

    left_out = {Act.REPORT, Act.ATTACH, Act.RECORD_PERSON, Act.GRANT_IDENTITY, Act.OPEN_IDENTITY}
    for name in ACTS:
        assert callable(getattr(actions, name)), name
    assert not left_out & set(ACTS)


# ---- Files ----

TEXT = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def upload(client: Any, incident: Any, name: str = "note.pdf", content: bytes = TEXT, **fields: Any) -> Any:
    data = {"file": SimpleUploadedFile(name, content), "version": incident.version} | fields
    return client.post(f"{API}incidents/{incident.pk}/attachments/", data)


def test_a_file_is_added_listed_and_handed_out_as_a_download(
    cast: Any, api: Any, make_incident: Any, tmp_path: Any, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    incident, client = make_incident(), api(cast.officer)
    made = upload(client, incident)
    assert made.status_code == 201, made.content
    assert [r["id"] for r in client.get(f"{API}incidents/{incident.pk}/attachments/").json()["results"]] == [
        made.json()["id"]
    ]
    got = client.get(made.headers["Location"])
    assert b"".join(got) == TEXT
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    for name in ("neighbour", "ministry", "auditor", "administrator"):
        is_problem(api(getattr(cast, name)).get(made.headers["Location"]), 404)


def test_files_that_are_not_what_they_say_are_refused(
    cast: Any, api: Any, make_incident: Any, tmp_path: Any, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    incident, client = make_incident(), api(cast.officer)
    is_problem(upload(client, incident, "photo.jpg", b"MZ\x90\x00" + b"\0" * 200), 400, "fields")
    is_problem(upload(client, incident, "empty.pdf", b""), 400, "fields")
    is_problem(client.post(f"{API}incidents/{incident.pk}/attachments/", {"version": 1}), 400, "fields")
    is_problem(client.post(f"{API}incidents/{incident.pk}/attachments/", {}, content_type=JSON), 415, "media-type")
    is_problem(
        client.post(f"{API}incidents/{incident.pk}/attachments/", b"--x", content_type="multipart/form-data"), 400
    )


def test_a_file_over_the_limit_is_refused(cast: Any, api: Any, make_incident: Any, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1000
    is_problem(upload(api(cast.officer), make_incident(), content=TEXT + b"x" * 100_000), 413, "too-large")


def test_only_acts_an_address_of_the_api_does_are_listed(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    duty = api(cast.duty_commander)
    acts = duty.get(f"{API}incidents/{incident.pk}/").json()["acts"]
    assert "attach" in acts
    assert not {"record_person", "grant_identity", "open_identity"} & set(acts)
    for name in set(acts) - {"attach"}:
        body = act(duty, incident, {"act": name, "version": incident.version}).json()
        assert "Name one of these acts" not in body.get("detail", ""), name
    body = is_problem(act(duty, incident, {"act": "attach", "version": 1}), 400, "fields")
    assert "/attachments/" in body["detail"]


def test_a_version_the_case_has_not_reached_is_called_unknown(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    answer = act(api(cast.duty_commander), incident, {"act": "acknowledge"}, **{"if-match": '"99"'})
    body = is_problem(answer, 400, "bad-request")
    assert "99 of this case is not known" in body["detail"]
    assert "meanwhile" not in body


def test_a_refusal_names_its_fields_in_the_sentence_too(cast: Any, api: Any) -> None:
    body = is_problem(api(cast.officer).post(f"{API}incidents/", {}, content_type=JSON), 400, "fields")
    for name in ("category", "occurred_at", "place", "narrative"):
        assert f"{name}: " in body["detail"]


def test_every_moment_is_told_in_the_offset_of_the_country(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    duty = api(cast.duty_commander)
    act(duty, incident, {"act": "acknowledge", "not_concerned": True, "version": incident.version})
    late = act(duty, incident, {"act": "update", "note": "On the way.", "version": incident.version})
    row = duty.get(f"{API}incidents/{incident.pk}/").json()
    feature = duty.get(f"{API}incidents/", headers={"accept": "application/geo+json"}).json()["features"][0]
    entry = late.json()["meanwhile"][0]
    assert feature["properties"]["reported_at"] == row["reported_at"]
    for moment in (
        row["reported_at"],
        feature["properties"]["occurred_at"],
        entry["at"],
        entry["after"]["acknowledged_at"],
    ):
        assert moment.endswith("+07:00"), moment


# ---- Pauses and referrals ----


def test_a_pause_is_asked_for_agreed_to_and_ended(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident(now=timezone.now() - dt.timedelta(minutes=5))
    duty, above = api(cast.duty_commander), api(cast.provincial)
    until = (timezone.now() + dt.timedelta(hours=3)).isoformat()
    taken = act(duty, incident, {"act": "acknowledge", "version": 1}).json()
    assert "snooze" in taken["acts"]
    asked = act(duty, incident, {"act": "snooze", "until": until, "reason": "Until he is back.", "version": 2}).json()
    assert (asked["waits_for"], asked["snoozed_until"]) == ("snooze", None)
    is_problem(act(duty, incident, {"act": "countersign", "version": 3}), 403)
    agreed = act(above, incident, {"act": "countersign", "version": 3}).json()
    assert dt.datetime.fromisoformat(agreed["snoozed_until"]) == dt.datetime.fromisoformat(until)
    assert agreed["next_due_kind"] == "snooze"
    ended = act(duty, incident, {"act": "wake", "version": 4}).json()
    assert ended["snoozed_until"] is None
    too_long = (timezone.now() + dt.timedelta(hours=100)).isoformat()
    refused = act(duty, incident, {"act": "snooze", "until": too_long, "reason": "Later.", "version": 5})
    assert is_problem(refused, 400)["errors"][0]["pointer"] == "/until"


def test_a_referral_has_a_number_a_deadline_and_an_outcome(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident(now=timezone.now() - dt.timedelta(minutes=5))
    duty, analyst = api(cast.duty_commander), api(cast.ministry)
    sent = timezone.now() - dt.timedelta(minutes=1)
    content = {"act": "refer", "body": "cec", "document": "12/27", "sent_at": sent.isoformat(), "version": 1}
    [referral] = act(duty, incident, content).json()["referrals"]
    assert (referral["number"], referral["body"], referral["document"], referral["outcome"]) == (1, "cec", "12/27", "")
    assert dt.datetime.fromisoformat(referral["due_at"]) == sent + dt.timedelta(days=2)
    [seen] = analyst.get(f"{API}incidents/{incident.pk}/").json()["referrals"]
    assert "document" not in seen, "a detail of the case"
    wrong = act(duty, incident, {"act": "conclude_referral", "referral": 2, "outcome": "rejected", "version": 2})
    assert is_problem(wrong, 400)["errors"][0]["pointer"] == "/referral"
    done = act(duty, incident, {"act": "conclude_referral", "referral": 1, "outcome": "rejected", "version": 2}).json()
    assert done["referrals"][0]["outcome"] == "rejected"
    rows = analyst.get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
    assert [row["after"].get("referral_outcome") for row in rows[-2:]] == [None, "rejected"]
    assert "12/27" not in str(rows)
