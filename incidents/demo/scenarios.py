"""The ten scenarios of the domain study, in the days of the Senate election of February 2024.

Minutes count from the first report. What the system does not do yet is not staged: referrals with a deadline of their
own (S10), the worksheet of alleged incitement beyond its outcome (S8), cases linked without being joined (S10), CAP
messages that reach the public. Persons are unnamed; the Demo Province (99) is fictional.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile

from elections import geometry
from incidents import notices
from incidents.choices import (
    Act,
    ActorType,
    Channel,
    Classification,
    DismissReason,
    Means,
    Outcome,
    PersonRole,
    PointPrecision,
    Severity,
    TargetType,
    Verification,
)
from incidents.demo.props import MOVED_STATION, VOTING_AS_PLANNED, picture
from incidents.demo.stage import OWNER, Case, Stage
from incidents.models import CapCategory, Incident, PublicNotice, PublicNoticeState

ELECTION = "SEN24"
_ZONE = ZoneInfo("Asia/Phnom_Penh")
#: S5: the worker is dead in these minutes; one escalation follows, due at minute 10 and done at minute 14.
OUTAGE = (dt.datetime(2024, 2, 25, 9, 8, tzinfo=_ZONE), dt.datetime(2024, 2, 25, 9, 14, tzinfo=_ZONE))


def _at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, 2, day, hour, minute, tzinfo=_ZONE)


def play(stage: Stage) -> dict[str, Case]:
    """Plan all ten; returns the first case of each by its name."""
    stage.outage = OUTAGE
    return {
        "S1": theft(stage),
        "S2": flooded_station(stage),
        "S3": ordnance(stage),
        "S4": threat_to_voters(stage),
        "S5": silent_district(stage),
        "S6": rally_brawl(stage),
        "S7": rumour(stage),
        "S8": criticism(stage),
        "S9": escort(stage),
        "S10": blackout(stage),
    }


def _case(stage: Stage, t0: dt.datetime, *, by: str, place: str, channel: str = Channel.BROWSER, **report: Any) -> Case:
    point = next(iter(geometry.scatter(place, 1, seed=11)), None)
    if point and "lat" not in report and report.get("category") != "INF-01":
        report |= {"lat": point[0], "lon": point[1], "point_precision": PointPrecision.NEAR}
    return Case.plan(stage, t0, by=by, channel=channel, election=ELECTION, place=place, **report)


def theft(stage: Stage) -> Case:
    """S1: an ordinary theft in Takeo, closed by the province the day after it was resolved."""
    case = _case(
        stage, _at(14, 10), by="officer-takeo", place="KH210801", category="CRM-06", severity=Severity.LOW,
        title="បាត់ម៉ូតូនៅផ្សារ", target_type=TargetType.PUBLIC,
        narrative="ម៉ូតូមួយគ្រឿងត្រូវបានគេលួចពីកន្លែងចតនៅផ្សារ។ ទីតាំងនៅឆ្ងាយប្រហែល ៣ គីឡូម៉ែត្រពីការិយាល័យបោះឆ្នោត។",
    )  # fmt: skip
    case.after(300, Act.ACKNOWLEDGE, "duty-daunkeo", note="")
    _assign(case, 320, "officer-takeo", "duty-daunkeo")
    case.after(500, Act.UPDATE, "officer-takeo", note="បានរកឃើញម៉ូតូនៅក្រោយផ្សារ និងប្រគល់ជូនម្ចាស់វិញ។")
    case.after(1200, Act.CONTAIN, "duty-daunkeo", note="")
    case.after(
        1500, Act.RESOLVE, "duty-daunkeo", outcome=Outcome.SETTLED, verification=Verification.VERIFIED,
        note="ម៉ូតូត្រូវបានប្រគល់ជូនម្ចាស់វិញ។",
    )  # fmt: skip
    return case.after(2940, Act.CLOSE, "province-takeo", note="")


def flooded_station(stage: Stage) -> Case:
    """S2: a station that water cuts off at dawn is moved; the public is told and the notice is cancelled next day."""
    case = _case(
        stage, _at(25, 5, 20), by="officer-kh0601", place="KH060103", channel=Channel.RADIO, category="HAZ-01",
        severity=Severity.HIGH, stations_affected=1, voters_affected=352, actor_type=ActorType.NATURAL,
        target_type=TargetType.ELECTION_SITE, title="Station cut off by water",
        narrative="Access to the station is under 40 centimetres of water. Voters cannot reach it on foot.",
    )  # fmt: skip
    case.after(4, Act.ACKNOWLEDGE, "duty-kh0601", note="")
    _assign(case, 7, "officer-kh0601", "duty-kh0601")
    case.after(
        12, Act.RELOCATE_STATION, "nec-secretariat", station="0214", old_place="Primary school by the river",
        new_place="Pagoda hall on the hill", voters_affected=352,
    )  # fmt: skip
    case.after(15, Act.VERIFY, "duty-kh0601", verification=Verification.VERIFIED, note="Seen on the spot by two units.")
    _publish(case, 20, 24, area="KH060103", category=CapCategory.MET, expires=_at(25, 15), texts=MOVED_STATION)
    case.after(25, Act.UPDATE, "duty-kh0601", note="Boats carry the materials to the pagoda hall.")
    case.after(
        140, Act.CONTAIN, "duty-kh0601", note="The first voter was received at the new place.", minutes_stopped=100
    )
    case.after(
        400, Act.RESOLVE, "province-kh06", outcome=Outcome.HAZARD_REMOVED, verification=Verification.VERIFIED,
        note="Voting at the new place ended at 15:00 as everywhere.",
    )  # fmt: skip
    case.after(300, Act.CLASSIFY, "nec-secretariat", classification=Classification.HAZARD, reason="effect")
    case.call(1500, _cancel_notice)
    return case.after(1560, Act.CLOSE, "psc-watch", note="")


def ordnance(stage: Stage) -> Case:
    """S3: a shell in a school yard on silence day, then a second one inside the room: critical."""
    case = _case(
        stage, _at(24, 16, 10), by="officer-kh0203", place="KH020304", category="HAZ-02", severity=Severity.HIGH,
        title="គ្រាប់មិនទាន់ផ្ទុះក្នុងទីធ្លាសាលា", target_type=TargetType.ELECTION_SITE, means=Means.EXPLOSIVE,
        actor_type=ActorType.NONE,
        narrative="រកឃើញគ្រាប់មិនទាន់ផ្ទុះមួយគ្រាប់ក្នុងទីធ្លាសាលា ចម្ងាយ ៣០ ម៉ែត្រពីបន្ទប់ដែលជាការិយាល័យបោះឆ្នោតថ្ងៃស្អែក។",
    )  # fmt: skip
    case.after(5, Act.ACKNOWLEDGE, "duty-kh0203", note="")
    case.after(8, Act.UPDATE, "duty-kh0203", note="បានហ៊ុមព័ទ្ធទីធ្លាសាលា ចម្ងាយ ១០០ ម៉ែត្រ។")
    _photo(case, 10, "officer-kh0203")
    case.after(15, Act.UPDATE, "duty-kh0203", note="បានជូនដំណឹងអាជ្ញាធរបោសសម្អាតមីន។")
    case.after(50, Act.RAISE_SEVERITY, "officer-kh0203", severity=Severity.CRITICAL, reason="រកឃើញគ្រាប់ទីពីរនៅក្នុងបន្ទប់។")
    case.take(55)
    _assign(case, 58, "officer-kh0203", OWNER)
    for minute in (100, 155, 205):
        case.after(minute, Act.UPDATE, OWNER, "province-kh02", note="ក្រុមបោសសម្អាតមីនកំពុងបំពេញការងារ។")
    case.after(240, Act.CONTAIN, OWNER, "province-kh02", note="គ្រាប់ទាំងពីរត្រូវបានយកចេញដោយសុវត្ថិភាព។")
    _settle(case, 500, outcome=Outcome.HAZARD_REMOVED, classification=Classification.HAZARD)
    return case


def threat_to_voters(stage: Stage) -> Case:
    """S4: a threat to a family; the report is about the district's civil authority, so the district never sees it."""
    case = _case(
        stage, _at(13, 9), by="liaison-ngo", place="KH990101", channel=Channel.LIAISON, category="INT-01",
        severity=Severity.HIGH, title="Words to a family about the vote", concerned=("KH9901",), concerned_civil=True,
        actor_type=ActorType.CIVIL_AUTHORITY, target_type=TargetType.VOTER, means=Means.VERBAL,
        narrative="A family was told that they would lose the use of their land if they voted wrongly.",
    )  # fmt: skip
    case.after(
        2, Act.RECORD_PERSON, "liaison-ngo", role=PersonRole.VICTIM,
        identity={"contact": "Through the liaison office only", "notes": "The family does not want to be called."},
    )  # fmt: skip
    case.after(25, Act.ACKNOWLEDGE, "integrity-99", note="")
    case.after(90, Act.UPDATE, "integrity-99", note="A first conversation took place away from the village.")
    case.after(2880, Act.WITHDRAW, "liaison-ngo", reason="No longer safe to continue.")
    return case.countersign(4300, "nec-integrity", note="The family was called back safely and confirms its wish.")


