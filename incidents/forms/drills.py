"""Forms of drills: what is rehearsed and when, and an answer that somebody else enters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from commands.models import SecurityCommand, User
from incidents.choices import Channel
from incidents.drill_checks import LONGEST_MINUTES
from incidents.drill_results import place_name
from incidents.drills import HEARD


@dataclass
class Branch:
    """A command that can be chosen, with those right below it."""

    command: SecurityCommand
    is_chosen: bool
    below: list[Branch]

    @property
    def name(self) -> str:
        return place_name(self.command)

    @property
    def holds_choice(self) -> bool:
        """Whether one below is chosen: its list is then open."""
        return any(b.is_chosen or b.holds_choice for b in self.below)


class DrillForm(forms.Form):
    """A drill before it starts. It parses only: `drills.start` decides."""

    name = forms.CharField(
        label=_("Name of the drill"), max_length=80, error_messages={"required": _("Please fill this in.")}
    )
    minutes = forms.IntegerField(
        label=_("Minutes to answer"),
        min_value=1,
        max_value=LONGEST_MINUTES,
        initial=15,
        error_messages={"required": _("Please fill this in."), "invalid": _("Write a whole number of minutes.")},
    )
    starts_at = forms.DateTimeField(
        label=_("Starts"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        error_messages={"invalid": _("Write day and time, as 06/06/2027 15:00.")},
    )
    command = forms.MultipleChoiceField(
        label=_("Commands"),
        error_messages={
            "required": _("Choose at least one command from the list."),
            "invalid_choice": _("Choose at least one command from the list."),
        },
    )

    def __init__(self, *args: Any, commands: Sequence[SecurityCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = commands
        cast(forms.MultipleChoiceField, self.fields["command"]).choices = [(c.code, c.name) for c in commands]

    def tree(self) -> list[Branch]:
        """What can be chosen, as a tree, with what was chosen marked."""
        chosen = set(self.data.getlist("command")) if hasattr(self.data, "getlist") else set()
        branches: dict[str, Branch] = {}
        roots: list[Branch] = []
        for command in sorted(self.commands, key=lambda c: c.path):
            branch = branches[command.path] = Branch(command, command.code in chosen, [])
            above = command.path.removesuffix(f"{command.code}.")
            (branches[above].below if above in branches else roots).append(branch)
        return roots

    def asked(self) -> dict[str, Any]:
        """The arguments of `drills.start`."""
        data = self.cleaned_data
        return {"codes": data["command"], "minutes": data["minutes"], "starts_at": data["starts_at"]}

    def begins(self, now: dt.datetime) -> dt.datetime:
        return max(self.cleaned_data["starts_at"] or now, now)


class HeardForm(forms.Form):
    """An answer that was heard: whose, and how."""

    person = forms.ChoiceField(label=_("Who answered"), error_messages={"required": _("Say who answered.")})
    channel = forms.ChoiceField(
        label=_("How it was heard"),
        choices=[(c.value, c.label) for c in HEARD],
        initial=Channel.RADIO,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say how the answer was heard.")},
    )

    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        cast(forms.ChoiceField, self.fields["person"]).choices = [(k, p.username) for k, p in self.people.items()]

    @property
    def who(self) -> User:
        return self.people[self.cleaned_data["person"]]
