"""The sender: leases what is due, sends it outside any transaction, marks what became of it.

At least once: a crash after sending and before marking sends again, with the same Message-ID or idempotency key. Each
channel goes its own way: threads do the network alone, this thread does the database alone, and a channel that hangs
holds up no other. Time limits are below the lease, so that nothing is sent twice because it took long.
"""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import translation

from incidents import identities
from incidents.delivery import breaker, claims, codes, links, messages, validity, webhooks
from incidents.delivery.breaker import Gate
from incidents.delivery.channels import Fault, Lane, Message, Refused, Unreachable, lane_for
from incidents.delivery.digests import bundles, token_of
from incidents.delivery.notices import configured
from incidents.models import Notice, NoticeChannel

#: Notices leased at once for a channel, and the connections that share them.
BATCH = 120
LANES = {NoticeChannel.EMAIL: 4, NoticeChannel.SMS: 4, NoticeChannel.CHAT: 4}
#: Webhooks have connections of their own, however many there are: those that took their last message, and those that
#: did not, so that systems which hang wait for each other.
HOOK_LANES = {False: 4, True: 2}
#: Sends are begun for so long in one call; the last then has its own time limit (channels.SEND_SECONDS).
BEGIN_SECONDS = 40.0
#: A library that hangs beyond every limit is left behind; the lease of what it holds runs out later.
LEAVE_SECONDS = 60.0
#: How often a channel with nothing to do looks again while another one is still busy.
LOOK_SECONDS = 1.0
#: What came back within so long is marked together: one statement, where each by itself halves the pace.
TOGETHER_SECONDS = 0.1

#: One call a process: the others would wait for the same servers in the threads that escalation needs.
_one_at_a_time = threading.Lock()


@dataclass
class Sent:
    """What one call did, in notices."""

    sent: int = 0
    failed: int = 0
    obsolete: int = 0
    dead: int = 0
    held: int = 0


@dataclass
class Job:
    """One message and the notices it tells; its first carries the others."""

    message: Message
    notices: list[Notice]
    #: None went out, or why not. `skipped`: not tried, because the channel had failed or the call's time was over;
    #: `waits`: not tried, because its webhook had just failed.
    fault: Fault | None = None
    skipped: bool = False
    waits: bool = False
    #: Its send was begun, and it was heard of again.
    begun: bool = False
    settled: bool = False


@dataclass
class _Channel:
    """One channel in one call."""

    name: str
    #: Of webhooks: those that did not take a message before.
    is_late: bool = False
    busy: int = 0
    look_at: float = 0.0
    #: Failures in a row over all lanes; written by their threads, so only under the lock.
    failures: int = 0
    failed_at_start: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_hooks(self) -> bool:
        return self.name == NoticeChannel.WEBHOOK

    def is_shut(self) -> bool:
        return self.failures >= breaker.FAILURES

    def note(self, fault: Fault | None) -> None:
        with self.lock:
            self.failures = self.failures + 1 if isinstance(fault, Unreachable) else 0


def deliver(now: dt.datetime, limit: int = 5_000, seconds: float = BEGIN_SECONDS) -> Sent:
    """Send what is due, at most about `limit` notices; safe beside any number of other senders."""
    result = Sent()
    if _one_at_a_time.acquire(blocking=False):
        try:
            _Call(now, limit, seconds, result).run()
        finally:
            _one_at_a_time.release()
    return result


