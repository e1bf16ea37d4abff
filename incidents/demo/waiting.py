"""Cases of the running election in which something waits: a pause, two bodies of the law, a rumour, a lost message.

Everything by the acts and the sender that people use. Whoever is accused of something is in the Demo Province (99).
"""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from commands import contacts
from commands.models import ContactChannel
from elections.models import Election
from incidents import pauses
from incidents.choices import Act, Channel, ReferralBody, Severity
from incidents.delivery import sender
from incidents.delivery.notices import configured
from incidents.demo.stage import OWNER, Case, Stage
from incidents.models import Incident

HOUR = 60
#: Minutes after a notice at which the sender tries it: once a refusal for good came three times, it is given up.
TRIES = (0, 1, 3)


def plan(stage: Stage, election: Election) -> None:
    """Put all of them on the timeline, so that at its end each one waits."""
    _paused(stage, election)
    _referred(stage, election)
    _by_prosecutor(stage, election)
    _unverified(stage, election)
    _unreached(stage, election)


def _case(stage: Stage, election: Election, hours: float, **report: Any) -> Case:
    return Case.plan(stage, stage.end - dt.timedelta(hours=hours), election=election.code, **report)


def _paused(stage: Stage, election: Election) -> None:
    """A theft whose owner is away until the day after tomorrow: the province agreed to wait for him."""
    case = _case(
        stage, election, 20, by="officer-takeo", place="KH210801", category="CRM-06", severity=Severity.MEDIUM,
        title="បាត់ម៉ាស៊ីនភ្លើង", narrative="ម៉ាស៊ីនភ្លើងមួយគ្រឿងបានបាត់ពីឃ្លាំង។ ម្ចាស់កំពុងធ្វើដំណើរ។",
    )  # fmt: skip
    case.take(15)
    case.after(40, Act.UPDATE, OWNER, note="បានពិនិត្យកន្លែងកើតហេតុ និងសួរអ្នកជិតខាង។")

    def ask(incident: Incident, now: dt.datetime) -> None:
        until = min(stage.end + dt.timedelta(hours=30), pauses.latest_end(incident, now).at)
        reason = "ម្ចាស់នឹងត្រឡប់មកវិញ ដើម្បីប្រាប់លេខសម្គាល់។"
        case.do(Act.SNOOZE, OWNER, now=now, case=incident, until=until, reason=reason)

    case.call(2 * HOUR, ask)
    case.countersign(3 * HOUR, "province-takeo", note="យល់ព្រម។")


def _referred(stage: Stage, election: Election) -> None:
    """A complaint about a list that was not posted; the provincial election commission has three days for it."""
    case = _case(
        stage, election, 30, by="liaison-party", channel=Channel.LIAISON, place="KH990201", category="PRC-01",
        severity=Severity.MEDIUM, title="មិនបានបិទបញ្ជីអ្នកបោះឆ្នោត",
        narrative="មានការរាយការណ៍ថា បញ្ជីអ្នកបោះឆ្នោតនៃការិយាល័យមួយមិនបានបិទផ្សាយនៅថ្ងៃកំណត់ទេ។",
    )  # fmt: skip
    case.take(20)
    case.after(50, Act.UPDATE, OWNER, note="បានពិនិត្យក្តារបិទផ្សាយ និងថតរូប។")
    case.refer(2 * HOUR, ReferralBody.PEC, "គធ.ខប 12/2026", OWNER, "nec-secretariat")


def _by_prosecutor(stage: Stage, election: Election) -> None:
    """A theft that is with the prosecutor, for whom the law sets no time."""
    case = _case(
        stage, election, 28, by="officer-takeo", place="KH210802", category="CRM-06", severity=Severity.LOW,
        title="បាត់កង់នៅទីធ្លាសាលា", narrative="កង់បីគ្រឿងត្រូវបានគេលួចពីទីធ្លាសាលានៅពេលយប់។",
    )  # fmt: skip
    case.take(60)
    case.after(2 * HOUR, Act.UPDATE, OWNER, note="បានរកឃើញកង់ពីរគ្រឿងវិញ។")
    case.refer(5 * HOUR, ReferralBody.PROSECUTOR, "", OWNER)


def _unverified(stage: Stage, election: Election) -> None:
    """Word that offices close early; a person still has to find out whether it is true."""
    case = _case(
        stage, election, 0.75, by="liaison-ngo", channel=Channel.LIAISON, place="KH990202", category="INF-02",
        severity=Severity.MEDIUM, title="ពាក្យចចាមអារ៉ាមថាការចុះឈ្មោះបញ្ចប់ថ្ងៃនេះ",
        narrative="មានសារផ្ញើតៗគ្នាតាមទូរសព្ទ ថាការចុះឈ្មោះបញ្ចប់ថ្ងៃនេះ មិនមែនចុងសប្តាហ៍ទេ។",
    )  # fmt: skip
    case.take(8)
    case.after(20, Act.UPDATE, OWNER, note="បានសួរការិយាល័យ ហើយកំពុងរង់ចាំចម្លើយ។")


def _unreached(stage: Stage, election: Election) -> None:
    """A case the district cannot settle; the mail to the province comes back, and the inbox has what it said."""
    case = _case(
        stage, election, 4, by="officer-takeo", place="KH210803", category="HAZ-01", severity=Severity.MEDIUM,
        title="ដើមឈើរលំបិទផ្លូវ", narrative="ខ្យល់កន្ត្រាក់បានធ្វើឱ្យដើមឈើរលំលើផ្លូវ។ ផ្លូវត្រូវបានបិទ។",
    )  # fmt: skip
    case.take(10)
    case.after(30, Act.UPDATE, OWNER, note="កម្លាំងកំពុងរើដើមឈើចេញពីផ្លូវ។")

    def escalate(incident: Incident, now: dt.datetime) -> None:
        # Where messages leave for real, the sender would take those of others with it.
        pretends = not any(configured().values())
        if pretends:
            _have_address(stage, now)
        with _mail_comes_back() if pretends else nullcontext():
            reason = "ត្រូវការគ្រឿងចក្ររបស់ខេត្ត។"
            case.do(Act.ESCALATE, "duty-daunkeo", now=now, case=incident, to="KH21", reason=reason)
            for minutes in TRIES if pretends else ():
                sender.deliver(now + dt.timedelta(minutes=minutes))

    case.call(2 * HOUR, escalate)
    case.take(2 * HOUR + 10)


def _have_address(stage: Stage, now: dt.datetime) -> None:
    """The province has an address that it has proven; the mailbox was closed later."""
    person = stage.person("province-takeo")
    contact = contacts.add(person, channel=ContactChannel.EMAIL, address="province-takeo@example.org", now=now)
    contacts.verify(contact, contacts.start_verification(contact, now), now)


class Refusing(BaseEmailBackend):
    """A mail server that knows none of its receivers."""

    def send_messages(self, email_messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({a: (550, b"no such mailbox") for m in email_messages for a in m.to})


@contextmanager
def _mail_comes_back() -> Iterator[None]:
    before = settings.EMAIL_BACKEND, settings.EMAIL_CONFIGURED
    settings.EMAIL_BACKEND, settings.EMAIL_CONFIGURED = f"{__name__}.{Refusing.__name__}", True
    try:
        yield
    finally:
        settings.EMAIL_BACKEND, settings.EMAIL_CONFIGURED = before
