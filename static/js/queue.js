// The list of cases: "Show more" adds rows in place. Without script the link opens the next page.
import "./case.js";

const place = document.querySelector("[data-rows]");

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("[data-more]");
  if (!link || !place || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.classList.contains("is-busy")) return;
  link.classList.add("is-busy");
  try {
    const response = await fetch(link.href, { headers: { "X-Fragment": "rows" }, credentials: "same-origin" });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const part = document.createElement("template");
    part.innerHTML = `<table><tbody>${await response.text()}</tbody></table>`;
    const rows = [...part.content.querySelectorAll("tr")];
    place.querySelector("[data-next]")?.remove();
    place.append(...rows);
    const next = place.querySelector("[data-next]")?.dataset.next;
    if (next) link.setAttribute("href", next);
    else link.remove();
    rows[0]?.querySelector("a")?.focus({ preventScroll: true });
    link.classList.remove("is-busy");
  } catch {
    location.assign(link.href);
  }
});
