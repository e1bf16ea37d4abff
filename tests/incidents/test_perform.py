"""The one door to every act: which fields an act takes, and whose fault is whose."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from incidents import actions
from incidents.choices import Act
from incidents.models import Incident
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("act", "data"),
    [("update", {}), ("update", {"note": "x", "colour": "red"}), ("contain", {"wounded": 1}), ("merge", {})],
)  # fmt: skip
def test_a_field_too_few_or_too_many_is_refused(
    cast: Cast, make_incident: Make, act: str, data: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="other fields"):
        actions.perform(act, make_incident(), by=cast.duty_commander, version=None, now=NOW, **data)


def test_a_defect_of_ours_is_seen_and_not_blamed_on_the_fields(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise TypeError("int() argument must be a string")

    monkeypatch.setattr("incidents.actions._count_update", broken)
    with pytest.raises(TypeError):
        actions.perform("update", make_incident(), by=cast.duty_commander, version=None, now=NOW, note="News.")


def test_every_act_says_which_fields_it_takes() -> None:
    for function in actions._ACTS.values():
        kinds = {p.kind for p in inspect.signature(function).parameters.values()}
        assert inspect.Parameter.VAR_POSITIONAL not in kinds


def test_files_can_be_added_afterwards_as_the_refusal_says(cast: Cast, make_incident: Make, settings: Any) -> None:
    """The limit is of one go; what came before does not count."""
    settings.ATTACHMENT_MAX_FILES = 2
    case = make_incident()
    for number in range(4):
        upload = SimpleUploadedFile(f"note-{number}.txt", f"Statement {number}".encode())
        actions.perform(Act.ATTACH, case, by=cast.officer, version=None, now=NOW, upload=upload)
    assert case.attachments.count() == 4


def test_an_identity_is_granted_only_to_who_may_read_details(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    with pytest.raises(ValidationError) as refused:
        actions.perform(
            Act.GRANT_IDENTITY, case, by=cast.nec, version=None, now=NOW, user=cast.ministry.pk, reason="For a table."
        )
    assert list(refused.value.message_dict) == ["user"]
