// Acts in a dialog over the page they were pressed on. Without script, on phones and for a new tab the same address is a page.
const WIDE = matchMedia("(min-width: 48em)");
const CHANGED = "a[data-act]";

function dialogFor(form) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog act-dialog";
  dialog.setAttribute("aria-labelledby", "act-title");
  dialog.append(form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function part(text) {
  return new DOMParser().parseFromString(text, "text/html").querySelector("[data-act-form]");
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.(CHANGED);
  if (!link || !WIDE.matches || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.closest("dialog")) return;
  event.preventDefault();
  link.classList.add("is-busy");
  try {
    const response = await fetch(link.href, { credentials: "same-origin", cache: "no-store" });
    const form = response.redirected || response.status >= 500 ? null : part(await response.text());
    if (!form) throw new Error(String(response.status));
    dialogFor(document.adoptNode(form));
  } catch {
    location.assign(link.href);
  } finally {
    link.classList.remove("is-busy");
  }
});

// Inside the dialog: a refused form comes back in its place, everything typed in it; an accepted one opens the case.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const dialog = form.closest?.("dialog.act-dialog");
  if (!dialog || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  event.submitter?.classList.add("is-busy");
  try {
    const response = await fetch(form.action, {
      method: "POST", body: new FormData(form, event.submitter), credentials: "same-origin", headers: { "X-Fragment": "act" },
    });
    // Not a redirect: following one here would use up the message that the next page is to show.
    const next = response.headers.get("X-Next");
    if (next) {
      location.assign(next);
      return;
    }
    const again = response.status >= 500 ? null : part(await response.text());
    if (!again) throw new Error(String(response.status));
    dialog.close();
    dialogFor(document.adoptNode(again)).querySelector("[aria-invalid], [role=alert]")?.focus();
  } catch {
    // The link dropped or the answer is another page: send it the plain way, which shows whatever there is to show.
    delete form.dataset.sending;
    event.submitter?.classList.remove("is-busy");
    HTMLFormElement.prototype.submit.call(form);
  }
}, true);

addEventListener("pageshow", () => {
  for (const link of document.querySelectorAll(`${CHANGED}.is-busy`)) link.classList.remove("is-busy");
});
