// Shows what is written on this phone and not sent. The log form keeps its drafts and offers them through drafts.js.
const section = document.querySelector("[data-drafts]");
const list = section?.querySelector("[data-drafts-list]");

if (list) {
  try {
    const { drafts } = await import("./drafts.js");
    for (const draft of await drafts()) {
      const link = document.createElement("a");
      link.href = draft.url;
      const text = document.createElement("span");
      text.className = "grow";
      const title = document.createElement("b");
      title.textContent = draft.title || list.dataset.wordsNone;
      const note = document.createElement("span");
      note.className = "case-meta";
      note.textContent = draft.note || `${list.dataset.wordsSaved} ${draft.saved ?? ""}`;
      text.append(title, document.createElement("br"), note);
      link.append(text);
      list.append(link);
    }
    section.hidden = !list.children.length;
  } catch {
    section.hidden = true;
  }
}
