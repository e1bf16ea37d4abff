// What the server will certainly ask for, looked at on the phone before a report waits there without a connection: found
// out a day later, in another place, it could hardly be mended. The server's own check stays the one that counts.
import { fill } from "./report-places.js";

const SHORTEST = 20;
const LONGEST = 20_000;
const naming = /(?<![\d+])(?:(?:\+?855|0)[\u200b .\u00a0-]?[1-9]\d[\u200b .\u00a0-]?\d{3}[\u200b .\u00a0-]?\d{3,4}|\d{3}[\u200b .\u00a0-]?\d{3}[\u200b .\u00a0-]?\d{3})(?!\d)/u;

// The first telephone or identity-card number in a text, or undefined.
export function namingNumber(text) {
  return text.replace(/[\u17e0-\u17e9]/g, (digit) => String(digit.charCodeAt(0) - 0x17e0)).match(naming)?.[0].trim();
}

// { field: [what is wrong] } in the server's words; empty where nothing is missing.
export function missing(form) {
  const told = form.dataset;
  const { narrative, title, place_note: note, when, date, time, time_precision: precision } = form.elements;
  const errors = {};
  if (!form.querySelector("input[name=category]:checked")) errors.category = [told.textNoCategory];
  if (when.value === "other" && !date.value) errors.date = [told.textNoDay];
  const vague = when.value === "other" && ["day", "half_day"].includes(precision.value);
  if (["today", "other"].includes(when.value) && !time.value && !vague) errors.time = [told.textNoTime];
  if (!form.querySelector("[data-level=district]").value) errors.district = [told.textNoDistrict];
  const length = [...narrative.value.trim()].length;
  if (!length) errors.narrative = [told.textNoWords];
  else if (length < SHORTEST) errors.narrative = [told.textShort];
  else if (length > LONGEST) errors.narrative = [told.textLong];
  if (form.elements.concerns.value && !form.querySelector("[name=concerned]:checked")) errors.concerned = [told.textNoUnit];
  const number = [title, narrative, note].map((field) => namingNumber(field.value)).find(Boolean);
  if (number && !form.elements.confirmed_writing.checked) errors.confirmed_writing = [fill(told.textNaming, { number: `«${number}»` })];
  return errors;
}
