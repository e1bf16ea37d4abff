// Shows what is written on this phone and not sent. The log form keeps its drafts and offers them through drafts.js.
const section = document.querySelector("[data-drafts]");
const list = section?.querySelector("[data-drafts-list]");

async function show() {
  try {
    const { drafts } = await import("./drafts.js");
    const shown = [];
    for (const draft of await drafts()) {
      const link = document.createElement("a");
      link.href = draft.url;
      const text = document.createElement("span");
      text.className = "grow";
      const title = document.createElement("b");
      title.textContent = draft.title || list.dataset.wordsNone;
      const note = document.createElement("span");
      note.className = "case-meta";
      note.textContent = draft.refused ? list.dataset.wordsRefused.replace("%(reasons)s", draft.refused) : draft.note || `${list.dataset.wordsSaved} ${draft.saved ?? ""}`;
      text.append(title, document.createElement("br"), note);
      if (draft.refused) {
        const mend = document.createElement("span");
        mend.className = "link";
        mend.textContent = list.dataset.wordsMend;
        text.append(document.createElement("br"), mend);
      }
      link.append(text);
      shown.push(link);
    }
    list.replaceChildren(...shown);
    section.hidden = !list.children.length;
  } catch {
    section.hidden = true;
  }
}

if (list) {
  // What waits may be sent, or refused, while the page is looked at.
  document.addEventListener("kept-changed", show);
  show();
}
