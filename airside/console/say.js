/** What a screen reader is told without moving the focus; with `shown` everybody sees it. */

const LASTS_MS = 4_000;
let forgetting; // the timer of what is shown now

/** Say it once. */
export function say(text, { shown = false, lastsMs = LASTS_MS } = {}) {
  const said = document.getElementById("said");
  said.textContent = ""; // the same words again are news, too
  requestAnimationFrame(() => {
    said.textContent = text;
  });
  said.className = shown ? "toast" : "unseen";
  clearTimeout(forgetting);
  if (shown) {
    forgetting = setTimeout(() => {
      said.className = "unseen";
    }, lastsMs);
  }
}
