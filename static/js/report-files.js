// Chosen photos and documents: shown with size, taken out again one by one, too many or too big left out by name.
import { fill } from "./report-places.js";

export function files(form, changed) {
  const told = form.dataset;
  const input = form.querySelector("input[name=files]");
  const list = form.querySelector("[data-files]");
  const said = form.querySelector("[data-files-said]");
  const drop = form.querySelector("[data-drop]");
  let chosen = [];

  function show(left = []) {
    list.replaceChildren(...chosen.map((file) => {
      const row = document.createElement("div");
      row.className = "file";
      const thumb = document.createElement("span");
      thumb.className = "file__thumb";
      if (/^image\/(jpeg|png|webp)$/.test(file.type)) {
        const picture = document.createElement("img");
        picture.alt = "";
        picture.src = URL.createObjectURL(file);
        picture.onload = () => URL.revokeObjectURL(picture.src);
        thumb.append(picture);
      } else thumb.append(drop.querySelector("svg").cloneNode(true));
      const text = document.createElement("span");
      const name = document.createElement("span");
      name.className = "file__name";
      name.textContent = file.name;
      const size = document.createElement("span");
      size.className = "case-meta";
      size.textContent = file.size >= 1e6 ? `${(file.size / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(file.size / 1e3))} kB`;
      text.append(name, document.createElement("br"), size);
      const out = document.createElement("button");
      out.type = "button";
      out.className = "btn btn--quiet btn--icon";
      out.setAttribute("aria-label", fill(told.textRemove, { name: file.name }));
      out.textContent = "×";
      out.addEventListener("click", () => { chosen = chosen.filter((one) => one !== file); show(); changed(); });
      row.append(thumb, text, out);
      return row;
    }));
    said.hidden = !left.length;
    said.textContent = left.join(" ");
  }

  function add(more) {
    const left = [];
    for (const file of more) {
      if (chosen.some((one) => one.name === file.name && one.size === file.size)) continue;
      if (file.size > Number(told.maxBytes)) left.push(fill(told.textBig, { name: file.name }));
      else if (chosen.length >= Number(told.maxFiles)) left.push(fill(told.textMany, { name: file.name }));
      else chosen.push(file);
    }
    show(left);
    changed();
  }

  input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("is-over", name === "dragover");
      if (name === "drop") add([...event.dataTransfer.files]);
    });
  }
  return { get: () => chosen, set(kept) { chosen = [...kept]; show(); } };
}
