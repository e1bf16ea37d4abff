// The areas of a map by keyboard: one stop of the Tab key, arrows go to the next area that way, Enter goes into it.

const WAYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export function keyboard(map, areas, open) {
  const layers = areas.getLayers();
  const stop = (layer) => layers.forEach((one) => one.getElement().setAttribute("tabindex", one === layer ? "0" : "-1"));
  stop(layers[0]);
  for (const layer of layers) {
    const path = layer.getElement();
    path.addEventListener("focus", () => { stop(layer); layer.openTooltip(layer.getBounds().getCenter()); });
    path.addEventListener("blur", () => layer.closeTooltip());
    path.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        open(layer.feature.id);
      } else if (event.key in WAYS) {
        event.preventDefault();
        event.stopPropagation();
        nearest(map, layers, layer, WAYS[event.key])?.getElement().focus();
      }
    });
  }
}

// The nearest area in a direction; one that lies aside counts as farther.
function nearest(map, layers, from, [dx, dy]) {
  const here = centre(map, from);
  let best = null;
  let least = Infinity;
  for (const layer of layers) {
    if (layer === from || layer.getElement().classList.contains("is-outside")) continue;
    const { x, y } = centre(map, layer).subtract(here);
    const along = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (along > 1 && along + 2 * aside < least) {
      least = along + 2 * aside;
      best = layer;
    }
  }
  return best;
}

function centre(map, layer) {
  return map.latLngToContainerPoint(layer.getBounds().getCenter());
}
