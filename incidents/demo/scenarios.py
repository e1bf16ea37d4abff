"""The ten scenarios of the domain study, in the days of the Senate election of February 2024.

Minutes count from the first report. What the system does not do yet is not staged: the worksheet of alleged incitement
beyond its outcome (S8), cases linked without being joined (S10), CAP messages that reach the public. Persons are
unnamed; the Demo Province (99) is fictional.
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
    ReferralBody,
    ReferralOutcome,
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
        target_type=TargetType.ELECTION_SITE, title="ការិយាល័យបោះឆ្នោតត្រូវទឹកកាត់ផ្តាច់",
        narrative="ផ្លូវចូលការិយាល័យបោះឆ្នោតលិចទឹក ៤០ សង់ទីម៉ែត្រ។ អ្នកបោះឆ្នោតមិនអាចដើរទៅដល់ទេ។",
    )  # fmt: skip
    case.after(4, Act.ACKNOWLEDGE, "duty-kh0601", note="")
    _assign(case, 7, "officer-kh0601", "duty-kh0601")
    case.after(
        12, Act.RELOCATE_STATION, "nec-secretariat", station="0214", old_place="សាលាបឋមសិក្សាក្បែរទន្លេ",
        new_place="សាលាវត្តលើភ្នំ", voters_affected=352,
    )  # fmt: skip
    case.after(15, Act.VERIFY, "duty-kh0601", verification=Verification.VERIFIED, note="កម្លាំងពីរក្រុមបានឃើញផ្ទាល់នៅទីតាំង។")
    _publish(case, 20, 24, area="KH060103", category=CapCategory.MET, expires=_at(25, 15), texts=MOVED_STATION)
    case.after(25, Act.UPDATE, "duty-kh0601", note="ទូកកំពុងដឹកសម្ភារៈទៅសាលាវត្ត។")
    case.after(140, Act.CONTAIN, "duty-kh0601", note="អ្នកបោះឆ្នោតដំបូងបានបោះឆ្នោតនៅទីតាំងថ្មី។", minutes_stopped=100)
    case.after(
        400, Act.RESOLVE, "province-kh06", outcome=Outcome.HAZARD_REMOVED, verification=Verification.VERIFIED,
        note="ការបោះឆ្នោតនៅទីតាំងថ្មីបានបញ្ចប់នៅម៉ោង 15:00 ដូចគ្រប់កន្លែង។",
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
        severity=Severity.HIGH, title="ពាក្យគំរាមដល់គ្រួសារមួយអំពីការបោះឆ្នោត", concerned=("KH9901",), concerned_civil=True,
        actor_type=ActorType.CIVIL_AUTHORITY, target_type=TargetType.VOTER, means=Means.VERBAL,
        narrative="មានគេប្រាប់គ្រួសារមួយថា នឹងលែងឱ្យប្រើដីទៀត បើបោះឆ្នោតខុសពីការចង់បាន។",
    )  # fmt: skip
    case.after(
        2, Act.RECORD_PERSON, "liaison-ngo", role=PersonRole.VICTIM,
        identity={"contact": "តាមការិយាល័យទំនាក់ទំនងតែប៉ុណ្ណោះ", "notes": "គ្រួសារមិនចង់ឱ្យទូរសព្ទមកទេ។"},
    )  # fmt: skip
    case.after(25, Act.ACKNOWLEDGE, "integrity-99", note="")
    case.after(90, Act.UPDATE, "integrity-99", note="បានជួបនិយាយជាលើកដំបូងនៅក្រៅភូមិ។")
    case.after(2880, Act.WITHDRAW, "liaison-ngo", reason="លែងមានសុវត្ថិភាពក្នុងការបន្ត។")
    return case.countersign(4300, "nec-integrity", note="បានទាក់ទងគ្រួសារវិញដោយសុវត្ថិភាព ហើយគ្រួសារបញ្ជាក់ការស្នើសុំនេះ។")


def silent_district(stage: Stage) -> Case:
    """S5: the district does not answer; the province holds the case from minute 10, though the worker was dead."""
    case = _case(
        stage, _at(25, 9), by="officer-9902", place="KH990202", category="PRC-04", severity=Severity.HIGH,
        title="អ្នកបោះឆ្នោតជាប់នៅខ្លោងទ្វារ", voters_affected=60, stations_affected=1, target_type=TargetType.VOTER,
        narrative="អ្នកបោះឆ្នោតប្រហែល ៦០ នាក់ជាប់នៅខ្លោងទ្វារបិទ តាមផ្លូវទៅការិយាល័យបោះឆ្នោត។",
    )  # fmt: skip
    case.take(16)
    case.after(20, Act.UPDATE, "duty-9902", note="ស្រុកបានអានរបាយការណ៍នេះហើយ។")
    case.after(25, Act.UPDATE, "province-99", note="កម្លាំងខេត្តបានទៅដល់ខ្លោងទ្វារ។")
    _assign(case, 28, "officer-9902", "province-99")
    case.after(95, Act.CONTAIN, "province-99", note="ខ្លោងទ្វារបានបើក អ្នកទាំងអស់កំពុងបន្តដំណើរ។", minutes_stopped=90)
    _settle(case, 400, outcome=Outcome.WARNED, classification=Classification.ELECTORAL)
    return case


def rally_brawl(stage: Stage) -> Case:
    """S6: seven reports of one brawl; joined, counted once, and critical when a machete is reported."""
    t0 = _at(17, 15)
    words = [
        (0, "officer-9903", "CAM-03", "អ្នកគាំទ្រពីរក្រុមកំពុងប្រកែកគ្នានៅកន្លែងក្បួនដង្ហែជួបគ្នា។"),
        (3, "duty-9903", "ORD-01", "មានការវាយគ្នានៅផ្លូវបំបែកក្បែរផ្សារ។"),
        (6, "liaison-party", "CAM-03", "អ្នកក្នុងក្បួនដង្ហែត្រូវគេច្រាន និងវាយនៅផ្លូវបំបែក។"),
        (8, "officer-9903", "CRM-02", "មនុស្សម្នាក់កំពុងហូរឈាម ក្រោយត្រូវគេវាយនឹងដំបង។"),
        (11, "liaison-ngo", "CAM-03", "អ្នកសង្កេតការណ៍ឃើញមនុស្សប្រហែល ២០ នាក់កំពុងវាយគ្នានៅផ្លូវបំបែក។"),
        (14, "province-99", "ORD-01", "ប្រជាពលរដ្ឋទូរសព្ទមកគណៈបញ្ជាការខេត្តថា មានមនុស្សច្រើនកំពុងវាយគ្នានៅផ្សារ។"),
        (18, "officer-9903", "CRM-02", "មានម្នាក់ក្នុងហ្វូងមនុស្សកាន់កាំបិតផ្គាក់។"),
    ]
    cases = [
        _case(
            stage, t0 + dt.timedelta(minutes=minute), by=by, place="KH990302", category=category,
            title="ប្រទូសរ៉ាយនៅពេលដង្ហែឃោសនា",
            channel=Channel.LIAISON if by.startswith("liaison") else Channel.BROWSER, narrative=text,
            actor_type=ActorType.SUPPORTER, target_type=TargetType.SUPPORTER, severity=Severity.MEDIUM,
            means=Means.BLADE if "កាំបិត" in text else Means.HANDS,
            injured=1 if "ហូរឈាម" in text else 0,
        )
        for minute, by, category, text in words
    ]  # fmt: skip
    first = cases[0]
    first.after(5, Act.ACKNOWLEDGE, "duty-9903", note="")
    first.after(
        18.5, Act.RAISE_SEVERITY, "officer-9903", "duty-9903", severity=Severity.CRITICAL, reason="មានគេឃើញកាំបិតផ្គាក់។"
    )
    first.after(12, Act.UPDATE, "duty-9903", note="កម្លាំងបានទៅដល់ផ្លូវបំបែក។")
    first.take(22)
    for number, case in enumerate(cases[1:]):
        case.after(26 - (case.t0 - t0).seconds / 60 + number, Act.MERGE, "province-99", "psc-watch", survivor=first.key)
    _assign(first, 40, "officer-9903", "province-99")
    for minute in (45, 150, 260):
        first.after(minute, Act.UPDATE, OWNER, "province-99", note="បានបំបែកក្រុមទាំងពីរ ហើយកំពុងយាមល្បាតតាមផ្លូវ។")
    first.after(300, Act.CONTAIN, OWNER, "province-99", note="ទាំងអស់គ្នាបានត្រឡប់ទៅផ្ទះវិញ។", injured=3)
    first.after(
        310,
        Act.LOWER_SEVERITY,
        OWNER,
        "province-99",
        "psc-watch",
        severity=Severity.HIGH,
        reason="ទាំងអស់គ្នាបានត្រឡប់ទៅផ្ទះ ហើយក្បួនដង្ហែទាំងពីរបានបញ្ចប់។",
    )
    first.after(1110, Act.HAND_BACK, OWNER, "province-99", reason="ស្ងប់ស្ងាត់អស់រយៈពេល ១២ ម៉ោង ស្រុកអាចតាមដានបន្ត។")
    first.take(1130)
    # The machete is for the prosecutor, whom the law sets no time: the case closes once there is an outcome.
    first.refer(1290, ReferralBody.PROSECUTOR, "ស្នក.ខប 31/24", OWNER, "province-99", "psc-watch")
    _settle(first, 1300, outcome=Outcome.REFERRED_PENDING, classification=Classification.ELECTORAL)
    first.after(
        2700, Act.CONCLUDE_REFERRAL, OWNER, "province-99", "psc-watch", "nec-secretariat", referral=1,
        outcome=ReferralOutcome.WARNED, note="",
    )  # fmt: skip
    return first


def rumour(stage: Stage) -> Case:
    """S7: false word that voting is moved to Monday; the PSC takes it over and the NEC corrects it in public."""
    case = _case(
        stage, _at(24, 19), by="liaison-ngo", place="KH120211", channel=Channel.LIAISON, category="INF-02",
        severity=Severity.MEDIUM, title="ពាក្យចចាមអារ៉ាម៖ លើកការបោះឆ្នោតទៅថ្ងៃច័ន្ទ", means=Means.ONLINE,
        target_type=TargetType.VOTER,
        narrative="មានសារផ្ញើតៗគ្នានៅខេត្តជាច្រើន ថាការបោះឆ្នោតត្រូវបានលើកទៅថ្ងៃច័ន្ទ។",
    )  # fmt: skip
    case.after(10, Act.ACKNOWLEDGE, OWNER, note="")
    case.after(
        35,
        Act.VERIFY,
        "nec-secretariat",
        verification=Verification.VERIFIED,
        note="ថ្ងៃបោះឆ្នោតមិនផ្លាស់ប្តូរទេ សារនេះមិនពិត។",
    )
    case.after(37, Act.ESCALATE, "nec-secretariat", to="PSC", reason="សារនេះកំពុងរីករាលដាលនៅខេត្តជាច្រើន។")
    _publish(case, 45, 50, area="KH12", category=CapCategory.OTHER, expires=_at(25, 15), texts=VOTING_AS_PLANNED)
    case.take(52)
    case.after(60, Act.CLASSIFY, "nec-secretariat", classification=Classification.ELECTORAL, reason="effect")
    case.after(70, Act.UPDATE, "psc-watch", note="បានជូនដំណឹងគ្រប់ខេត្ត ហើយស្ថានីយវិទ្យុកំពុងអានការកែតម្រូវ។")
    case.after(300, Act.CONTAIN, "psc-watch", note="ស្ទើរតែគ្មានអ្នកផ្ញើសារនេះតទៅទៀតទេ។")
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
        reason="ជាការរិះគន់។ គ្មានចេតនា គ្មានខ្លឹមសារ និងគ្មានលទ្ធភាពបង្កហិង្សាទេ។",
    )  # fmt: skip
    return case.countersign(240, "nec-second", note="មន្ត្រីច្បាប់យល់ព្រម។")


def escort(stage: Stage) -> Case:
    """S9: an escort of the fictional province joins a convoy in party shirts; the PSC's integrity desk has the case."""
    case = _case(
        stage, _at(18, 8, 30), by="liaison-party", place="KH990301", channel=Channel.LIAISON, category="NEU-01",
        severity=Severity.HIGH, title="កម្លាំងការពារចូលរួមក្បួនដង្ហែ", concerned=("KH99",), actor_type=ActorType.POLICE,
        target_type=TargetType.EVENT,
        narrative="សមាជិកកម្លាំងការពារបានពាក់អាវគណបក្ស ហើយដើរជាមួយក្បួនដង្ហែដែលខ្លួនការពារ។",
    )  # fmt: skip
    _photo(case, 3, "liaison-party")
    case.after(20, Act.ACKNOWLEDGE, OWNER, note="")
    case.after(100, Act.UPDATE, OWNER, note="បានផ្ទៀងផ្ទាត់រូបថតជាមួយបញ្ជីវេនប្រចាំការ។")
    case.after(1000, Act.CONTAIN, OWNER, note="បានប្តូរកម្លាំងការពារនេះចេញ។")
    case.after(
        1440, Act.CLASSIFY, "nec-integrity", "nec-secretariat", classification=Classification.ELECTORAL, reason="actor"
    )
    case.refer(2940, ReferralBody.INSPECTORATE, "អធ 7/24", OWNER)
    case.after(
        3000, Act.RESOLVE, OWNER, outcome=Outcome.REFERRED_PENDING, verification=Verification.VERIFIED,
        note="បានបញ្ជូនទៅអគ្គាធិការដ្ឋាន។",
    )  # fmt: skip
    case.after(4380, Act.CONCLUDE_REFERRAL, OWNER, referral=1, outcome=ReferralOutcome.CONCLUDED, note="")
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
        case.after(minutes - 40, Act.CORRECT, OWNER, fields=correction, reason="បានរាប់ឡើងវិញតាមរូបថត។")
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
        notices.cancel(notice, by=notice.drafted_by, reason="ផ្លូវបានបើកវិញ ហើយការបោះឆ្នោតបានបញ្ចប់។", now=now)


def _photo(case: Case, minutes: float, by: str) -> None:
    upload = SimpleUploadedFile("picture.jpg", picture(), "image/jpeg")
    case.after(minutes, Act.ATTACH, by, upload=upload)
