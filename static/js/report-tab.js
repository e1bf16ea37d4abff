// The report being written in this tab, kept at the moment the page goes: the phone's database is too slow for that.
const KEY = "report-being-written";

export function leave(one) {
  try {
    if (one) sessionStorage.setItem(KEY, JSON.stringify({ ...one, files: [] }));
    else sessionStorage.removeItem(KEY);
  } catch { /* a full or forbidden store: the draft of a moment ago is still there */ }
}

// What this person was writing, once; null where nothing was.
export function take(person) {
  try {
    const one = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    return one?.person === person ? one : null;
  } catch {
    return null;
  }
}

// A reload, the back button, another language: the writing goes on where it was. Opened anew, it is only offered.
export function isSameWriting() {
  const [entry] = performance.getEntriesByType("navigation");
  return Boolean(entry) && (entry.type !== "navigate" || entry.redirectCount > 0);
}
