"""The words of a case: five separate axes (state, verification, classification, severity, owner) and the acts upon it.

One vocabulary for database, API, pages and documents. Nothing here touches the database.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """What is being done. `draft` is before the record exists for anybody but its author."""

    DRAFT = "draft", pgettext_lazy("state", "Draft")
    REPORTED = "reported", _("Reported")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    RESPONDING = "responding", _("Responding")
    CONTAINED = "contained", _("Contained")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Joined to another case")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    NOT_AN_INCIDENT = "not_an_incident", _("Not an incident")


#: States with running clocks. The order is that of the six-step bar of the pages, RESOLVED and CLOSED following.
OPEN = (State.REPORTED, State.ACKNOWLEDGED, State.RESPONDING, State.CONTAINED)
MAIN_STATES = (*OPEN, State.RESOLVED, State.CLOSED)


class Severity(models.TextChoices):
    CRITICAL = "critical", pgettext_lazy("severity", "Critical")
    HIGH = "high", pgettext_lazy("severity", "High")
    MEDIUM = "medium", pgettext_lazy("severity", "Medium")
    LOW = "low", pgettext_lazy("severity", "Low")
    UNRATED = "unrated", _("Not rated")


#: Order of seriousness; UNRATED (alleged incitement before its worksheet) stands below all.
SEVERITY_ORDER = {Severity.UNRATED: 0, Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3, Severity.CRITICAL: 4}


class Verification(models.TextChoices):
    """Is it true: kept apart from what is being done about it."""

    UNVERIFIED = "unverified", _("Unverified")
    PARTIAL = "partially_corroborated", _("Partly corroborated")
    VERIFIED = "verified", _("Verified")
    REFUTED = "refuted", _("Refuted")
    UNVERIFIABLE = "unverifiable", _("Cannot be verified")


class Classification(models.TextChoices):
    """What NEC says it is; police may only propose."""

    UNDETERMINED = "undetermined", _("Undetermined")
    ELECTORAL = "electoral", _("Electoral")
    ORDINARY = "ordinary", _("Ordinary")
    HAZARD = "hazard", _("Hazard affecting the election")


class Nature(models.TextChoices):
    """What a category is by default: E, N and H of the taxonomy."""

    ELECTORAL = "electoral", _("Electoral by nature")
    ORDINARY = "ordinary", _("Ordinary unless NEC finds a link")
    HAZARD = "hazard", _("Hazard")


class Act(models.TextChoices):
    """Everything that can be done to a case, by a person or by the engine; one journal entry each."""

    REPORT = "report", _("Reported")
    ACKNOWLEDGE = "acknowledge", _("Acknowledged")
    ACCEPT = "accept", _("Accepted")
    SEEN = "seen", _("Seen by a lower command")
    UPDATE = "update", _("Update")
    ASSIGN = "assign", _("Assigned")
    RAISE_SEVERITY = "raise_severity", _("Severity raised")
    LOWER_SEVERITY = "lower_severity", _("Severity lowered")
    ESCALATE = "escalate", _("Escalated")
    HAND_BACK = "hand_back", _("Handed back")
    CONTAIN = "contain", _("Contained")
    FLARE_UP = "flare_up", _("Flared up again")
    RESOLVE = "resolve", _("Resolved")
    CLOSE = "close", _("Closed")
    REOPEN = "reopen", _("Reopened")
    VERIFY = "verify", _("Verification set")
    PROPOSE = "propose", _("Classification proposed")
    CLASSIFY = "classify", _("Classified")
    CORRECT = "correct", _("Corrected")
    ATTACH = "attach", _("File added")
    MERGE = "merge", _("Joined to another case")
    UNMERGE = "unmerge", _("Taken apart again")
    WITHDRAW = "withdraw", _("Withdrawn")
    DISMISS = "dismiss", _("Found not to be an incident")
    COUNTERSIGN = "countersign", _("Countersigned")
    DECLINE = "decline", _("Request declined")
    RELOCATE_STATION = "relocate_station", _("Station relocated")
    RECORD_PERSON = "record_person", _("Protected identity recorded")
    GRANT_IDENTITY = "grant_identity", _("Access to identities granted")
    OPEN_IDENTITY = "open_identity", _("Protected identities opened")
    DRAFT_NOTICE = "draft_notice", _("Public notice drafted")
    ISSUE_NOTICE = "issue_notice", _("Public notice issued")
    CANCEL_NOTICE = "cancel_notice", _("Public notice cancelled")
    SNOOZE = "snooze", _("Deadlines paused")
    WAKE = "wake", _("Pause ended")
    REFER = "refer", _("Referred to a legal body")
    CONCLUDE_REFERRAL = "conclude_referral", _("Referral concluded")
    REBASE = "rebase", _("Moved to another policy")
    # By the engine, with no person.
    WARN = "warn", _("Deadline near")
    AUTO_ESCALATE = "auto_escalate", _("Escalated by rule")
    INFORM = "inform", _("Next command told by rule")
    SKIP = "skip", _("Command left out by rule")
    RESUME = "resume", _("Deadlines run again")
    RETIME = "retime", _("Deadlines of the new phase")
    # Not about one case.
    EXPORT = "export", _("Rows exported")
    ACCOUNT = "account", _("Account or posting changed")
    POLICY = "policy", _("Escalation policy published")
    DUTY = "duty", _("Duty or delegation changed")
    DRILL = "drill", _("Drill")
    ENGINE = "engine", _("Escalation engine")


class Channel(models.TextChoices):
    """Through which door an act came."""

    BROWSER = "browser", _("browser")
    API = "api", _("API")
    PHONE = "phone", _("phone to desk")
    RADIO = "radio", _("radio")
    SMS = "sms", _("SMS")
    LINK = "link", _("link in a message")
    LIAISON = "liaison", _("liaison")
    IMPORT = "import", _("import")
    ENGINE = "engine", _("by rule")


class TimePrecision(models.TextChoices):
    """How exact the time of occurrence is."""

    MINUTES = "minutes", _("Within 15 minutes")
    HOUR = "hour", _("Within an hour")
    HALF_DAY = "half_day", _("Within half a day")
    DAY = "day", _("That day")


class PointPrecision(models.TextChoices):
    """How exact the point on the map is."""

    EXACT = "exact", _("within 100 m")
    NEAR = "near", _("within 1 km")
    AREA = "area", _("somewhere in the commune")


class ClockKind(models.TextChoices):
    ACKNOWLEDGE = "acknowledge", _("acknowledge")
    ACCEPT = "accept", _("accept")
    FIRST_UPDATE = "first_update", _("first update")
    UPDATE = "update", _("next update")
    CONTAIN = "contain", _("contain")
    RESOLVE = "resolve", _("resolve")
    REVIEW = "review", _("review")
    VERIFY = "verify", _("verify")
    LEGAL = "legal", _("legal deadline")
    SNOOZE = "snooze", _("end of the pause")


class Deed(models.TextChoices):
    """What a step of a policy does when its time has come."""

    WARN = "warn", _("warn the owner")
    TELL = "tell", _("tell the next command")
    MOVE = "move", _("move the case up")


class ReferralBody(models.TextChoices):
    """Who decides on a matter that a case was referred to (domain 4.5)."""

    PROSECUTOR = "prosecutor", _("Prosecutor")
    COURT = "court", _("Court")
    CEC = "cec", _("Commune election commission")
    PEC = "pec", _("Provincial election commission")
    NEC = "nec", _("National Election Committee")
    CONSTITUTIONAL_COUNCIL = "council", _("Constitutional Council")
    ANTI_CORRUPTION = "anti_corruption", _("Anti-corruption unit")
    INSPECTORATE = "inspectorate", _("Inspectorate")
    DEMINING = "demining", _("Demining authority")
    DISASTER = "disaster", _("Disaster management")


class ReferralOutcome(models.TextChoices):
    NO_OFFENCE = "no_offence", _("No offence found")
    SETTLED = "settled", _("Settled")
    WARNED = "warned", _("Warned")
    UPHELD = "upheld", _("Complaint upheld")
    REJECTED = "rejected", _("Complaint rejected")
    CONCLUDED = "concluded", _("Concluded")
    NOT_ESTABLISHED = "not_established", _("Could not be established")
    HAZARD_REMOVED = "hazard_removed", _("Hazard removed")
    HANDED_OVER = "handed_over", _("Handed over to another body")
    MISTAKE = "mistake", _("Recorded by mistake")


class ActorType(models.TextChoices):
    UNKNOWN = "unknown", _("Unknown")
    CITIZEN = "citizen", _("Voter or citizen")
    SUPPORTER = "supporter", _("Party supporter")
    CANDIDATE = "candidate", _("Candidate or party officer")
    ELECTION_OFFICIAL = "election_official", _("Election official")
    CIVIL_AUTHORITY = "civil_authority", _("Civil authority")
    POLICE = "police", _("Police")
    GENDARMERIE = "gendarmerie", _("Gendarmerie")
    ARMED_FORCES = "armed_forces", _("Armed forces")
    OTHER_ARMED = "other_armed", _("Other armed person")
    CRIMINAL_GROUP = "criminal_group", _("Criminal group")
    NATURAL = "natural", _("Natural cause")
    NONE = "none", _("None")


class TargetType(models.TextChoices):
    VOTER = "voter", _("Voter")
    CANDIDATE = "candidate", _("Candidate")
    SUPPORTER = "supporter", _("Supporter")
    ELECTION_OFFICIAL = "election_official", _("Election official")
    OBSERVER = "observer", _("Observer")
    JOURNALIST = "journalist", _("Journalist")
    PUBLIC = "public", _("The public")
    FORCE_MEMBER = "force_member", _("Member of the forces")
    PUBLIC_PROPERTY = "public_property", _("Public property")
    PARTY_PROPERTY = "party_property", _("Party property")
    ELECTION_SITE = "election_site", _("Election site")
    ELECTION_MATERIAL = "election_material", _("Election material")
    EVENT = "event", _("Event")
    SYSTEM = "system", _("Computer system")


class Means(models.TextChoices):
    NONE = "none", pgettext_lazy("means", "None")
    VERBAL = "verbal", _("Words")
    ONLINE = "online", _("Online")
    HANDS = "hands", _("Hands")
    OBJECT = "object", _("Object")
    BLADE = "blade", _("Blade")
    FIREARM = "firearm", _("Firearm")
    EXPLOSIVE = "explosive", _("Explosive")
    VEHICLE = "vehicle", _("Vehicle")
    FIRE = "fire", _("Fire")


class Outcome(models.TextChoices):
    """How a case ended, in words that judge nobody."""

    SETTLED = "settled", _("Settled")
    WARNED = "warned", _("Warned")
    NO_OFFENCE = "no_offence", _("No offence found")
    REFERRED_PENDING = "referred_pending", _("Referred, pending")
    REFERRED_CONCLUDED = "referred_concluded", _("Referred, concluded")
    NOT_ESTABLISHED = "not_established", _("Could not be established")
    HAZARD_REMOVED = "hazard_removed", _("Hazard removed")


class DismissReason(models.TextChoices):
    TEST = "test", _("A test")
    OUT_OF_SCOPE = "out_of_scope", _("Out of scope")
    LAWFUL = "lawful", _("Lawful activity")
    REFUTED = "refuted", _("Refuted")


class PersonRole(models.TextChoices):
    VICTIM = "victim", _("Person harmed")
    WITNESS = "witness", _("Witness")
    REPORTER = "reporter", _("Person who told us")