def silent_district(stage: Stage) -> Case:
    """S5: the district does not answer; the province holds the case from minute 10, though the worker was dead."""
    case = _case(
        stage, _at(25, 9), by="officer-9902", place="KH990202", category="PRC-04", severity=Severity.HIGH,
        title="Voters stopped at a gate", voters_affected=60, stations_affected=1, target_type=TargetType.VOTER,
        narrative="About 60 voters are held up at a closed gate on the way to the station.",
    )  # fmt: skip
    case.take(16)
    case.after(20, Act.UPDATE, "duty-9902", note="The district has read this now.")
    case.after(25, Act.UPDATE, "province-99", note="A unit of the province has reached the gate.")
    _assign(case, 28, "officer-9902", "province-99")
    case.after(95, Act.CONTAIN, "province-99", note="The gate is open, all are on their way.", minutes_stopped=90)
    _settle(case, 400, outcome=Outcome.WARNED, classification=Classification.ELECTORAL)
    return case


def rally_brawl(stage: Stage) -> Case:
    """S6: seven reports of one brawl; joined, counted once, and critical when a machete is reported."""
    t0 = _at(17, 15)
    words = [
        (0, "officer-9903", "CAM-03", "Supporters of two groups argue where their marches meet."),
        (3, "duty-9903", "ORD-01", "A fight has begun at the crossroads by the market."),
        (6, "liaison-party", "CAM-03", "People of a march were pushed and hit at the crossroads."),
        (8, "officer-9903", "CRM-02", "One person is bleeding after a blow with a stick."),
        (11, "liaison-ngo", "CAM-03", "Observers see about twenty people fighting at the crossroads."),
        (14, "province-99", "ORD-01", "Callers to the provincial command speak of a crowd fighting at the market."),
        (18, "officer-9903", "CRM-02", "Somebody in the crowd is holding a machete."),
    ]
    cases = [
        _case(
            stage, t0 + dt.timedelta(minutes=minute), by=by, place="KH990302", category=category,
            title="Brawl at a rally",
            channel=Channel.LIAISON if by.startswith("liaison") else Channel.BROWSER, narrative=text,
            actor_type=ActorType.SUPPORTER, target_type=TargetType.SUPPORTER, severity=Severity.MEDIUM,
            means=Means.BLADE if "machete" in text else Means.HANDS,
            injured=1 if "bleeding" in text else 0,
        )
        for minute, by, category, text in words
    ]  # fmt: skip
    first = cases[0]
    first.after(5, Act.ACKNOWLEDGE, "duty-9903", note="")
    first.after(
        18.5, Act.RAISE_SEVERITY, "officer-9903", "duty-9903", severity=Severity.CRITICAL, reason="A machete is seen."
    )
    first.after(12, Act.UPDATE, "duty-9903", note="A unit is at the crossroads.")
    first.take(22)
    for number, case in enumerate(cases[1:]):
        case.after(26 - (case.t0 - t0).seconds / 60 + number, Act.MERGE, "province-99", "psc-watch", survivor=first.key)
    _assign(first, 40, "officer-9903", "province-99")
    for minute in (45, 150, 260):
        first.after(
            minute, Act.UPDATE, OWNER, "province-99", note="Both groups have been led apart; the streets are watched."
        )
    first.after(300, Act.CONTAIN, OWNER, "province-99", note="All have gone home.", injured=3)
    first.after(
        310,
        Act.LOWER_SEVERITY,
        OWNER,
        "province-99",
        "psc-watch",
        severity=Severity.HIGH,
        reason="All have gone home and both marches are over.",
    )
    first.after(1110, Act.HAND_BACK, OWNER, "province-99", reason="Quiet for twelve hours; the district can follow up.")
    first.take(1130)
    _settle(first, 1300, outcome=Outcome.REFERRED_PENDING, classification=Classification.ELECTORAL)
    return first


