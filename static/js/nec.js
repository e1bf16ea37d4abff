// Ticks every case that may be decided with others; without it each is ticked by hand.

const all = document.querySelector("[data-choose-all]");
const ticks = [...document.querySelectorAll(".nec-case__tick input")];

if (all && ticks.length > 1) {
  all.closest("label").hidden = false;
  all.addEventListener("change", () => { for (const tick of ticks) tick.checked = all.checked; });
  for (const tick of ticks) tick.addEventListener("change", () => { all.checked = ticks.every((one) => one.checked); });
}
