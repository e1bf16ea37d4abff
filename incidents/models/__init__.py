"""The models of the incidents app, by subject."""

from incidents.models.clocks import (
    LIVE,
    STANDING,
    Clock,
    ClockState,
    EngineRun,
    EngineState,
    Escalation,
    EscalationKind,
    Outage,
    Quarantine,
)
from incidents.models.delivery import AckCode, ChannelState, Notice, NoticeChannel, NoticeStatus, Webhook
from incidents.models.drill import Drill, DrillCall
from incidents.models.evidence import Attachment
from incidents.models.incident import (
    ConflictSubject,
    Custody,
    IdentityGrant,
    Incident,
    ProtectedPerson,
    ReferenceCounter,
    StationChange,
)
from incidents.models.journal import Block, Entry
from incidents.models.notices import CapCategory, PublicNotice, PublicNoticeState
from incidents.models.policy import LegalDeadline, Policy, PolicyStep, ResponseTarget
from incidents.models.referral import Referral
from incidents.models.tally import DayTally, Tally
from incidents.models.taxonomy import Category

__all__ = [
    "LIVE",
    "STANDING",
    "AckCode",
    "Attachment",
    "Block",
    "CapCategory",
    "Category",
    "ChannelState",
    "Clock",
    "ClockState",
    "ConflictSubject",
    "Custody",
    "DayTally",
    "Drill",
    "DrillCall",
    "EngineRun",
    "EngineState",
    "Entry",
    "Escalation",
    "EscalationKind",
    "IdentityGrant",
    "Incident",
    "LegalDeadline",
    "Notice",
    "NoticeChannel",
    "NoticeStatus",
    "Outage",
    "Policy",
    "PolicyStep",
    "ProtectedPerson",
    "PublicNotice",
    "PublicNoticeState",
    "Quarantine",
    "ReferenceCounter",
    "Referral",
    "ResponseTarget",
    "StationChange",
    "Tally",
    "Webhook",
]
