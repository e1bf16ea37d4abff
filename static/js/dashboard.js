// Renews the figures: every 20 seconds while somebody looks, every 2 minutes while nobody does, slower while the link fails.
// Only parts that changed are put in; an open table stays open; focus stays where it is.

const page = document.querySelector(".dashboard[data-live]");
const LOOKING = 20_000;
const AWAY = 120_000;
const OLD = 120_000;
let tag = "";
let seen = Date.now();
let failures = 0;
let timer = 0;

if (page) {
  plan();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - seen > LOOKING) renew(); });
  window.addEventListener("online", renew);
  setInterval(showAge, 5_000);
}

function plan() {
  clearTimeout(timer);
  const pause = document.hidden ? AWAY : LOOKING * Math.min(2 ** failures, 8);
  timer = setTimeout(renew, pause);
}

async function renew() {
  try {
    const response = await fetch(page.dataset.live, {
      headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin", cache: "no-store",
    });
    if (response.redirected || (!response.ok && response.status !== 304)) throw new Error(String(response.status));
    if (response.status !== 304) {
      tag = response.headers.get("ETag") || "";
      put(new DOMParser().parseFromString(await response.text(), "text/html"));
      document.dispatchEvent(new Event("dashboard:renewed"));
    }
    failures = 0;
    seen = Date.now();
    document.dispatchEvent(new CustomEvent("data:fresh")); // the header says how old the data is
  } catch {
    failures += 1;
  }
  showAge();
  plan();
}

function put(fresh) {
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old || old.contains(document.activeElement)) continue;
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    if (old.innerHTML === part.innerHTML) continue;
    old.replaceChildren(...part.childNodes);
    old.querySelectorAll("details").forEach((details, index) => { details.open = Boolean(open[index]); });
  }
}

function showAge() {
  const stale = page.querySelector(".dash-stale");
  if (stale) stale.hidden = Date.now() - seen < OLD;
}