def rumour(stage: Stage) -> Case:
    """S7: false word that voting is moved to Monday; the PSC takes it over and the NEC corrects it in public."""
    case = _case(
        stage, _at(24, 19), by="liaison-ngo", place="KH120211", channel=Channel.LIAISON, category="INF-02",
        severity=Severity.MEDIUM, title="Rumour: voting moved to Monday", means=Means.ONLINE,
        target_type=TargetType.VOTER,
        narrative="A message passed on in several provinces says that voting has been moved to Monday.",
    )  # fmt: skip
    case.after(10, Act.ACKNOWLEDGE, OWNER, note="")
    case.after(
        35,
        Act.VERIFY,
        "nec-secretariat",
        verification=Verification.VERIFIED,
        note="The date is unchanged; the message is false.",
    )
    case.after(37, Act.ESCALATE, "nec-secretariat", to="PSC", reason="It spreads in several provinces.")
    _publish(case, 45, 50, area="KH12", category=CapCategory.OTHER, expires=_at(25, 15), texts=VOTING_AS_PLANNED)
    case.take(52)
    case.after(60, Act.CLASSIFY, "nec-secretariat", classification=Classification.ELECTORAL, reason="effect")
    case.after(70, Act.UPDATE, "psc-watch", note="All provinces have been told; radio stations read the correction.")
    case.after(300, Act.CONTAIN, "psc-watch", note="The message is hardly passed on any more.")
    _settle(case, 1400, outcome=Outcome.NOT_ESTABLISHED)
    return case


