// The map of the log form: outlines around the chosen place, a tap sets the point. Leaflet comes only when this is opened.
let map = null;
let areas = null;
let names = null;
let mark = null;
let drawn = "";
const LETTER = 5.5; // px a letter of a name is wide

async function leaflet() {
  if (window.L) return window.L;
  const parts = document.querySelector("template[data-leaflet]").content;
  for (const link of parts.querySelectorAll('link[href*="/leaflet/leaflet."]:not([href*="extras"])')) document.head.append(link.cloneNode(true));
  // Leaflet itself; the plug-ins the tags bring along are for forms that draw.
  for (const script of parts.querySelectorAll('script[src*="/leaflet/leaflet."]:not([src*="extras"])')) {
    await new Promise((resolve, reject) => {
      const copy = document.createElement("script");
      copy.src = script.src;
      copy.onload = resolve;
      copy.onerror = reject;
      document.head.append(copy);
    });
  }
  return window.L;
}

export async function openMap(form, deepest, chosen) {
  const L = await leaflet();
  const told = form.dataset;
  const box = form.querySelector("[data-map]");
  if (!map) {
    map = L.map(box, { attributionControl: false, zoomControl: false, maxZoom: 18, minZoom: 5 });
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", told.textMap);
    L.control.zoom({ zoomInTitle: told.textZoomIn, zoomOutTitle: told.textZoomOut }).addTo(map);
    if (told.tiles) L.tileLayer(told.tiles, { maxZoom: 18 }).addTo(map);
    map.on("click", ({ latlng }) => chosen(latlng.lat, latlng.lng));
    form.addEventListener("placed", () => draw(L, told, deepest()).catch(() => {}));
    form.addEventListener("point", ({ detail }) => place(L, detail));
  }
  map.invalidateSize();
  await draw(L, told, deepest());
  const { lat, lon } = form.elements;
  if (lat.value) place(L, { lat: Number(lat.value), lon: Number(lon.value) });
}

// The communes of the chosen district, the districts of the province, or the provinces.
async function draw(L, told, deepest) {
  const around = deepest.length >= 6 ? deepest.slice(0, 6) : deepest || "KH";
  const picked = deepest.length >= 8 ? deepest.slice(0, 8) : "";
  if (around !== drawn) {
    const response = await fetch(told.outlines.replace("CODE", around), { credentials: "same-origin" });
    if (!response.ok) {
      // A place without outlines: the country is drawn instead.
      if (around !== "KH" && !areas) await draw(L, told, "");
      return;
    }
    const shapes = await response.json();
    drawn = around;
    areas?.remove();
    names?.remove();
    areas = L.geoJSON(shapes, { style: { className: "area", weight: 1.25, fillOpacity: 1 } }).addTo(map);
    areas.bringToBack();
    names = L.layerGroup().addTo(map);
    map.fitBounds(areas.getBounds(), { padding: [8, 8] });
    areas.eachLayer((layer) => {
      const name = shapes.names[layer.feature.id];
      const bounds = layer.getBounds();
      const wide = map.latLngToContainerPoint(bounds.getNorthEast()).x - map.latLngToContainerPoint(bounds.getSouthWest()).x;
      // A name wider than its area would lie on its neighbours' names.
      if (!name || wide < name.length * LETTER) return;
      const text = document.createElement("span");
      text.textContent = name;
      L.marker(layer.getBounds().getCenter(), { interactive: false, keyboard: false, icon: L.divIcon({ className: "map-name", html: text, iconSize: null }) }).addTo(names);
    });
  }
  areas?.eachLayer((layer) => layer.getElement()?.classList.toggle("is-picked", layer.feature.id === picked));
}

function place(L, point) {
  mark?.remove();
  mark = null;
  if (!point) return;
  const at = [point.lat, point.lon];
  mark = L.layerGroup([
    L.circleMarker(at, { radius: 20, className: "map-around", interactive: false }),
    L.circleMarker(at, { radius: 8, className: "map-point", interactive: false }),
  ]).addTo(map);
  if (!map.getBounds().contains(at)) map.setView(at, Math.max(map.getZoom(), 12));
}
