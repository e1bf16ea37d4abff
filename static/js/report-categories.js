// The category picker: search, groups as chips, at most eight cards; severity suggested until the person chooses one.
const MOST = 8;

// As elections/khmer.py search_key, as far as a query needs it: the keys on the cards are made there.
export function searchKey(text) {
  return text.normalize("NFKC").toLowerCase()
    .replace(/[\u200b\u200c\u200d\u2060\ufeff\u00ad\u17b4\u17b5\u17dd]/g, "")
    .replace(/\u17a3/g, "\u17a2").replace(/\u17d2\u178a/g, "\u17d2\u178f").replace(/\u17b2/g, "\u17b1")
    .replace(/[\u17e0-\u17e9]/g, (digit) => String(digit.charCodeAt(0) - 0x17e0))
    .replace(/[។៖«»()/.,-]/g, " ").replace(/([\u1780-\u17dd])\s+(?=[\u1780-\u17dd])/g, "$1").replace(/\s+/g, " ").trim();
}

export function categories(form, changed) {
  const box = form.querySelector("#what");
  const cards = [...box.querySelectorAll(".choice[data-key]")];
  const field = box.querySelector("[data-search] input");
  const chips = [...box.querySelectorAll("[data-chip]")];
  const nothing = box.querySelector("[data-nothing]");
  const severities = form.querySelector("[data-severities]");
  const why = form.querySelector("[data-why-shown]");
  let chip = "first";
  let byPerson = Boolean(severities.querySelector(":checked"));

  for (const part of box.querySelectorAll("[data-search], [data-chips]")) part.hidden = false;
  for (const group of box.querySelectorAll(".choice-group")) group.open = true;

  function fits(card, words, key) {
    if (words.length) return words.every((word) => key.includes(word));
    if (chip === "first") return "first" in card.dataset;
    return card.closest("[data-group]").dataset.group === chip;
  }

  function show() {
    const words = searchKey(field.value).split(" ").filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const fitting = fits(card, words, card.dataset.key) && (shown < MOST || !words.length);
      card.hidden = !(fitting || card.querySelector("input").checked);
      if (fitting) shown += 1;
    }
    nothing.hidden = shown > 0;
    box.querySelector("[data-found]").textContent = words.length && !shown ? nothing.textContent : "";
    for (const one of chips) {
      const on = !words.length && one.dataset.chip === chip;
      one.classList.toggle("is-on", on);
      one.setAttribute("aria-pressed", String(on));
    }
  }

  function suggest() {
    const chosen = box.querySelector("input[name=category]:checked");
    if (!chosen) return;
    const suggested = chosen.dataset.severity;
    for (const label of severities.children) {
      label.classList.toggle("is-suggested", label.dataset.sev === suggested);
      const input = label.querySelector("input");
      input.disabled = suggested === "unrated";
      if (suggested === "unrated") input.checked = false;
      else if (!byPerson) input.checked = label.dataset.sev === suggested;
    }
    severities.classList.toggle("is-off", suggested === "unrated");
    why.textContent = chosen.dataset.why;
    if ("sealed" in chosen.dataset) form.querySelector("#concern").open = true;
  }

  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  for (const one of chips) one.addEventListener("click", () => { chip = one.dataset.chip; field.value = ""; show(); });
  box.addEventListener("change", (event) => {
    if (event.target.name !== "category") return;
    suggest();
    changed();
  });
  severities.addEventListener("change", () => { byPerson = true; changed(); });

  const renew = (restored) => {
    if (restored) byPerson = Boolean(severities.querySelector(":checked"));
    show();
    suggest();
  };
  renew();
  return renew;
}
