// The dashboard's map: areas shaded by open cases, symbols for cases, a click or Enter goes one level down.
// Boundaries are ours and cached for a year; counts are small and fetched again; no tiles unless a server is set.
// docs/map.md tells how the parts fit.

import { keyboard } from "./map-keys.js";
import { label } from "./map-labels.js";

const box = document.getElementById("map");
const SHADES = 5;
const SVG = "http://www.w3.org/2000/svg";
// On a desk the zoom buttons lie over the lower edge, so the land stays above them.
const FITTING = window.matchMedia("(min-width: 48em)").matches
  ? { paddingTopLeft: [10, 14], paddingBottomRight: [10, 66] } : { padding: [10, 22] };
const BY_TOUCH = window.matchMedia("(pointer: coarse)");
const L = window.L;

if (box && L) start();

async function start() {
  const told = box.dataset;
  let shapes;
  try {
    shapes = await json(told.outlines);
  } catch {
    return; // the table stands beside it and says the same
  }
  if (!shapes.features.length) return;
  box.hidden = false;
  const map = L.map(box, {
    attributionControl: false, zoomControl: false, maxZoom: 18, minZoom: 5, zoomSnap: 0.25, scrollWheelZoom: false,
    dragging: !BY_TOUCH.matches,
  });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", told.textLabel);
  const hatching = L.geoJSON(shapes, { interactive: false, style: { weight: 0, fillOpacity: 0, className: "hatching" } });
  const areas = L.geoJSON(shapes, { style: { weight: 1.25, fillOpacity: 1, className: "area q0" } }).addTo(map);
  hatching.addTo(map);
  const home = areas.getBounds();
  map.fitBounds(home, FITTING);
  pattern(areas);
  tools(map, told, home);
  if (told.tiles) {
    L.control.attribution({ prefix: false }).addTo(map);
    L.tileLayer(told.tiles, { attribution: told.tilesBy, maxZoom: 18 }).addTo(map);
    box.classList.add("has-tiles");
  }
  areas.eachLayer((layer) => {
    layer.on("click", () => { window.location.href = drill(layer.feature.id); });
  });
  keyboard(map, areas, (code) => { window.location.href = drill(code); });
  const labels = L.layerGroup().addTo(map);
  const ties = L.layerGroup().addTo(map);
  const symbols = L.layerGroup().addTo(map);
  const state = { counts: null };

  const showCounts = async () => {
    state.counts = await json(`${told.areas}?${withPlace()}`);
    shade(areas, hatching, state.counts);
    label(map, areas, labels, state.counts, symbols);
  };
  const showSymbols = async () => {
    const view = map.getBounds().pad(0.1);
    const bbox = [clip(view.getWest(), 180), clip(view.getSouth(), 90), clip(view.getEast(), 180), clip(view.getNorth(), 90)]
      .map((side) => side.toFixed(4));
    const query = new URLSearchParams(withPlace());
    if (serious() && !query.has("severity")) { query.append("severity", "critical"); query.append("severity", "high"); }
    query.set("bbox", bbox.join(","));
    query.set("zoom", String(Math.max(0, Math.min(18, Math.floor(map.getZoom())))));
    const found = await json(`${told.points}?${query}`);
    if (symbols.getLayers().some((layer) => layer.isPopupOpen())) return; // somebody is reading it
    draw(map, areas, symbols, ties, found);
    if (state.counts) label(map, areas, labels, state.counts, symbols);
    box.dataset.drawn = String(Number(box.dataset.drawn || 0) + 1);
  };
  const quietly = (work) => work().catch(() => {}); // keep the last good picture when the link drops
  map.on("moveend", () => quietly(showSymbols));
  document.addEventListener("dashboard:renewed", () => { quietly(showCounts); quietly(showSymbols); });
  const choice = document.querySelector(".map-choice");
  if (choice) {
    choice.hidden = false;
    choice.addEventListener("change", () => { map.closePopup(); quietly(showSymbols); });
  }
  await quietly(showCounts);
  await quietly(showSymbols);
}

