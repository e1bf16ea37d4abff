// Fragments that renew themselves: <div data-refresh="url" data-every="20">. Politely: with an ETag, never while the page is
// hidden or somebody writes in the fragment, slower when nothing changes and when the link fails.
const SLOWEST = 120_000;

class Fragment {
  constructor(element) {
    this.element = element;
    this.base = Number(element.dataset.every ?? 20) * 1000;
    this.pause = this.base;
    this.tag = "";
    this.plan();
    addEventListener("online", () => this.renew());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.renew(); });
  }

  plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), this.pause);
  }

  // Replacing what has the focus, an open <details> or a half-written field would take it from under the hand.
  isInUse() {
    return this.element.contains(document.activeElement) || Boolean(this.element.querySelector("details[open], dialog[open]"));
  }

  async renew() {
    if (document.hidden || this.busy) return;
    this.busy = true;
    try {
      const response = await fetch(this.element.dataset.refresh, {
        headers: { "X-Fragment": "1", ...(this.tag && { "If-None-Match": this.tag }) }, credentials: "same-origin", cache: "no-store",
      });
      // Signed out meanwhile: the answer is another page, and the old one must not pretend to be live.
      if (response.redirected || (!response.ok && response.status !== 304)) throw new Error(String(response.status));
      if (response.status === 304) {
        this.pause = Math.min(this.pause * 1.25, SLOWEST);
      } else if (!this.isInUse()) {
        this.tag = response.headers.get("ETag") ?? "";
        this.element.innerHTML = await response.text();
        this.pause = this.base;
        this.element.dispatchEvent(new CustomEvent("fragment:renewed", { bubbles: true }));
      }
      document.dispatchEvent(new CustomEvent("data:fresh"));
    } catch {
      this.pause = Math.min(this.pause * 2, SLOWEST);
    } finally {
      this.busy = false;
      this.plan();
    }
  }
}

for (const element of document.querySelectorAll("[data-refresh]")) new Fragment(element);
