// Pages that stay open learn that the engine is late: the bar is looked for once a minute. While it stands, the page does
// the engine's round, a small one every quarter of a minute, by the same form that the button of the bar sends. Any number
// of pages may: the server does one at a time.
const LOOK = 60_000;
const place = document.querySelector("[data-engine-bar]");
let busy = false;

const form = () => place.querySelector("form[data-engine-tick]");

async function look({ isChanged = false } = {}) {
  if (document.hidden || !navigator.onLine || place.contains(document.activeElement)) return;
  const here = encodeURIComponent(location.pathname + location.search);
  const response = await fetch(`${place.dataset.engineBar}?from=${here}`, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok || response.redirected) return;
  const bar = (await response.text()).trim();
  // Put in only where it comes, goes or counts anew: a bar renewed for nothing would be read aloud again.
  if (isChanged || Boolean(bar) !== Boolean(place.children.length)) place.innerHTML = bar;
}

async function round() {
  const asked = form();
  if (!asked || busy || document.hidden || !navigator.onLine) return;
  busy = true;
  try {
    const response = await fetch(asked.action, {
      method: "POST", body: new FormData(asked), credentials: "same-origin", headers: { Accept: "application/json" },
    });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const answer = await response.json();
    if (answer.moved || answer.state === "ok") await look({ isChanged: answer.moved > 0 });
    const did = place.querySelector("[data-engine-did]");
    if (did && answer.moved) did.textContent = answer.text;
  } finally {
    busy = false;
  }
}

if (place) {
  // A look or a round that fails is repeated by the next one; the bar stands meanwhile.
  setInterval(() => look().catch(() => {}), LOOK);
  setInterval(() => round().catch(() => {}), 15_000);
  setTimeout(() => round().catch(() => {}), 1_500);
}
