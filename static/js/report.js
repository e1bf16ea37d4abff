// The log form with a script: quicker to fill, kept on the phone while it is written, sent when there is a connection.
// Without it the same form works press by press.
import * as kept from "./drafts.js";
import { categories } from "./report-categories.js";
import { missing, namingNumber } from "./report-check.js";
import { files } from "./report-files.js";
import { fill, places } from "./report-places.js";
import { Refused, SignedOut, send, sendWaiting, uuid7 } from "./report-send.js";
import * as tab from "./report-tab.js";

const SAVE_AFTER = 600;
const LOOK_AFTER = 500;
const RETRY_EVERY = 30_000;
const form = document.querySelector("form[data-report]");
const told = form.dataset;
const page = form.closest(".report");
const is = (name) => page.querySelector(`[data-${name}]`);

page.classList.add("has-script");
// The plain page's buttons go altogether: hidden ones would still be what the Enter key presses.
for (const button of form.querySelectorAll("[data-no-script]")) button.remove();
// The draft brings back what was typed; the browser's own memory would also bring back a report that was sent.
form.autocomplete = "off";

let touched = false;
let done = false;
// What the server said of this report the last time, by field; kept with it, for whoever goes on writing later.
let refusal = null;
// A report that waits was opened to be read: until it is changed it goes on waiting, and no draft is made of it.
let waits = false;
let canKeep = "indexedDB" in window;
const renewCategories = categories(form, changed);
const renewPlaces = places(form, changed);
const chosenFiles = files(form, changed);

// ---- Small helps ----

const when = form.querySelector("#when");
when.addEventListener("change", (event) => { if (event.target.name === "when") when.dataset.when = event.target.value; });

for (const stepper of form.querySelectorAll("[data-stepper]")) {
  const [less, more] = stepper.querySelectorAll("button");
  const input = stepper.querySelector("input");
  stepper.classList.add("is-live");
  less.hidden = more.hidden = false;
  const step = (by) => { input.value = String(Math.max(0, (Number.parseInt(input.value, 10) || 0) + by)); changed(); };
  less.addEventListener("click", () => step(-1));
  more.addEventListener("click", () => step(1));
}

const narrative = form.elements.narrative;
narrative.addEventListener("input", () => {
  const length = [...narrative.value].length;
  is("count").textContent = length > 15_000 ? fill(told.textCount, { n: length }) : "";
});
// Said once, when the writer has finished the sentence; the server asks again before it is sent.
for (const field of [narrative, form.elements.title, form.elements.place_note]) {
  field.addEventListener("change", () => {
    const found = namingNumber(field.value);
    if (found && !form.elements.confirmed_writing.checked) showErrors({ confirmed_writing: [fill(told.textNaming, { number: `«${found}»` })] }, false);
    else if (!found) clear("confirmed_writing");
  });
}

// ---- Who is concerned ----

const concern = form.querySelector("#concern");
const concerned = form.querySelector("[data-concerned]");
const unitsShown = form.querySelector("[data-units-shown]");
let unitsOf = null;

async function showUnits() {
  concerned.classList.toggle("is-off", !form.elements.concerns.value);
  if (!form.elements.concerns.value) return;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (["province", "district", "commune", "village"].includes(name)) query.append(name, value);
  if (unitsOf === query.toString()) return;
  for (const box of unitsShown.querySelectorAll(":checked")) query.append("concerned", box.value);
  try {
    const response = await fetch(`${told.units}?${query}`, { credentials: "same-origin" });
    if (!response.ok || response.redirected) return;
    unitsShown.innerHTML = await response.text();
    for (const name of ["concerned"]) query.delete(name);
    unitsOf = query.toString();
  } catch { /* the units on the page stay */ }
}
concern.addEventListener("change", showUnits);
form.addEventListener("placed", () => { unitsOf = null; showUnits(); });
showUnits();

// ---- What is ahead: owner, deadlines, similar cases ----

const ahead = is("ahead");
const CONCERNS_AHEAD = new Set(["category", "severity", "when", "date", "time", "province", "district", "commune", "village", "lat", "lon", "concerns", "concerned", "injured", "killed", "stations_affected", "minutes_stopped"]);
let looked = "";
let looking = null;

