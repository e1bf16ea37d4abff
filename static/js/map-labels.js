// Numbers and names on the areas of a map, beside symbols and not under them; what finds no room the list says.

const LETTER = 6.4; // px a letter of an area's name is wide
const DIGIT = 9; // px a digit is wide
const L = window.L;

export function label(map, areas, labels, counts, symbols) {
  labels.clearLayers();
  const byCode = new Map(counts.areas.map((area) => [area.code, area]));
  const narrow = map.getContainer().clientWidth < 480;
  const taken = [];
  symbols.eachLayer((layer) => {
    const { x, y } = map.latLngToContainerPoint(layer.getLatLng()).add(layer.options.shift);
    const half = layer.options.size / 2;
    taken.push([x - half, y - 13, x + half, y + 13]);
  });
  areas.eachLayer((layer) => {
    const area = byCode.get(layer.feature.id);
    if (!area) return;
    const bounds = layer.getBounds();
    const width = map.latLngToContainerPoint(bounds.getNorthEast()).x - map.latLngToContainerPoint(bounds.getSouthWest()).x;
    if (width < 16) return;
    const digits = area.open.toLocaleString("en");
    const at = map.latLngToContainerPoint(L.latLng(area.lat == null ? bounds.getCenter() : [area.lat, area.lon]));
    const named = !narrow && width > area.name.length * LETTER + 12;
    const numbered = digits.length * DIGIT + 6;
    const room = (named && place(at, Math.max(area.name.length * LETTER, numbered), 30, taken)) || place(at, numbered, 16, taken);
    if (!room) return;
    taken.push(room);
    const text = document.createElement("span");
    const number = document.createElement("b");
    number.textContent = digits;
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
