// While the bar says that the engine is late, this page does its round: a small bounded one every quarter of a minute, by
// the same form that its button sends. Any number of pages may: the server does one at a time.
const form = document.querySelector("form[data-engine-tick]");

if (form) {
  const bar = form.closest("[data-engine]");
  const did = bar.querySelector("[data-engine-did]");
  let busy = false;

  const round = async () => {
    if (busy || document.hidden || !navigator.onLine) return;
    busy = true;
    try {
      const response = await fetch(form.action, {
        method: "POST", body: new FormData(form), credentials: "same-origin", headers: { Accept: "application/json" },
      });
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const answer = await response.json();
      if (answer.is_run || answer.state === "ok") did.textContent = answer.text;
      if (answer.state === "ok") {
        clearInterval(timer);
        form.hidden = true;
      }
    } catch {
      // The next round tries again; the bar stands meanwhile.
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(round, Number(form.dataset.every) * 1000);
  setTimeout(round, 1500);
}
