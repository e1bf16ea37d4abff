// On every page: reports that wait on this phone are sent when there is a connection, and forgotten at sign-out. What does
// that is loaded only where there is something to send, so a page without waiting reports pays a few lines.
const signOut = document.querySelector("form[data-forget]");
const EVERY = 60_000;
let isTold = false;

async function someWait() {
  const bases = await indexedDB.databases?.();
  return !bases || bases.some((base) => base.name === "reports");
}

async function sendThem() {
  if (!navigator.onLine || document.hidden || !(await someWait())) return;
  const { sendWaiting } = await import("./report-send.js");
  const { sent, refused, isSignedOut } = await sendWaiting();
  for (const one of sent) say(signOut.dataset.wordsSent.replace("%(reference)s", one.reference), one.url);
  for (const one of refused) say(signOut.dataset.wordsRefused, `${one.page}?draft=${one.id}`);
  if (isSignedOut && !isTold) say(signOut.dataset.wordsSignedOut, signInAddress(), true);
  isTold = isSignedOut;
  if (sent.length || refused.length) document.dispatchEvent(new CustomEvent("kept-changed"));
}

function signInAddress() {
  return `${signOut.dataset.signIn}?next=${encodeURIComponent(window.location.pathname + window.location.search)}`;
}

function say(text, url, stays = false) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const link = document.createElement("a");
  link.className = "btn btn--quiet";
  link.href = url;
  link.textContent = text;
  toast.append(link);
  document.querySelector("[data-toasts]")?.append(toast);
  if (!stays) setTimeout(() => toast.remove(), 12_000);
}

if (signOut && "indexedDB" in window) {
  // The log page sends by itself, and knows which report is being written.
  if (!document.querySelector("form[data-report]")) {
    const quietly = () => sendThem().catch(() => {});
    quietly();
    addEventListener("online", quietly);
    setInterval(quietly, EVERY);
  }
  signOut.addEventListener("submit", async (event) => {
    if (signOut.dataset.forgotten) return;
    event.preventDefault();
    event.stopPropagation();
    try {
      if (await someWait()) {
        const { clear, drafts } = await import("./drafts.js");
        if ((await drafts()).length && !window.confirm(signOut.dataset.ask)) return;
        await clear();
      }
    } catch { /* signing out must work even where the phone keeps nothing */ }
    signOut.dataset.forgotten = "1";
    signOut.requestSubmit();
  });
}
