// Lengths of time in the words the server uses; see templates/components/words.html.
export const words = { ...document.getElementById("words")?.dataset };

export function fill(pattern, values) {
  return (pattern ?? "").replace(/%\((\w+)\)[ds]/g, (_, key) => values[key]);
}

// Milliseconds in the two largest units, as incidents/templatetags/_time.py does.
export function lengthOfTime(milliseconds) {
  const s = Math.max(Math.floor(milliseconds / 1000), 0);
  const [minutes, hours, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86400)];
  const values = { s, m: minutes % 60, h: hours % 24, d };
  if (!minutes) return fill(words.s, values);
  if (!hours) return fill(words.m, values);
  if (!d) return fill(values.m ? words.hm : words.h, values);
  return fill(values.h ? words.dh : words.d, values);
}
