"""The form of a draft: two hundred small fields named by their places, read into a `Content`, kept as they were typed.

It parses only. What a version may say is decided in `policy_checks`, and again in `policy_actions` for every door.
"""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents import policy_actions, policy_checks
from incidents.choices import Deed
from incidents.deadlines import Step, Targets
from incidents.models import Policy
from incidents.policy_content import CLOCKS, OPTIONAL, PHASES, RATED, TIMES, Content, minutes_of, written

#: Stands for what could not be read; the checks refuse it, and the sentence about reading it is shown instead.
_UNREAD = 0
PARTS = ("percent", "deed", "rung")


def typed(content: Content) -> dict[str, str]:
    """What a page shows in its fields for a version."""
    found = {"note": content.note}
    for place, value in content.values().items():
        is_time = place.split(".")[-1] in TIMES or place in ("tight_medium", "repeat")
        found[place] = "" if value is None else written(int(value)) if is_time else str(value)
    return found


class PolicyForm:
    """`values` and `errors` by place. `content` is what was typed as far as it could be read."""

    def __init__(self, content: Content, data: QueryDict | None = None) -> None:
        self.is_bound = data is not None
        self.values: dict[str, str] = typed(content)
        self.errors: dict[str, list[str]] = {}
        self.mark = content.mark()
        self.content = content
        if data is not None:
            self.values = {place: str(data[place])[:NOTE_LONGEST] for place in data if place not in ("mark", _TOKEN)}
            self.mark = str(data.get("mark", ""))[:20]
            self.content = self._read()
            for place, sentences in policy_checks.errors(self.content).items():
                if place not in self.errors:
                    self.errors[place] = sentences
            if unfit := policy_actions.note_errors(self.content.note):
                self.errors["note"] = unfit

    @property
    def warnings(self) -> dict[str, list[str]]:
        """For a second look; said where nothing is wrong."""
        found = policy_checks.warnings(self.content)
        return {place: sentences for place, sentences in found.items() if place not in self.errors}

    @property
    def general_errors(self) -> list[str]:
        """What is wrong with no single value."""
        return self.errors.get("", [])

    def take(self, refused: ValidationError) -> None:
        """Show what an action refused beside the values it is about."""
        if not hasattr(refused, "error_dict"):
            self.errors[""] = list(refused.messages)
            return
        for place, sentences in refused.message_dict.items():
            self.errors[place] = list(sentences)

    # ---- Reading ----

    def _read(self) -> Content:
        return Content(
            note=self._text("note"),
            tight_from_hour=self._hour("tight_from_hour"),
            tight_medium=self._time("tight_medium") or _UNREAD,
            repeat=self._time("repeat") or _UNREAD,
            targets={
                (phase.value, severity.value): self._target(f"{phase}.{severity}")
                for phase in PHASES
                for severity in RATED
            },
            steps={clock.value: self._steps(clock) for clock in CLOCKS},
        )

    def _text(self, place: str) -> str:
        return self.values.get(place, "").strip()

    def _wrong(self, place: str, sentence: str) -> None:
        self.errors.setdefault(place, []).append(sentence)

    def _hour(self, place: str) -> int:
        text = self._text(place).removesuffix(":00")
        if not text.isdecimal() or len(text) > 2:
            self._wrong(place, _("Write a full hour from 0 to 23."))
            return -1
        return int(text)

    def _time(self, place: str, *, is_optional: bool = False) -> int | None:
        text = self._text(place)
        if not text and is_optional:
            return None
        try:
            return minutes_of(text)
        except ValueError:
            said = _("Write a time here, as 90 m, 2 h or 3 d.") if not text else _(
                "«%(text)s» is no time. Write a number and its unit: 90 m, 2 h or 3 d."
            ) % {"text": text[:20]}  # fmt: skip
            self._wrong(place, said)
            return _UNREAD

    def _target(self, where: str) -> Targets:
        times = {time: self._time(f"{where}.{time}", is_optional=time in OPTIONAL) for time in TIMES}
        every = times.pop("update_every")
        return Targets(**{name: minutes or _UNREAD for name, minutes in times.items()}, update_every=every)

    def _steps(self, clock: str) -> tuple[Step, ...]:
        """The lines of a clock, from the first; an empty line ends them, and none may be filled below it."""
        lines = [n for n in range(policy_checks.MOST_STEPS + 1) if any(self._text(f"{clock}.{n}.{p}") for p in PARTS)]
        if lines != list(range(len(lines))):
            empty = next(n for n in range(len(lines)) if n not in lines)
            text = _("Line %(number)d is empty. Fill it in, or move the next line up.")
            self._wrong(f"{clock}.{empty}.percent", text % {"number": empty + 1})
        return tuple(self._step(f"{clock}.{number}") for number in lines)

    def _step(self, where: str) -> Step:
        percent, deed, rung = (self._text(f"{where}.{part}").removesuffix("%").strip() for part in PARTS)
        if not percent.isdecimal() or len(percent) > 5:
            said = _("Write the percent of the time, or clear the whole line to take the step away.")
            self._wrong(f"{where}.percent", said)
            percent = "0"
        if deed not in Deed.values:
            self._wrong(f"{where}.deed", _("Choose what happens."))
        if rung and (not rung.isdecimal() or len(rung) > 2):
            self._wrong(f"{where}.rung", _("Choose a level from the list."))
            rung = ""
        return Step(int(percent), deed, int(rung) if rung else None)


NOTE_LONGEST = 4000
_TOKEN = "csrfmiddlewaretoken"  # noqa: S105  the name of a field


class MoveForm(forms.Form):
    """Why open cases are moved to another version."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in a few words.")},
    )


def _name_of(policy: Policy) -> str:
    """A version in a list of them: its election's code, or that it is the general one, and its number."""
    whose = policy.election.code if policy.election else _("General")
    return _("%(whose)s, version %(number)d") % {"whose": whose, "number": policy.number}


class MoveCaseForm(MoveForm):
    """Why one case is moved, and to which version."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    policy = forms.ChoiceField(label=gettext_lazy("To which version"))

    field_order = ("policy", "reason")

    def __init__(self, versions: Mapping[str, Policy], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.versions = versions
        self.fields["policy"].choices = [(name, _name_of(one)) for name, one in versions.items()]  # type: ignore[attr-defined]