async function look() {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) if (CONCERNS_AHEAD.has(name) || name === "id" || name === "time_precision" || name === "point_kept") body.append(name, value);
  const asked = new URLSearchParams(body).toString();
  if (asked === looked || !navigator.onLine) return;
  looking?.abort();
  looking = new AbortController();
  ahead.classList.add("is-old");
  try {
    const { token } = await import("./report-send.js");
    const response = await fetch(told.preview, { method: "POST", body, credentials: "same-origin", signal: looking.signal, headers: { "X-CSRFToken": token() } });
    if (response.ok && !response.redirected) {
      ahead.innerHTML = await response.text();
      looked = asked;
    }
  } catch { /* the report can be sent without it */ } finally {
    ahead.classList.remove("is-old");
  }
}

// ---- Kept on the phone ----

let saving = 0;
let lookingSoon = 0;
function changed() {
  touched = true;
  clearTimeout(saving);
  saving = setTimeout(() => save("draft"), SAVE_AFTER);
  clearTimeout(lookingSoon);
  lookingSoon = setTimeout(look, LOOK_AFTER);
}
const isEdited = (event) => { if (event.isTrusted && (event.type !== "click" || event.target.closest("button"))) waits = false; };
for (const kind of ["input", "change", "click", "submit"]) form.addEventListener(kind, isEdited, true);
form.addEventListener("input", changed);
form.addEventListener("change", changed);

function fields() {
  return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");
}

function title() {
  const chosen = form.querySelector("input[name=category]:checked");
  return [chosen?.closest(".choice").querySelector(".choice__label").textContent.trim(), form.elements.commune.selectedOptions?.[0]?.value ? form.elements.commune.selectedOptions[0].textContent : ""].filter(Boolean).join(", ");
}

function written(state) {
  return {
    id: form.elements.id.value, person: told.person, at: Date.now(), state, title: title(), note: told.textNote,
    errors: state === "draft" ? refusal : null, fields: fields(), files: chosenFiles.get(), address: form.action, page: window.location.pathname,
  };
}

// Whoever signed out a moment ago wanted it forgotten.
const isOver = () => done || Boolean(document.querySelector("form[data-forget]")?.dataset.forgotten);

async function save(state) {
  if (isOver() || !canKeep || waits) return false;
  try {
    await kept.put(written(state));
    return true;
  } catch {
    canKeep = false;
    return false;
  }
}

function restore(one) {
  const values = new Map();
  for (const [name, value] of one.fields) values.set(name, [...(values.get(name) ?? []), value]);
  for (const input of form.elements) {
    if (!input.name || input.type === "file" || input.name === "csrfmiddlewaretoken" || input.dataset.level) continue;
    const had = values.get(input.name) ?? [];
    if (input.type === "radio" || input.type === "checkbox") input.checked = had.includes(input.value) || (input.type === "radio" && input.value === "" && !had.length);
    else if (had.length) input.value = had[0];
  }
  form.elements.id.value = one.id;
  waits = one.state === "waiting";
  if (one.state === "draft" && kept.refusal(one)) {
    refusal = one.errors;
    showErrors(refusal);
  }
  when.dataset.when = form.elements.when.value || "now";
  if (one.files?.length) chosenFiles.set(one.files);
  touched = true;
  renewCategories(true);
  for (const part of form.querySelectorAll("details.report__more")) {
    part.open ||= [...part.querySelectorAll("input, select")].some((input) => input.type === "radio" ? input.checked && input.value : input.type === "checkbox" ? input.checked : input.id === "f-title" && input.value);
  }
  renewPlaces(Object.fromEntries(["province", "district", "commune", "village"].map((level) => [level, values.get(level)?.[0] ?? ""]))).then(() => { showUnits(); look(); });
}

