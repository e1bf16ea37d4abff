// Sending a report, now or when the connection is back, always under the same id: sent twice it is still one case.
import * as kept from "./drafts.js";

// Time-ordered id (UUID version 7), for a report begun where the server's own id was used up.
export function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = BigInt(Date.now());
  for (let at = 5; at >= 0; at -= 1) { bytes[at] = Number(time & 255n); time >>= 8n; }
  bytes[6] = (bytes[6] & 15) | 112;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// Read when it is needed: it changes at every sign-in, and a kept report may be older than that.
export function token() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

export class SignedOut extends Error {}
export class Refused extends Error {
  constructor(errors, id = "") { super("refused"); this.errors = errors; this.id = id; }
}

// fields: [[name, value]]; files: [File]. Resolves to { id, reference, url }. Throws TypeError without a connection.
export async function send(address, fields, files) {
  const body = new FormData();
  for (const [name, value] of fields) if (name !== "csrfmiddlewaretoken" && name !== "files") body.append(name, value);
  for (const file of files) body.append("files", file, file.name);
  body.set("step", "send");
  const response = await fetch(address, {
    method: "POST", body, credentials: "same-origin", redirect: "follow",
    headers: { Accept: "application/json", "X-CSRFToken": token() },
  });
  if (response.redirected) throw new SignedOut();
  if ([403, 409, 422].includes(response.status) && isJson(response)) {
    const answer = await response.json();
    throw new Refused(answer.errors, answer.id);
  }
  if (response.status === 403) throw new SignedOut();
  if (response.status === 413) throw new Refused({ files: [] });
  if (!response.ok || !isJson(response)) throw new Error(String(response.status));
  return response.json();
}

function isJson(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("application/json");
}

// Every report that waits, oldest first; one that is refused becomes a draft again, with what the server said of it, for
// its writer to mend. Resolves to { sent: [{ of, id, reference, url }], refused: [{ of, id, errors, page }], isSignedOut }.
let busy = false;
export async function sendWaiting(except = "") {
  const done = { sent: [], refused: [], isSignedOut: false };
  if (busy || !navigator.onLine) return done;
  busy = true;
  try {
    const waiting = (await kept.list()).filter((one) => one.state === "waiting" && one.id !== except).reverse();
    for (const one of waiting) {
      try {
        done.sent.push({ ...(await send(one.address, one.fields, one.files ?? [])), of: one.id });
        await kept.put({ id: one.id, person: one.person, at: Date.now(), state: "sent" });
      } catch (error) {
        if (error instanceof Refused) {
          if (error.id && error.id !== one.id) await kept.remove(one.id);
          const id = error.id || one.id;
          const errors = error.errors ?? {};
          await kept.put({ ...one, id, errors, fields: one.fields.map(([n, v]) => [n, n === "id" ? id : v]), state: "draft" });
          done.refused.push({ of: one.id, id, errors, page: one.page });
        } else {
          done.isSignedOut = error instanceof SignedOut;
          break;
        }
      }
    }
  } finally {
    busy = false;
  }
  return done;
}
