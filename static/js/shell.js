// The frame of every page: time left and age of the data kept current, menus, dialogs, toasts, forms that say they are busy.
// Everything works without it; this only makes it quicker.
import "./theme.js";
import "./live.js";
import "./report-waiting.js";
import "./watch.js";
import { fill, lengthOfTime, words } from "./time.js";

const STALE = 120_000;
const SOON = 0.25;

// ---- Countdowns ----
function countDown(now) {
  for (const clock of document.querySelectorAll("[data-deadline]")) {
    const deadline = Date.parse(clock.dataset.deadline);
    const start = Date.parse(clock.dataset.start ?? "");
    const left = deadline - now;
    const late = left <= 0;
    const share = Number.isNaN(start) ? (late ? 0 : 1) : Math.min(Math.max(left / (deadline - start), 0), 1);
    clock.classList.toggle("is-late", late);
    clock.classList.toggle("is-soon", !late && (Number.isNaN(start) ? left <= 3_600_000 : share <= SOON));
    const text = late ? fill(words.late, { length: lengthOfTime(-left) }) : lengthOfTime(left);
    const shown = clock.querySelector(".clock__t");
    if (shown && shown.textContent !== text) shown.textContent = text;
    clock.querySelector(".clock__bar rect")?.setAttribute("width", `${Math.round(share * 100)}%`);
  }
}

// ---- Age of the data ----
let freshAt = Date.now();
document.addEventListener("data:fresh", () => { freshAt = Date.now(); showAge(); });
addEventListener("offline", showAge);
addEventListener("online", showAge);

function showAge() {
  const age = Date.now() - freshAt;
  const stale = !navigator.onLine || age > STALE;
  for (const place of document.querySelectorAll("[data-age]")) {
    const ago = age < 5_000 ? words.now : fill(words.ago, { length: lengthOfTime(age) });
    const short = place.dataset.age === "short";
    place.classList.toggle("is-stale", stale);
    if (!navigator.onLine) place.textContent = words.offline;
    else if (stale && !short) place.textContent = `${words.stale} ${lengthOfTime(age)}`;
    else place.textContent = short || !document.querySelector("[data-refresh], [data-live]") ? ago : `${words.fresh} · ${ago}`;
  }
}

// The server's clock rules: a phone set an hour wrong must not show an hour more time.
const served = Date.parse(document.querySelector("[data-age]")?.dataset.at ?? "");
const skew = Number.isNaN(served) ? 0 : served - Date.now();
const offset = Math.abs(skew) > 60_000 ? skew : 0;
function tick() {
  countDown(Date.now() + offset);
  showAge();
}
tick();
setInterval(() => { if (!document.hidden) tick(); }, 5_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });

// ---- Menus: <details class="menu"> closes by Escape and by a press elsewhere ----
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// ---- Dialogs ----
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest?.("[data-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  }
});

// ---- Toasts: what the person just did, for six seconds; hover and focus hold them ----
const area = document.querySelector("[data-toasts]");
for (const note of document.querySelectorAll("[data-toast]")) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const text = document.createElement("span");
  text.className = "grow";
  text.textContent = note.textContent.trim();
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn--quiet";
  close.textContent = words.close;
  close.addEventListener("click", () => toast.remove());
  toast.append(text, close);
  note.remove();
  area?.append(toast);
  let timer = setTimeout(() => toast.remove(), 6_000);
  const hold = () => clearTimeout(timer);
  const release = () => { timer = setTimeout(() => toast.remove(), 6_000); };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}

// ---- Forms: busy after 300 ms, never sent twice by an impatient press ----
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => event.submitter?.classList.add("is-busy"), 300);
  // An answer that is a file leaves this page standing.
  setTimeout(() => release(form), 10_000);
});
// Back from the page cache: the form may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) release(form);
});

function release(form) {
  delete form.dataset.sent;
  form.querySelector(".is-busy")?.classList.remove("is-busy");
}

// ---- Show or hide a password ----
for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    button.querySelector("span").textContent = shown ? words.show : words.hide;
  });
}
