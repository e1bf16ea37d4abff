// The dashboard's map: areas shaded by open cases, symbols for cases, a click goes one level down.
// Boundaries are ours and cached for a year; counts are small and fetched again; no tiles unless a server is set.

const box = document.getElementById("map");
const SHADES = 5;
const LETTER = 6.4; // px a letter of an area's name is wide
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
  });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", told.textLabel);
  L.control.zoom({ zoomInTitle: told.textZoomIn, zoomOutTitle: told.textZoomOut }).addTo(map);
  if (told.tiles) {
    L.control.attribution({ prefix: false }).addTo(map);
    L.tileLayer(told.tiles, { attribution: told.tilesBy, maxZoom: 18 }).addTo(map);
    box.classList.add("has-tiles");
  }
  const areas = L.geoJSON(shapes, {
    style: { weight: 1.25, fillOpacity: 1, className: "area q0" },
    onEachFeature(feature, layer) {
      layer.on("click", () => { window.location.href = drill(feature.id); });
    },
  }).addTo(map);
  map.fitBounds(areas.getBounds(), { padding: [10, 22] });
  const labels = L.layerGroup().addTo(map);
  const symbols = L.layerGroup().addTo(map);
  const state = { counts: null };

  const showCounts = async () => {
    state.counts = await json(`${told.areas}?${withPlace()}`);
    shade(areas, state.counts);
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
    draw(map, symbols, await json(`${told.points}?${query}`));
    if (state.counts) label(map, areas, labels, state.counts, symbols);
  };
  const quietly = (work) => work().catch(() => {}); // keep the last good picture when the link drops
  map.on("moveend", () => quietly(showSymbols));
  document.addEventListener("dashboard:renewed", () => { quietly(showCounts); quietly(showSymbols); });
  const choice = document.querySelector(".map-choice");
  if (choice) {
    choice.hidden = false;
    choice.addEventListener("change", () => quietly(showSymbols));
  }
  await quietly(showCounts);
  await quietly(showSymbols);
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
  return `${box.dataset.page}?${query}`;
}

function shade(areas, counts) {
  const byCode = new Map(counts.areas.map((area) => [area.code, area]));
  areas.eachLayer((layer) => {
    const area = byCode.get(layer.feature.id);
    const path = layer.getElement();
    for (let n = 0; n <= SHADES; n += 1) path.classList.toggle(`q${n}`, Boolean(area) && area.shade === n);
    path.classList.toggle("is-outside", !area);
  });
}

// The number, and the name where it fits, beside symbols and not under them; what finds no room the list says.
function label(map, areas, labels, counts, symbols) {
  labels.clearLayers();
  const byCode = new Map(counts.areas.map((area) => [area.code, area]));
  const narrow = box.clientWidth < 480;
  const taken = [];
  symbols.eachLayer((layer) => {
    const { x, y } = map.latLngToContainerPoint(layer.getLatLng());
    const half = layer.options.wide ? 24 : 13;
    taken.push([x - half, y - 13, x + half, y + 13]);
  });
  areas.eachLayer((layer) => {
    const area = byCode.get(layer.feature.id);
    if (!area) return;
    const bounds = layer.getBounds();
    const width = map.latLngToContainerPoint(bounds.getNorthEast()).x - map.latLngToContainerPoint(bounds.getSouthWest()).x;
    if (width < 16) return;
    const at = L.latLng(area.lat == null ? bounds.getCenter() : [area.lat, area.lon]);
    const named = !narrow && width > area.name.length * LETTER + 12;
    const room = place(map.latLngToContainerPoint(at), named ? area.name.length * LETTER : 18, named ? 30 : 16, taken)
      || place(map.latLngToContainerPoint(at), 18, 16, taken);
    if (!room) return;
    taken.push(room);
    const text = document.createElement("span");
    const number = document.createElement("b");
    number.textContent = String(area.open);
    text.append(number);
    if (named && room[3] - room[1] > 16) {
      const name = document.createElement("small");
      name.textContent = area.name;
      text.append(name);
    }
    labels.addLayer(L.marker(map.containerPointToLatLng([(room[0] + room[2]) / 2, (room[1] + room[3]) / 2]), {
      interactive: false, keyboard: false,
      icon: L.divIcon({ className: `area-label${room.moved ? " is-beside" : area.shade > 3 ? " on-high" : ""}`, html: text, iconSize: null }),
    }));
  });
}

// A box of this size at the point or near it that covers nothing taken, or null.
function place(point, width, height, taken) {
  for (const [dx, dy] of [[0, 0], [0, -20], [0, 20], [-26, 0], [26, 0], [-24, -20], [24, -20], [-24, 20], [24, 20]]) {
    const x = point.x + dx;
    const y = point.y + dy;
    const room = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
    if (!taken.some((t) => room[0] < t[2] && room[2] > t[0] && room[1] < t[3] && room[3] > t[1])) {
      return Object.assign(room, { moved: dx !== 0 || dy !== 0 });
    }
  }
  return null;
}

function draw(map, symbols, found) {
  symbols.clearLayers();
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
    const words = told.reference
      ? `${told.reference}, ${told.category_label}, ${told.severity_label}, ${told.state_label}`
      : `${box.dataset.textCases.replace("%(n)s", told.count)}, ${told.severity_label}`;
    const marker = L.marker([lat, lon], {
      title: words, alt: words, wide: told.count > 1,
      icon: L.divIcon({ className: `symbol${told.count > 1 ? " symbol--many" : ""}`, html: mark, iconSize: null }),
    });
    marker.on("add", () => {
      const element = marker.getElement();
      element.setAttribute("role", "button");
      element.setAttribute("aria-label", words);
    });
    if (told.reference) marker.bindPopup(popup(told));
    else marker.on("click", () => map.setView([lat, lon], map.getZoom() + 2));
    symbols.addLayer(marker);
  }
}

function shape(severity) {
  const kept = document.querySelector(`template[data-shape="${severity}"]`);
  return kept ? kept.content.cloneNode(true) : document.createTextNode("•");
}

function popup(told) {
  const card = document.createElement("div");
  const head = document.createElement("p");
  head.className = "popup__head";
  head.append(shape(told.severity), ` ${told.severity_label} · ${told.state_label}`);
  const what = document.createElement("p");
  what.className = "popup__what";
  what.textContent = told.category_label;
  const link = document.createElement("a");
  link.href = `${box.dataset.list.replace(/\/$/, "")}/${told.id}/`;
  link.textContent = told.reference;
  card.append(head, what, link);
  return card;
}

function clip(degrees, limit) {
  return Math.max(-limit, Math.min(limit, degrees));
}

async function json(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status} ${address}`);
  return response.json();
}