const draftLine = is("draft-found");
async function offerDraft() {
  const here = tab.take(told.person);
  if (here) {
    const before = await kept.get(here.id);
    if (!before) await kept.put(here);
    else if (before.state === "draft") await kept.put({ ...here, files: before.files });
  }
  const wanted = here && tab.isSameWriting() ? here.id : new URLSearchParams(window.location.search).get("draft");
  const all = (await kept.list()).filter((one) => one.state !== "sent");
  const exact = all.find((one) => one.id === wanted);
  if (exact) { restore(exact); return; }
  const last = all.find((one) => one.state === "draft" && one.id !== form.elements.id.value);
  if (!last || touched) return;
  const at = kept.moment(last.at);
  const why = kept.refusal(last);
  is("draft-text").textContent = [fill(told.textFound, { when: at }), last.title, why && fill(told.textRefused, { reasons: why })].filter(Boolean).join(" ");
  if (why) is("draft-open").textContent = told.textMend;
  draftLine.hidden = false;
  is("draft-open").onclick = () => { restore(last); draftLine.hidden = true; };
  is("draft-drop").onclick = async () => { await kept.remove(last.id); draftLine.hidden = true; };
}

const draftButton = is("save-draft");
draftButton.hidden = !canKeep;
draftButton.addEventListener("click", async () => {
  clearTimeout(saving);
  if (!(await save("draft"))) return showErrors({ "": [told.textNotKept] });
  done = true;
  window.location.href = document.querySelector(".brand")?.href ?? "/";
});

// ---- Sending ----

const sendButton = is("send");
const sendText = is("send-text");
const sendWords = sendText.textContent;
const offlineText = is("offline").querySelector("p");
const offlineWords = offlineText.textContent;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  sendButton.classList.add("is-busy");
  clearTimeout(saving);
  refusal = null;
  showErrors({});
  await save("draft");
  try {
    await finish(await send(form.action, fields(), chosenFiles.get()));
  } catch (error) {
    if (error instanceof Refused) await mend(error);
    else if (error instanceof SignedOut) signedOut();
    else if (error instanceof TypeError || !navigator.onLine) await wait();
    else showErrors({ "": [told.textOurs] });
  } finally {
    delete form.dataset.busy;
    sendButton.classList.remove("is-busy");
  }
});

// A page that was sent before gets an id of its own for the other words on it.
async function mend({ errors, id }) {
  const used = form.elements.id.value;
  if (id && id !== used) {
    form.elements.id.value = id;
    await kept.remove(used).catch(() => {});
  }
  refusal = errors;
  await save("draft");
  showErrors(errors);
}

// What is left of a report that is sent is its id, so that this page out of the browser's memory is not sent again.
async function finish(answer) {
  done = true;
  await kept.put({ id: form.elements.id.value, person: told.person, at: Date.now(), state: "sent" }).catch(() => {});
  window.location.href = answer.url;
}

// No connection: kept with the moment it was written, so that "now" stays true, and sent under the same id.
async function wait() {
  const errors = missing(form);
  if (Object.keys(errors).length) return showErrors(errors);
  form.elements.written_at.value = new Date().toISOString();
  if (!(await save("waiting"))) return showErrors({ "": [told.textNotKept] });
  done = true;
  is("offline").hidden = false;
  offlineText.textContent = told.textKept;
  sendButton.disabled = true;
  is("offline").scrollIntoView({ block: "center" });
}

function signedOut() {
  showErrors({ "": [told.textSignedOut] });
  is("error-list").firstChild.replaceChildren(signInLink(told.textSignedOut));
}

function signInLink(text) {
  const href = `${told.signIn}?next=${encodeURIComponent(`${window.location.pathname}?draft=${form.elements.id.value}`)}`;
  return Object.assign(document.createElement("a"), { href, textContent: text });
}

// This page's report waited, and the server will not have it as it is: back to writing, with what is wrong.
function refused({ id, errors }) {
  done = false;
  refusal = errors;
  form.elements.id.value = id;
  sendButton.disabled = false;
  offlineText.textContent = offlineWords;
  connection(false);
  showErrors(errors);
}

