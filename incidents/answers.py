"""Taking a case from a message: by the link in it, by its code through an operator, or by an SMS that comes back.

Each door asks for authority in the moment of the answer and acts through `actions`, like any page. What is already
taken, ended or out of reach is said, and then nothing was written.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.choices import COMMANDING, Role
from commands.models import ContactChannel, ContactPoint, Posting, User
from incidents import actions
from incidents.choices import Act, Channel, State
from incidents.delivery import codes, links
from incidents.models import AckCode, Entry, Incident
from incidents.turn import Heard

#: Through which an answer is heard.
HEARD_BY = (Channel.RADIO, Channel.SMS, Channel.PHONE)
#: Wrong codes an operator, or one sender of an SMS, may give in PAUSE seconds.
TRIES, PAUSE = 10, 600
#: An answer is entered soon after it was heard.
HEARD_WITHIN = dt.timedelta(hours=24)


class Standing(enum.Enum):
    """What a link leads to now."""

    READY = "it can be taken"
    WRONG = "no link of ours"
    EXPIRED = "older than a day"
    MINE = "the person has it"
    TAKEN = "somebody has it"
    ENDED = "the case is over"
    MOVED = "the person does not answer for it any more"
    OTHER = "somebody else is signed in"
    SIGN_IN = "it is acted on after signing in only"


@dataclass(frozen=True)
class Asked:
    """A link, read: how it stands, and of whom and what where it is ours."""

    standing: Standing
    person: User | None = None
    incident: Incident | None = None


def read_link(token: str, now: dt.datetime, *, viewer: User | None) -> Asked:
    """How the link stands at `now` for whoever opens it (`viewer`, None where nobody is signed in)."""
    try:
        link = links.read(token)
    except links.WrongLink:
        return Asked(Standing.WRONG)
    person = User.objects.filter(pk=link.person).first()
    case = Incident.objects.select_related("owner", "category", "election").filter(pk=link.incident).first()
    was_told = case and person and Entry.objects.filter(
        incident=case, version=link.version, notices__recipient=person
    ).exists()  # fmt: skip
    if case is None or person is None or not was_told:
        return Asked(Standing.WRONG)
    return Asked(_standing(case, person, link.expires_at <= now, viewer), person, case)


def _standing(case: Incident, person: User, is_old: bool, viewer: User | None) -> Standing:
    if viewer is not None and viewer.pk != person.pk:
        return Standing.OTHER
    if not person.is_active or not Incident.objects.visible_to(person).filter(pk=case.pk).exists():
        return Standing.MOVED
    if case.is_sealed:
        return Standing.SIGN_IN
    if not case.is_open:
        return Standing.ENDED
    act = _act_for(case)
    if act is None:
        held = case.custodies.order_by("-pk").first()
        return Standing.MINE if held and held.accepted_by_id == person.pk else Standing.TAKEN
    if is_old:
        return Standing.EXPIRED
    return Standing.READY if _answers_for(person, case) else Standing.MOVED


def _answers_for(person: User, case: Incident) -> bool:
    return any(case.owner.path.startswith(p.command.path) for p in person.current_postings)


def _act_for(case: Incident) -> Act | None:
    """What taking the case is now: its acknowledgement, or the acceptance of a hand-over; None where it is taken."""
    if case.state == State.REPORTED:
        return Act.ACKNOWLEDGE
    return None if case.is_accepted or not case.is_open else Act.ACCEPT


def take(case: Incident, person: User, now: dt.datetime, channel: str, heard: Heard | None = None) -> None:
    """`person` has the case, by whichever act that is now.

    Raises ValidationError or PermissionDenied with a sentence, Incident.DoesNotExist where it is out of sight.
    """
    act = _act_for(case)
    if act is not None and not _answers_for(person, case):
        # Below the owner it would be noted as information, which is not what the message asked for.
        raise PermissionDenied
    if act is None:
        text = _("%(reference)s is taken already.") if case.is_open else _("%(reference)s has ended already.")
        raise ValidationError(text % {"reference": case.reference}, code="taken")
    do = actions.acknowledge if act == Act.ACKNOWLEDGE else actions.accept
    do(case, by=person, version=None, now=now, channel=channel, heard=heard)


def by_link(token: str, now: dt.datetime, *, viewer: User | None) -> Asked:
    """Take the case of a link. Where it does not stand READY nothing is done, and the standing says why."""
    asked = read_link(token, now, viewer=viewer)
    if asked.standing != Standing.READY or asked.incident is None or asked.person is None:
        return asked
    try:
        take(asked.incident, asked.person, now, Channel.LINK)
    except (PermissionDenied, ValidationError, Incident.DoesNotExist):
        # Between reading and taking somebody acted; it is read again, and says what happened.
        again = read_link(token, now, viewer=viewer)
        return Asked(Standing.MOVED, again.person, again.incident) if again.standing == Standing.READY else again
    return Asked(Standing.MINE, asked.person, asked.incident)


# ---- By code ----


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What an operator writes down of an answer they heard."""

    code: str
    channel: str
    said_by: str
    at: dt.datetime