// Zoom and the way back to the whole; below the map on a phone, where land fills it. One finger scrolls the page until
// somebody has zoomed in; from there on it moves the map.
function tools(map, told, home) {
  const bar = document.createElement("div");
  bar.className = "map-tools";
  const button = (words, drawing, press) => {
    const made = document.createElement("button");
    made.type = "button";
    made.title = words;
    made.setAttribute("aria-label", words);
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", drawing);
    icon.append(path);
    made.append(icon);
    made.addEventListener("click", press);
    bar.append(made);
  };
  button(told.textZoomIn, "M12 5v14M5 12h14", () => map.zoomIn(1));
  button(told.textZoomOut, "M5 12h14", () => map.zoomOut(1));
  button(told.textWhole, "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5", () => map.fitBounds(home, FITTING));
  box.after(bar);
  if (!BY_TOUCH.matches) return;
  const fitted = map.getZoom();
  map.on("zoomend", () => { map.dragging[map.getZoom() > fitted ? "enable" : "disable"](); });
}

function serious() {
  const chosen = document.querySelector(".map-choice input:checked");
  return !chosen || chosen.value === "serious";
}

function withPlace() {
  const query = new URLSearchParams(box.dataset.query);
  if (box.dataset.place.length > 2) query.set("place", box.dataset.place);
  return query.toString();
}

function drill(code) {
  const query = new URLSearchParams(box.dataset.query);
  query.set("place", code);
  return `${box.dataset.page}?${query}#map-card`;
}

