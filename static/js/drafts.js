// Reports kept on this phone: drafts, and those that wait for a connection. Bound to the person who wrote them; removed at
// sign-out (report-waiting.js). Nothing here knows the form: the log page writes, the start page lists.
const BASE = "reports";
const STORE = "kept";

// Who is signed in, as the head of every page says; without it nothing is read or written.
export function person() {
  return document.querySelector("[data-person]")?.dataset.person ?? "";
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(BASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function use(mode, work) {
  const base = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    base.close();
  }
}

// A kept report: { id, person, at, state: "draft" | "waiting" | "sent", title, fields: [[name, value]], files: [File],
// errors: what the server said when it refused it, by field }.
export async function list(of = person()) {
  if (!of) return [];
  const all = await use("readonly", (store) => store.getAll());
  return all.filter((kept) => kept.person === of).sort((a, b) => b.at - a.at);
}

export async function get(id, of = person()) {
  const kept = await use("readonly", (store) => store.get(id));
  return kept?.person === of ? kept : undefined;
}

export function put(kept) {
  return use("readwrite", (store) => store.put(kept));
}

export function remove(id) {
  return use("readwrite", (store) => store.delete(id));
}

// Everything of everybody: the next person at this phone finds nothing.
export function clear() {
  return use("readwrite", (store) => store.clear());
}

// What the server said of a report it refused, in one line; "" where it was not refused.
export function refusal(one) {
  return Object.values(one.errors ?? {}).flat().join(" ");
}

// 3 June at 14:20, in the language of the page and the time of the country, as all other times of the pages.
export function moment(at) {
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  return new Date(at).toLocaleString(language, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Phnom_Penh" });
}

// What the start page shows.
export async function drafts() {
  const kept = await list();
  return kept.filter((one) => one.state !== "sent").map((one) => ({
    url: `${one.page}?draft=${one.id}`,
    title: one.title,
    saved: moment(one.at),
    refused: one.state === "draft" ? refusal(one) : "",
    note: one.state === "waiting" ? one.note : "",
  }));
}