def criticism(stage: Stage) -> Case:
    """S8: a post that criticises is not incitement: no severity, no dispatch, dismissed as lawful by two people."""
    case = _case(
        stage, _at(15, 11), by="officer-kh1202", place="KH120211", category="INF-01", means=Means.ONLINE,
        title="ការបង្ហោះសាររិះគន់", narrative="មានការបង្ហោះសារសាធារណៈរិះគន់ការងាររបស់មន្ត្រី។ គ្មានការអំពាវនាវឱ្យប្រើហិង្សាទេ។",
    )  # fmt: skip
    case.after(
        180, Act.DISMISS, "nec-secretariat", dismiss_reason=DismissReason.LAWFUL,
        reason="Criticism. Neither intent, content nor likelihood of violence is met.",
    )  # fmt: skip
    return case.countersign(240, "nec-second", note="The legal officer agrees.")


def escort(stage: Stage) -> Case:
    """S9: an escort of the fictional province joins a convoy in party shirts; the PSC's integrity desk has the case."""
    case = _case(
        stage, _at(18, 8, 30), by="liaison-party", place="KH990301", channel=Channel.LIAISON, category="NEU-01",
        severity=Severity.HIGH, title="Escort joined a convoy", concerned=("KH99",), actor_type=ActorType.POLICE,
        target_type=TargetType.EVENT,
        narrative="Members of an escort wore party shirts and marched with the convoy they guarded.",
    )  # fmt: skip
    _photo(case, 3, "liaison-party")
    case.after(20, Act.ACKNOWLEDGE, OWNER, note="")
    case.after(100, Act.UPDATE, OWNER, note="The picture was compared with the duty list.")
    case.after(1000, Act.CONTAIN, OWNER, note="The escort was relieved.")
    case.after(
        1440, Act.CLASSIFY, "nec-integrity", "nec-secretariat", classification=Classification.ELECTORAL, reason="actor"
    )
    case.after(
        3000, Act.RESOLVE, OWNER, outcome=Outcome.REFERRED_PENDING, verification=Verification.VERIFIED,
        note="Referred to the inspectorate.",
    )  # fmt: skip
    return case.after(4400, Act.CLOSE, "nec-integrity", note="")


