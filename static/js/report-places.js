// Province, district, commune, village: each choice loads the next list. The phone's own position proposes the commune.
const LEVELS = ["province", "district", "commune", "village"];

export function fill(pattern, values) {
  return (pattern ?? "").replace(/%\((\w+)\)[ds]/g, (_, key) => values[key]);
}

export function places(form, changed) {
  const told = form.dataset;
  const box = form.querySelector("#where");
  const of = (level) => box.querySelector(`[data-level="${level}"]`);
  const warning = box.querySelector("[data-point-warning]");
  const said = box.querySelector("[data-here-said]");
  const shown = box.querySelector("[data-point-shown]");
  let proposed = null;

  function options(select, listed, chosen) {
    const blank = select.options[0]?.value === "" ? select.options[0] : new Option("", "");
    blank.textContent = !listed.length ? "—" : ["commune", "village"].includes(select.dataset.level) ? told.textUnknown : told.textChoose;
    select.replaceChildren(blank, ...listed.map(([code, name]) => new Option(name, code, false, code === chosen)));
    select.value = chosen ?? "";
  }

  async function under(code) {
    const response = await fetch(`${told.places}?under=${encodeURIComponent(code)}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    return (await response.json()).places;
  }

  // Choose from `level` down: empties what is below, loads the next list, goes on with `wanted` codes.
  async function choose(level, wanted = {}) {
    for (let at = LEVELS.indexOf(level) + 1; at < LEVELS.length; at += 1) {
      const select = of(LEVELS[at]);
      const above = of(LEVELS[at - 1]).value;
      if ("fixed" in select.dataset) continue;
      if (!above) { options(select, [], ""); continue; }
      try {
        const listed = await under(above);
        if (of(LEVELS[at - 1]).value !== above) return;
        options(select, listed, listed.some(([code]) => code === wanted[LEVELS[at]]) ? wanted[LEVELS[at]] : "");
      } catch {
        options(select, [], "");
        return;
      }
    }
  }

  box.querySelector("[data-cascade]").addEventListener("change", async (event) => {
    const level = event.target.dataset.level;
    if (!level) return;
    form.elements.point_kept.value = "";
    changed();
    await choose(level);
    warn();
    placed();
  });

  // ---- The point ----

  function name(level) {
    const select = of(level);
    return select.value ? select.selectedOptions[0].textContent : "";
  }

  function warn() {
    const chosen = of("commune").value;
    const apart = proposed && !form.elements.point_kept.value && (!proposed.allowed || (chosen && chosen !== proposed.levels.commune));
    const isNew = apart && warning.hidden;
    warning.hidden = !apart;
    if (!apart) return;
    const move = warning.querySelector("[data-move]");
    if (move) move.hidden = !proposed.allowed;
    warning.querySelector("[data-point-warning-text]").textContent = fill(proposed.allowed ? told.textLies : told.textBeyond, { place: proposed.name, chosen: name("commune") });
    // A question below the bar at the foot of a phone is not asked.
    if (isNew) warning.scrollIntoView({ block: "center" });
  }

  async function take(levels) {
    const first = LEVELS.find((level) => !("fixed" in of(level).dataset) && of(level).value !== (levels[level] ?? ""));
    if (!first) return;
    of(first).value = levels[first] ?? "";
    await choose(first, levels);
  }

  function point(lat, lon, precision) {
    form.elements.lat.value = lat === null ? "" : lat.toFixed(5);
    form.elements.lon.value = lon === null ? "" : lon.toFixed(5);
    form.elements.point_kept.value = "";
    shown.hidden = lat === null;
    if (precision) form.elements.point_precision.value = precision;
    if (lat === null) { proposed = null; warn(); }
    error("");
    form.dispatchEvent(new CustomEvent("point", { detail: lat === null ? null : { lat, lon } }));
  }

  function error(text) {
    const slot = box.querySelector('[data-error="lat"]');
    slot.hidden = !text;
    slot.replaceChildren();
    if (text) {
      const line = document.createElement("p");
      line.className = "field__error";
      line.textContent = text;
      slot.append(line);
    }
  }

  // A new point: what commune is it in? Proposes it where none is chosen, else asks.
  async function ask(lat, lon, precision) {
    point(lat, lon, precision);
    try {
      const response = await fetch(`${told.point}?lat=${lat.toFixed(5)}&lon=${lon.toFixed(5)}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) return;
      const found = await response.json();
      if (found.refused) {
        point(null, null);
        error(found.refused);
        return;
      }
      proposed = found;
      if (found.allowed && !of("commune").value) await take(found.levels);
      warn();
      placed();
    } catch {
      // Without a connection the point is kept, and the server proposes nothing.
    } finally {
      changed();
    }
  }

  warning.querySelector("[data-move]")?.addEventListener("click", async (event) => {
    event.preventDefault();
    await take(proposed.levels);
    warn();
    placed();
    changed();
  });
  warning.querySelector("[data-keep]").addEventListener("click", (event) => {
    event.preventDefault();
    form.elements.point_kept.value = "1";
    warn();
    changed();
  });
  const away = box.querySelector("[data-no-point]");
  away.hidden = false;
  away.addEventListener("click", () => { point(null, null); changed(); });

  const here = box.querySelector("[data-here]");
  if ("geolocation" in navigator) here.hidden = false;
  here.addEventListener("click", () => {
    said.hidden = false;
    said.textContent = told.textSearching;
    here.classList.add("is-busy");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        here.classList.remove("is-busy");
        const metres = Math.max(Math.round(coords.accuracy), 5);
        said.textContent = fill(told.textPosition, { metres });
        ask(coords.latitude, coords.longitude, metres <= 100 ? "exact" : metres <= 1000 ? "near" : "area");
      },
      () => {
        here.classList.remove("is-busy");
        said.textContent = told.textNoPosition;
      },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
    );
  });

  // ---- The map, loaded when it is wanted ----

  const opener = box.querySelector("[data-open-map]");
  opener.hidden = false;
  opener.addEventListener("click", async () => {
    const figure = box.querySelector("[data-map-box]");
    figure.hidden = !figure.hidden;
    opener.setAttribute("aria-expanded", String(!figure.hidden));
    if (figure.hidden) return;
    try {
      const { openMap } = await import("./report-map.js");
      await openMap(form, deepest, (lat, lon) => ask(lat, lon, "near"));
    } catch {
      figure.hidden = true;
      said.hidden = false;
      said.textContent = told.textNoMap;
    }
  });

  function deepest() {
    return LEVELS.map((level) => of(level).value).filter(Boolean).pop() ?? "";
  }

  function placed() {
    form.dispatchEvent(new CustomEvent("placed", { detail: deepest() }));
  }

  // After a draft is put back: the lists follow the codes.
  return async function renew(codes) {
    await take(codes);
    shown.hidden = !form.elements.lat.value;
    warn();
    placed();
  };
}