async function retry() {
  const answers = await sendWaiting(done ? "" : form.elements.id.value).catch(() => ({ sent: [], refused: [] }));
  const isMine = (answer) => answer.of === form.elements.id.value;
  const mine = answers.sent.find(isMine);
  if (mine) { window.location.href = mine.url; return; }
  const mended = answers.refused.find(isMine);
  if (mended) { refused(mended); return; }
  const waiting = (await kept.list().catch(() => [])).filter((one) => one.state === "waiting" && (done || one.id !== form.elements.id.value));
  if (answers.isSignedOut && done) offlineText.replaceChildren(signInLink(told.textSignIn));
  is("waiting").hidden = !waiting.length || done;
  is("waiting-text").replaceChildren(answers.isSignedOut ? signInLink(told.textSignIn) : fill(told.textWaiting, { n: waiting.length }));
  if (answers.refused.length && !touched) await offerDraft();
}
is("send-waiting").addEventListener("click", retry);
setInterval(retry, RETRY_EVERY);

function connection(again = true) {
  const gone = !navigator.onLine;
  if (!done) is("offline").hidden = !gone;
  sendText.textContent = gone && canKeep ? told.textOfflineSend : sendWords;
  if (!gone && again) { retry(); look(); }
}
addEventListener("online", () => connection());
addEventListener("offline", () => connection());

// ---- What is wrong, beside its field and above the form ----

function clear(name) {
  const slot = form.querySelector(`[data-error="${name}"]`);
  if (!slot) return;
  slot.hidden = true;
  slot.replaceChildren();
  slot.closest(".field")?.classList.remove("is-wrong");
  slot.closest("[data-confirm]")?.classList.remove("is-asked");
}

function line(text) {
  const said = Object.assign(document.createElement("p"), { className: "field__error" });
  said.append(is("errors").querySelector("svg").cloneNode(true), Object.assign(document.createElement("span"), { textContent: text }));
  return said;
}

function showErrors(errors, loudly = true) {
  if (loudly) for (const slot of form.querySelectorAll("[data-error]")) if (!slot.hidden) clear(slot.dataset.error);
  const general = [];
  let first = null;
  for (const [name, texts] of Object.entries(errors)) {
    const slot = form.querySelector(`[data-error="${name}"]`);
    if (!slot) { general.push(...texts); continue; }
    slot.replaceChildren(...texts.map(line));
    slot.hidden = false;
    slot.closest(".field")?.classList.add("is-wrong");
    slot.closest("[data-confirm]")?.classList.add("is-asked");
    const outer = slot.closest("details");
    if (outer) outer.open = true;
    first = !first || slot.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING ? slot : first;
  }
  if (!loudly) return;
  const box = is("errors");
  box.hidden = !first && !general.length;
  is("error-list").replaceChildren(...general.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  if (first) {
    const near = first.closest(".field, [data-confirm], fieldset, details");
    (near?.querySelector("input:not([type=hidden]), textarea, select:not([disabled])") ?? box).focus({ preventScroll: true });
    // The message itself: a card of many choices is taller than a phone, and its middle shows none.
    first.scrollIntoView({ block: "center" });
  } else if (general.length) {
    box.focus();
    box.scrollIntoView({ block: "center" });
  }
}

// ---- Leaving, and coming back by the back button ----

addEventListener("beforeunload", (event) => { if (touched && !done && !canKeep) event.preventDefault(); });
addEventListener("pagehide", () => {
  if (!touched || waits || isOver()) return;
  tab.leave(written("draft"));
  save("draft");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) tab.leave(null);
  if (event.persisted && done) startAfresh();
});

// Out of the browser's memory after it was sent: a new report, not the old one again.
function startAfresh() {
  form.reset();
  form.elements.id.value = uuid7();
  refusal = null;
  offlineText.textContent = offlineWords;
  chosenFiles.set([]);
  done = touched = false;
  sendButton.disabled = false;
  ahead.replaceChildren();
  looked = "";
  when.dataset.when = "now";
  renewCategories(true);
}

if (form.elements.narrative.value || form.querySelector("input[name=category]:checked")) touched = true;
const first = form.querySelector("[data-error]:not([hidden])");
first?.scrollIntoView({ block: "center" });
connection();
const WEEK = 7 * 86_400_000;
async function begin() {
  const all = await kept.list();
  for (const one of all) if (one.state === "sent" && one.at < Date.now() - WEEK) await kept.remove(one.id);
  if (all.some((one) => one.state === "sent" && one.id === form.elements.id.value)) startAfresh();
  await offerDraft();
}
if (canKeep) begin().catch(() => { canKeep = false; draftButton.hidden = true; });
if (touched) look();