def blackout(stage: Stage) -> Case:
    """S10: the power fails at a counting office; an update comes late, the crowd was smaller than first said."""
    case = _case(
        stage, _at(25, 18, 40), by="officer-kh0811", place="KH081104", channel=Channel.PHONE, category="HAZ-04",
        severity=Severity.HIGH, title="ដាច់ចរន្តនៅការិយាល័យរាប់សន្លឹកឆ្នោត", stations_affected=1, voters_affected=120,
        actor_type=ActorType.NONE, target_type=TargetType.ELECTION_SITE,
        narrative="ចរន្តអគ្គិសនីបានដាច់នៅការិយាល័យរាប់សន្លឹកឆ្នោត។ មានមនុស្សប្រហែល ១២០ នាក់នៅខាងក្រៅ។",
    )  # fmt: skip
    case.after(
        3,
        Act.RAISE_SEVERITY,
        "officer-kh0811",
        "duty-kh0811",
        severity=Severity.CRITICAL,
        reason="ការរាប់ត្រូវបានផ្អាក ហិបត្រូវបានបិទត្រា។",
    )
    case.take(5)
    case.after(14, Act.UPDATE, OWNER, note="ហិបឆ្នោតត្រូវបានយាមដោយភ្នាក់ងារទាំងអស់។")
    _assign(case, 18, "officer-kh0811", OWNER)
    case.after(70, Act.UPDATE, OWNER, note="ម៉ាស៊ីនភ្លើងបានមកដល់។")
    case.after(75, Act.CONTAIN, OWNER, note="ការរាប់បានបន្តឡើងវិញ។", minutes_stopped=75)
    _settle(
        case,
        640,
        outcome=Outcome.HAZARD_REMOVED,
        classification=Classification.HAZARD,
        correction={"voters_affected": 40},
    )
    return case


# ---- Parts ----


def _assign(case: Case, minutes: float, officer: str, *by: str) -> None:
    case.call(
        minutes,
        lambda _, now: _done(case.do(Act.ASSIGN, *by, now=now, assignee=case.stage.person(officer).pk, note="")),
    )


def _done(_: bool) -> None:
    """The outcome of a planned act is counted by the stage."""


def _settle(
    case: Case, minutes: float, *, outcome: str, classification: str = "", correction: dict[str, Any] | None = None
) -> None:
    """Correct, classify, resolve with whoever must sign, and close by somebody else."""
    if correction:
        case.after(minutes - 40, Act.CORRECT, OWNER, fields=correction, reason="Counted again from pictures.")
    if classification:
        case.after(minutes - 20, Act.CLASSIFY, "nec-secretariat", classification=classification, reason="effect")
    case.after(
        minutes, Act.RESOLVE, OWNER, "province-99", "psc-watch", outcome=outcome, verification=Verification.VERIFIED,
        note="",
    )  # fmt: skip
    case.countersign(minutes + 30, "nec-second")
    case.after(minutes + 1500, Act.CLOSE, "nec-secretariat", "nec-second", note="")


def _publish(
    case: Case, drafted: float, issued: float, *, area: str, category: str, expires: dt.datetime, texts: dict[str, str]
) -> None:
    def draft(incident: Incident, now: dt.datetime) -> None:
        notices.draft(
            incident, by=case.stage.person("nec-secretariat"), now=now, area=area, category=category,
            expires_at=expires, **texts,
        )  # fmt: skip

    def issue(incident: Incident, now: dt.datetime) -> None:
        for notice in PublicNotice.objects.filter(incident=incident, state=PublicNoticeState.DRAFT):
            notices.issue(notice, by=case.stage.person("nec-second"), now=now)

    case.call(drafted, draft).call(issued, issue)


def _cancel_notice(incident: Incident, now: dt.datetime) -> None:
    for notice in PublicNotice.objects.filter(incident=incident, state=PublicNoticeState.ISSUED):
        notices.cancel(notice, by=notice.drafted_by, reason="The road is open again and voting has ended.", now=now)


def _photo(case: Case, minutes: float, by: str) -> None:
    upload = SimpleUploadedFile("picture.jpg", picture(), "image/jpeg")
    case.after(minutes, Act.ATTACH, by, upload=upload)