class _Call:
    def __init__(self, now: dt.datetime, limit: int, seconds: float, result: Sent) -> None:
        self._now, self._begun = now, time.monotonic()
        self._left, self._stop_at = limit, self._begun + seconds
        self._result = result
        works = [channel for channel, is_set in configured().items() if is_set]
        hooks = [_Channel(NoticeChannel.WEBHOOK, is_late) for is_late in HOOK_LANES]
        self._channels = [*(_Channel(name) for name in works), *hooks]
        #: Begun so early on webhooks that their time limits are over before nothing more is begun elsewhere.
        self._hooks_stop_at = self._begun + max(seconds - 2 * settings.GATEWAY_TIMEOUT, seconds / 2)
        #: What was handed to webhooks.
        self._for_hooks: list[Job] = []
        #: By channel: until when it is known to have worked, so that not every message says it again.
        self._well_until: dict[str, float] = {}
        self._done: queue.Queue[tuple[_Channel, Job | None]] = queue.Queue()
        self._threads = ThreadPoolExecutor(max_workers=sum(LANES.values()), thread_name_prefix="deliver")
        self._hook_threads = {
            is_late: ThreadPoolExecutor(max_workers=width, thread_name_prefix="webhooks")
            for is_late, width in HOOK_LANES.items()
        }

    def now(self) -> dt.datetime:
        """The moment the call was given, and the time it took since."""
        return self._now + dt.timedelta(seconds=time.monotonic() - self._begun)

    def run(self) -> None:
        try:
            while True:
                for channel in self._channels:
                    self._begin(channel)
                if self._is_over():
                    break
                self._settle()
        finally:
            for threads in (self._threads, *self._hook_threads.values()):
                threads.shutdown(wait=False, cancel_futures=True)
        self._leave_hooks()

    def _leave_hooks(self) -> None:
        """Of webhooks left behind, what was begun counts as not answered, and what was not is free for the next call.

        Leased on, the messages of systems that work would wait with those of the ones that hang.
        """
        self._settle(wait=0.0)
        left = [job for job in self._for_hooks if not job.settled]
        for job in left:
            job.skipped = not job.begun
            job.fault = Unreachable("no answer in time") if job.begun else None
        self._mark(left)

    def _is_over(self) -> bool:
        """Nothing is under way, or it hangs beyond every limit; webhooks alone are not waited for any longer."""
        moment = time.monotonic()
        busy = [channel for channel in self._channels if channel.busy]
        if all(channel.is_hooks for channel in busy):
            return not busy or moment > self._stop_at
        return moment > self._stop_at + LEAVE_SECONDS

    def _ends(self, channel: _Channel) -> float:
        """Until when sends are begun on it."""
        return self._hooks_stop_at if channel.is_hooks else self._stop_at

    # ---- Out ----

    def _begin(self, channel: _Channel) -> None:
        """Lease what is due on an idle channel and hand it to its lanes; again while all of it was not to be sent."""
        moment = time.monotonic()
        if channel.busy or moment < channel.look_at or moment > self._ends(channel):
            return
        # Asked once: a probe is given once a minute, and must not be used up by messages that nobody needs any more.
        opening = Gate.CLOSED if channel.is_hooks else breaker.gate(channel.name, self.now())
        while self._left > 0 and opening != Gate.OPEN and time.monotonic() <= self._ends(channel):
            most = 1 if opening == Gate.PROBE else min(BATCH, self._left)
            if channel.is_hooks:
                leased = claims.claim_for_hooks(self.now(), most, is_late=channel.is_late)
            else:
                leased = claims.claim(channel.name, self.now(), most)
            if not leased:
                break
            self._left -= len(leased)
            jobs = self._jobs(leased, is_probe=opening == Gate.PROBE)
            if jobs:
                self._start(channel, jobs)
                return
        channel.look_at = moment + LOOK_SECONDS

    def _jobs(self, leased: list[Notice], *, is_probe: bool) -> list[Job]:
        """Messages of what may go out now; what may not is marked at once."""
        now = self.now()
        if not is_probe:
            # All that waits for an address which is told several things, so that it is told once.
            leased = leased + claims.claim_rest(leased, now)
        verdict = validity.judge(leased, now)
        self._result.obsolete += claims.drop(verdict.drop)
        for until, waiting in verdict.wait.items():
            self._result.held += claims.hold(waiting, until)
        jobs = []
        for bundle in bundles(verdict.send):
            try:
                jobs.append(Job(_message(bundle, now), bundle))
            except Exception as fault:  # one notice that cannot be put into words stops no other
                broken = Job(Message(bundle[0].pk, bundle[0].channel, "", "", "", ""), bundle)
                broken.fault = Refused(f"{type(fault).__name__}: {fault}")
                self._mark([broken])
        return jobs

    def _start(self, channel: _Channel, jobs: Sequence[Job]) -> None:
        lanes: dict[int, list[Job]] = defaultdict(list)
        width = 1 if channel.is_hooks else LANES[NoticeChannel(channel.name)]
        threads = self._hook_threads[channel.is_late] if channel.is_hooks else self._threads
        for number, job in enumerate(jobs):
            # One lane a webhook: where its system is down, its other messages are not tried.
            lanes[job.message.hook or -1 - number % width].append(job)
        if channel.is_hooks:
            self._for_hooks += jobs
        for mine in lanes.values():
            channel.busy += 1
            threads.submit(self._drive, channel, mine)

    def _drive(self, channel: _Channel, jobs: Sequence[Job]) -> None:
        """In a thread of its own: no database here."""
        lane: Lane = _HookLane(self.now) if channel.is_hooks else lane_for(channel.name)
        down = False
        try:
            for job in jobs:
                if down or channel.is_shut() or time.monotonic() > self._ends(channel):
                    job.skipped, job.waits = True, down
                else:
                    job.begun = True
                    try:
                        lane.send(job.message)
                    except Fault as fault:
                        job.fault = fault
                    except Exception as fault:  # whatever a library raises, the notice must not stay leased
                        job.fault = Unreachable(f"{type(fault).__name__}: {fault}")
                    if channel.is_hooks:
                        down = job.fault is not None
                    else:
                        channel.note(job.fault)
                self._done.put((channel, job))
        finally:
            lane.close()
            self._done.put((channel, None))

    # ---- Back ----

    def _settle(self, wait: float = LOOK_SECONDS) -> None:
        """Mark what the lanes have done since; waits so long for the first, and a little for those that follow it."""
        done: dict[str, list[Job]] = defaultdict(list)
        try:
            item = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            until = time.monotonic() + TOGETHER_SECONDS
            while True:
                channel, job = item
                if job is None:
                    channel.busy -= 1
                else:
                    job.settled = True
                    done[channel.name].append(job)
                item = self._done.get(timeout=max(until - time.monotonic(), 0.001))
        except queue.Empty:
            pass
        for name, jobs in done.items():
            self._mark(jobs)
            if name != NoticeChannel.WEBHOOK:
                self._tell_breaker(name, jobs)

    def _mark(self, jobs: Sequence[Job]) -> None:
        now = self.now()
        went = [j for j in jobs if j.fault is None and not j.skipped]
        self._result.sent += claims.sent([j.notices for j in went], now)
        claims.release([n for j in jobs if j.skipped and not j.waits for n in j.notices])
        for job in jobs:
            if job.waits:
                # Its system did not answer another message just now.
                claims.hold(job.notices, now + claims.pause(job.notices[0].attempts))
        for job in jobs:
            if job.fault is not None:
                failed, dead = claims.failed(job.notices, job.fault, now)
                self._result.failed += failed
                self._result.dead += dead

    def _tell_breaker(self, name: str, jobs: Sequence[Job]) -> None:
        row: list[Job] = []
        worked = False
        for job in jobs:
            if isinstance(job.fault, Unreachable):
                row.append(job)
            elif not job.skipped:
                # An answer about one message is an answer.
                row, worked = [], True
        if worked and (row or time.monotonic() > self._well_until.get(name, 0.0)):
            breaker.succeeded(name, self.now())
            self._well_until[name] = time.monotonic() + LOOK_SECONDS
        if row:
            self._well_until.pop(name, None)
            breaker.failed(name, self.now(), str(row[-1].fault), len(row))