def operator_posting(operator: User, case: Incident) -> Posting | None:
    """The posting under which somebody may enter answers for this case: at its owner or above, the PSC or the NEC."""
    for posting in operator.current_postings:
        if posting.role in (Role.PSC_WATCH, Role.NEC_SECRETARIAT):
            return posting
        if posting.role in COMMANDING and case.owner.path.startswith(posting.command.path):
            return posting
    return None


def by_code(spoken: Spoken, *, by: User, now: dt.datetime) -> AckCode:
    """Take a case for whoever said its code. Raises ValidationError by field, and then nothing was written.

    The recipient's authority counts for the case, the operator's for entering; the journal has both.
    """
    _check_spoken(spoken, now)
    limit = _Tries("operator", str(by.pk))
    limit.check()
    try:
        with transaction.atomic():
            row = codes.found(spoken.code, now)
            case = row.incident
            if not Incident.objects.visible_to(by).filter(pk=case.pk).exists():
                raise ValidationError(
                    _("This code is of a case that you do not see. Pass it on to the Permanent Security Command."),
                    code="other",
                )
            posting = operator_posting(by, case)
            if posting is None:
                raise ValidationError(
                    _("Answers for this case are entered at %(command)s, above it, at the PSC or the NEC.")
                    % {"command": case.owner.name},
                    code="not_yours",
                )
            heard = Heard(by=by, posting=posting, at=spoken.at, said_by=spoken.said_by.strip())
            _take_by_code(row, now, spoken.channel, heard)
            codes.use(row, now, by)
    except ValidationError as refused:
        if refused.code in ("wrong", "other"):
            limit.count()
        raise ValidationError({"code": refused.messages}, code=refused.code) from None
    return row


def _take_by_code(row: AckCode, now: dt.datetime, channel: str, heard: Heard | None) -> None:
    try:
        take(row.incident, row.recipient, now, channel, heard)
    except (PermissionDenied, Incident.DoesNotExist):
        raise ValidationError(
            _("Whoever got this code does not answer for %(reference)s any more. Call who has it: %(owner)s.")
            % {"reference": row.incident.reference, "owner": row.incident.owner.name},
            code="moved",
        ) from None


def _check_spoken(spoken: Spoken, now: dt.datetime) -> None:
    errors = {}
    if not spoken.said_by.strip():
        errors["said_by"] = _("Write who said it: call sign, role or name.")
    elif len(spoken.said_by) > 80:
        errors["said_by"] = _("At most %(limit)s characters are possible here.") % {"limit": 80}
    if spoken.channel not in HEARD_BY:
        errors["channel"] = _("Choose how you heard it: radio, SMS or phone.")
    if spoken.at > now + dt.timedelta(minutes=1):
        errors["at"] = _("This time is still to come. Write when you heard it.")
    elif spoken.at < now - HEARD_WITHIN:
        errors["at"] = _("This is more than 24 hours ago. Open the case and write it as an update.")
    if errors:
        raise ValidationError(errors, code="spoken")


# ---- By an SMS that comes back ----


def by_sms(sender: str, text: str, now: dt.datetime) -> AckCode:
    """Take a case by a code that stands in an SMS, from the number it was sent to. Raises ValidationError."""
    sender = _whole_number(sender)
    limit = _Tries("sms", sender)
    limit.check()
    said = re.search(r"(?<!\d)(\d{3})[ .-]?(\d{3})(?!\d)", text)
    try:
        with transaction.atomic():
            row = codes.found("".join(said.groups()) if said else "", now)
            mine = ContactPoint.objects.filter(
                user=row.recipient, channel=ContactChannel.SMS, address=sender, verified_at__isnull=False
            )
            if not mine.exists():
                # As if there were none: a stranger's number learns nothing.
                raise ValidationError(_("No message to this number has this code."), code="wrong")
            _take_by_code(row, now, Channel.SMS, None)
            codes.use(row, now, None)
    except ValidationError as refused:
        if refused.code in ("wrong", "format"):
            limit.count()
        raise
    return row


def _whole_number(text: str) -> str:
    """A number as addresses are kept: +855 and the rest; gateways write it in several ways."""
    digits = re.sub(r"\D", "", text)
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = "855" + digits[1:]
    return f"+{digits}"


class _Tries:
    """Wrong codes in the last minutes, by one operator or number: a million numbers are not to be tried out."""

    def __init__(self, door: str, who: str) -> None:
        self._key = f"codes-{door}-{hashlib.sha256(who.encode()).hexdigest()[:32]}"

    def check(self) -> None:
        if _cached(self._key) >= TRIES:
            raise ValidationError(
                {"code": _("Too many wrong codes. Wait ten minutes, or open the case and act there.")}, code="paused"
            )

    def count(self) -> None:
        try:
            cache.add(self._key, 0, PAUSE)
            cache.incr(self._key)
        except Exception:  # a cache that is away must not stop answers that are right
            return


def _cached(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except Exception:  # as above
        return 0
