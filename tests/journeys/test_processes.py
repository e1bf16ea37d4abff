"""The processes of docker-compose.yml find each other, and say so when one of them is gone."""

from __future__ import annotations

import re
import signal

from tests.journeys.system import System, ask, eventually


def test_everything_is_up_and_says_so(system: System) -> None:
    assert system.health("healthz").body == "ok\n"
    assert system.health("readyz").body == {"ready": True, "database": "ok", "migrations": "ok", "broker": "ok"}
    pulse = eventually(lambda: (answer := system.health("health/engine")).status == 200 and answer)
    assert pulse.body["state"] == "ok"
    assert "election_security_clocks_overdue 0.0" in system.health("metrics").body


def test_the_sign_in_page_comes_in_the_language_of_the_browser_under_a_strict_policy(system: System) -> None:
    page = ask(f"{system.address}/account/sign-in/")
    assert page.status == 200
    assert re.search(r'<html[^>]* lang="km"', page.body)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_system_forgets_nothing_when_every_process_is_killed(system: System) -> None:
    officer = system.person("officer")
    case = officer.report(category="CRM-06", place="KH210801", narrative="A motorbike was taken from the market.")
    for name in list(system.running):
        system.kill(name)
    assert not system.running
    system.start()
    system.wait_until_ready()
    assert officer.case(case)["reference"] == case["reference"]


def test_a_process_stops_quickly_when_asked(system: System) -> None:
    for name in ("beat", "watchdog"):
        system.kill(name, signal.SIGTERM)
        system.start(name)