class _HookLane:
    """POSTs to one webhook."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now

    def send(self, message: Message) -> None:
        timeout = float(settings.GATEWAY_TIMEOUT)
        webhooks.post(message.to, message.secret, message.token, message.body, self._now(), timeout)

    def close(self) -> None:
        """Nothing stays open."""


def _message(bundle: Sequence[Notice], now: dt.datetime) -> Message:
    """The words of one message, in the language of who gets it."""
    first = bundle[0]
    token = token_of(bundle)
    if first.webhook is not None:
        hook = first.webhook
        secret = identities.open_text(hook.sealed_secret)
        return Message(first.pk, first.channel, hook.url, "", webhooks.payload(first), token[1:-1], hook.pk, secret)
    assert first.recipient is not None  # noqa: S101  a row of an address is for a person
    assert first.contact is not None  # noqa: S101
    with translation.override(first.recipient.language):
        if first.incident_id is None or any(n.incident_id != first.incident_id for n in bundle):
            together = len(bundle) > 1
            subject, body = messages.digest(bundle, now) if together else messages.written(first, now)
        else:
            main, link, code = _main(bundle, now)
            subject, body = messages.of_one_case(bundle, main, now, link, code)
    return Message(first.pk, first.channel, first.contact.address, subject, body, token)


def _main(bundle: Sequence[Notice], now: dt.datetime) -> tuple[Notice, str, str]:
    """Of several notices of one case the latest that can be answered, else the latest; and how it is answered."""
    for notice in reversed(bundle):
        link, code = _answers(notice, now)
        if link:
            return notice, link, code
    return bundle[-1], "", ""


def _answers(notice: Notice, now: dt.datetime) -> tuple[str, str]:
    """Link and code with which the message can be answered, or nothing."""
    case, person = notice.incident, notice.recipient
    if case is None or person is None or notice.kind not in validity.ASKING or not validity.may_answer(notice):
        return "", ""
    return links.link_to(case.pk, person.pk, notice.entry.version, now), codes.issue(case, person, now)
