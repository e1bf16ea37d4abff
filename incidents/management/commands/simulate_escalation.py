"""Play a version of a policy against past or made-up cases, beside the one in force: figures as a table or as JSON."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from commands.models import SecurityCommand
from elections.choices import Phase
from elections.models import Election
from incidents import policies
from incidents.escalation.replay import Ladders, made_up_in, past
from incidents.escalation.simulate import PROVINCE, PSC, Behaviour, Case, Result, generated, run
from incidents.models import Incident, Policy

#: A year of a busy country, and minutes of one processor.
MOST = 200_000


class Command(BaseCommand):
    help = "Replays past cases, or made-up ones (--generated), under a version of an escalation policy. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--policy", help="ELECTION/NUMBER or general/NUMBER, drafts too; the one in force if not given"
        )
        parser.add_argument("--election", help="code; the current election if not given")
        parser.add_argument("--from", dest="first", type=_day, help="first day of past cases, 2027-05-22")
        parser.add_argument("--to", dest="last", type=_day, help="last day of past cases")
        parser.add_argument("--generated", type=int, metavar="N", help="make N cases up instead")
        parser.add_argument("--hours", type=int, default=10, help="made-up cases come within so many hours")
        parser.add_argument("--phase", choices=Phase.values, default=Phase.POLLING.value)
        parser.add_argument("--share", type=int, default=90, help="of a hundred commands so many answer")
        parser.add_argument("--minutes", type=float, default=12, help="typically after so many minutes")
        parser.add_argument("--seed", type=int, default=1, help="the same number makes the same cases")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        election = _election(options["election"], now)
        tried = _policy(options["policy"], election, now)
        in_force = _policy(None, election, now)
        ladders = Ladders(now)
        cases = (
            _made_up(options, election, ladders)
            if options["generated"] is not None
            else _past(options, election, ladders)
        )
        try:
            results = {name: run(cases, policies.rules_of(p)) for name, p in (("tried", tried), ("in_force", in_force))}
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from None
        answer: dict[str, Any] = {
            "election": election.code,
            "cases": len(cases),
            **{name: _summary(result, ladders) for name, result in results.items()},
        }
        answer["tried"]["policy"], answer["in_force"]["policy"] = str(tried), str(in_force)
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False))
        else:
            self._table(answer)

    def _table(self, answer: dict[str, Any]) -> None:
        tried, in_force = answer["tried"], answer["in_force"]
        self.stdout.write(f"{answer['cases']} cases of {answer['election']}")
        self.stdout.write(f"{'':<34}{tried['policy']:>12}{in_force['policy'] + ' (in force)':>22}")
        for name, value in tried.items():
            if isinstance(value, int):
                self.stdout.write(f"{name.replace('_', ' '):<34}{value:>12,}{in_force.get(name, 0):>22,}")
        self.stdout.write("fullest hours:")
        for row in tried["busiest"]:
            self.stdout.write(f"  {row['count']:>6,}  {row['hour']}  {row['command']} {row['name']}")


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _election(code: str | None, now: dt.datetime) -> Election:
    found = Election.objects.filter(code=code).first() if code else Election.objects.default_for(now)
    if found is None:
        raise CommandError(
            f"There is no election «{code}»." if code else "There is no election. Load the reference data."
        )
    return found


def _policy(name: str | None, election: Election, now: dt.datetime) -> Policy:
    if not name:
        try:
            return policies.policy_for(election, now)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from None
    code, _slash, number = name.partition("/")
    found = policies.numbered(code, int(number)) if number.isdecimal() and len(number) < 6 else None
    if found is None:
        raise CommandError(f"There is no version «{name}». Write it as {election.code}/2 or general/1.")
    return found


def _past(options: dict[str, Any], election: Election, ladders: Ladders) -> list[Case]:
    zone = timezone.get_default_timezone()
    cases = Incident.objects.filter(election=election)
    if options["first"]:
        cases = cases.filter(reported_at__gte=dt.datetime.combine(options["first"], dt.time(), zone))
    if options["last"]:
        end = options["last"] + dt.timedelta(days=1)
        cases = cases.filter(reported_at__lt=dt.datetime.combine(end, dt.time(), zone))
    return past(cases, ladders, MOST)


def _made_up(options: dict[str, Any], election: Election, ladders: Ladders) -> list[Case]:
    if not 1 <= options["generated"] <= MOST or not 1 <= options["hours"] <= 24 * 60:
        raise CommandError(f"From 1 to {MOST} cases within 1 to 1440 hours can be made up.")
    if not 0 <= options["share"] <= 100 or options["minutes"] <= 0:
        raise CommandError("--share is from 0 to 100, and --minutes more than nought.")
    return generated(
        ladders.of_districts(),
        count=options["generated"],
        hours=options["hours"],
        behaviour=Behaviour(share=options["share"] / 100, minutes=options["minutes"]),
        seed=options["seed"],
        **made_up_in(election, options["phase"], ladders),
    )


def _summary(result: Result, ladders: Ladders) -> dict[str, Any]:
    commands: dict[int, SecurityCommand] = ladders.commands
    return {
        "policy": "",
        "cases_that_moved": result.moved,
        "came_up_to_a_province": result.came_up[PROVINCE],
        "came_up_to_the_psc": result.came_up[PSC],
        "told_to_the_psc_only": result.told[PSC],
        "alarms_at_the_top": result.exhausted,
        "alarms_said_again": result.repeats,
        "taken_up_by_nobody": result.untaken,
        **{f"steps_{kind}": count for kind, count in sorted(result.steps.items())},
        "levels_left_out": result.left_out,
        "most_in_an_hour": result.fullest(),
        "busiest": [
            {
                "command": commands[key].code,
                "name": commands[key].name_en,
                "hour": timezone.localtime(hour).isoformat(),
                "count": count,
            }
            for key, hour, count in result.busiest()
        ],
    }