// Thin lines over the shade of a silent area: the pattern stands in the map's own drawing.
function pattern(areas) {
  const drawing = areas.getLayers()[0].getElement().ownerSVGElement;
  const definitions = document.createElementNS(SVG, "defs");
  const lines = document.createElementNS(SVG, "pattern");
  const set = (element, values) => { for (const [name, value] of Object.entries(values)) element.setAttribute(name, value); };
  set(lines, { id: "hatch-silent", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  const line = document.createElementNS(SVG, "line");
  set(line, { x1: 0, x2: 0, y1: 0, y2: 7, class: "hatch-line" });
  lines.append(line);
  definitions.append(lines);
  drawing.prepend(definitions);
}

function shade(areas, hatching, counts) {
  const byCode = new Map(counts.areas.map((area) => [area.code, area]));
  areas.eachLayer((layer) => {
    const area = byCode.get(layer.feature.id);
    const path = layer.getElement();
    for (let n = 0; n <= SHADES; n += 1) path.classList.toggle(`q${n}`, Boolean(area) && area.shade === n);
    path.classList.toggle("is-outside", !area);
    tell(layer, path, area);
  });
  hatching.eachLayer((layer) => {
    const silent = byCode.get(layer.feature.id)?.silent;
    layer.setStyle({ fillColor: "url(#hatch-silent)", fillOpacity: silent ? 1 : 0 });
  });
}

// What an area says to a pointer that rests on it, to the keyboard and to a screen reader.
function tell(layer, path, area) {
  layer.unbindTooltip();
  if (!area) {
    path.removeAttribute("role");
    path.removeAttribute("tabindex");
    return;
  }
  const words = box.dataset.textArea
    .replace("%(name)s", area.name).replace("%(open)s", area.open).replace("%(late)s", area.late);
  const silent = area.silent ? box.dataset.textSilent : "";
  path.dataset.code = area.code;
  path.setAttribute("role", "link");
  path.setAttribute("aria-label", silent ? `${words}, ${silent}` : words);
  const text = document.createElement("span");
  const first = document.createElement("b");
  first.textContent = words;
  text.append(first, silent);
  layer.bindTooltip(text, { sticky: true, direction: "top", opacity: 1 });
}

// How far a symbol stands aside so that a small area can still be pressed: out of its box, tied to its point by a line.
const PRESS = 28; // px of an area that must stay free beside a symbol
function aside(map, areas, at, size) {
  const point = map.latLngToLayerPoint(at);
  const around = areas.getLayers().find((layer) => {
    const path = layer.getElement();
    return layer.getBounds().contains(at) && path?.getAttribute("role") === "link" && path.isPointInFill(new DOMPoint(point.x, point.y));
  });
  if (!around) return [0, 0];
  const bounds = around.getBounds();
  const corner = map.latLngToLayerPoint(bounds.getNorthEast());
  const across = map.latLngToLayerPoint(bounds.getSouthWest()).subtract(corner);
  if (Math.min(-across.x, across.y) >= size + PRESS) return [0, 0];
  const [left, bottom] = [corner.x + across.x, corner.y + across.y];
  const ways = [[corner.x + size / 2 - point.x, 0], [left - size / 2 - point.x, 0], [0, corner.y - 14 - point.y], [0, bottom + 14 - point.y]];
  return ways.sort((a, b) => Math.hypot(...a) - Math.hypot(...b))[0].map(Math.round);
}

function draw(map, areas, symbols, ties, found) {
  const held = symbols.getLayers().find((layer) => layer.getElement() === document.activeElement)?.getLatLng();
  symbols.clearLayers();
  ties.clearLayers();
  for (const feature of found.features) {
    const [lon, lat] = feature.geometry.coordinates;
    const told = feature.properties;
    const mark = document.createElement("span");
    mark.append(shape(told.severity));
    if (told.count > 1) {
      const number = document.createElement("b");
      number.textContent = String(told.count);
      mark.append(number);
    }
    const closer = told.count > 1 && !told.is_one_point && map.getZoom() < map.getMaxZoom();
    const somewhere = told.is_area ? `. ${told.area_label}` : "";
    const words = told.reference
      ? `${told.reference}, ${told.category_label}, ${told.severity_label}, ${told.state_label}${somewhere}`
      : `${box.dataset.textCases.replace("%(n)s", told.count)}, ${told.severity_label}${closer ? `, ${box.dataset.textZoom}` : ""}${somewhere}`;
    const size = told.count > 1 ? 36 + 8 * String(told.count).length : 28;
    const shift = aside(map, areas, L.latLng(lat, lon), size);
    if (shift[0] || shift[1]) {
      const end = map.layerPointToLatLng(map.latLngToLayerPoint([lat, lon]).add(shift));
      ties.addLayer(L.polyline([[lat, lon], end], { className: "tie", interactive: false }));
    }
    const marker = L.marker([lat, lon], {
      title: words, alt: words, size, shift,
      icon: L.divIcon({ className: `symbol${told.count > 1 ? " symbol--many" : ""}${told.is_area ? " symbol--area" : ""}`, html: mark, iconSize: null, iconAnchor: shift.map((side) => -side), popupAnchor: shift }),
    });
    marker.on("add", () => {
      const element = marker.getElement();
      element.setAttribute("role", "button");
      element.setAttribute("aria-label", words);
    });
    const look = () => map.setView([lat, lon], Math.min(map.getZoom() + 2, map.getMaxZoom()));
    // Leaflet makes a popup of the Enter key and nothing else.
    if (closer) marker.on("click", look).on("keypress", ({ originalEvent }) => { if (originalEvent.key === "Enter") look(); });
    else marker.bindPopup(told.reference ? popup(told, found.rounded) : crowd(told));
    symbols.addLayer(marker);
  }
  if (!held) return;
  // Who came by keyboard goes on from the nearest of the new symbols.
  const far = (layer) => map.distance(held, layer.getLatLng());
  symbols.getLayers().sort((a, b) => far(a) - far(b))[0]?.getElement().focus({ preventScroll: true });
}

function shape(severity) {
  const kept = document.querySelector(`template[data-shape="${severity}"]`);
  return kept ? kept.content.cloneNode(true) : document.createTextNode("•");
}

// One case. Everything is put in as text: no word of a case is ever read as markup.
function popup(told, rounded) {
  const card = document.createElement("div");
  const link = document.createElement("a");
  link.href = `${box.dataset.list.replace(/\/$/, "")}/${told.id}/`;
  link.textContent = told.reference;
  const where = told.is_area ? told.area_label : rounded ? box.dataset.textRounded : box.dataset.textPoint.replace("%(precision)s", told.precision_label);
  card.append(headed(told, `${told.severity_label} · ${told.state_label}`), line("popup__what", told.category_label), line("popup__where", where), link);
  return card;
}

// Cases that no zoom takes apart: they stand at one point, of a market or of a commune.
function crowd(told) {
  const card = document.createElement("div");
  card.append(headed(told, box.dataset.textCases.replace("%(n)s", told.count)), line("popup__where", told.is_area ? told.area_label : box.dataset.textOnePoint));
  if (told.place.length > 2) {
    const query = new URLSearchParams(box.dataset.query);
    query.set("place", told.place);
    const link = document.createElement("a");
    link.href = `${box.dataset.list}?${query}`;
    link.textContent = box.dataset.textList;
    card.append(link);
  }
  return card;
}

function headed(told, words) {
  const head = line("popup__head", "");
  head.append(shape(told.severity), ` ${words}`);
  return head;
}

function line(className, words) {
  const found = document.createElement("p");
  found.className = className;
  found.textContent = words;
  return found;
}

function clip(degrees, limit) {
  return Math.max(-limit, Math.min(limit, degrees));
}

async function json(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status} ${address}`);
  return response.json();
}
