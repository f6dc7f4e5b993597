/** A failure on the page: what it is, what to do, and asking again by itself if that helps. */

import { h } from "./dom.js";
import { claims, token } from "./session.js";
import { local } from "./words.js";

const TICK_MS = 1_000;

/**
 * The panel of one failure. `again` is called by the button, and by itself when the service
 * said after how many seconds. Call `stop` when the panel is not needed any more.
 */
export class Problem {
  constructor(failure, { again, redraw, enterToken }) {
    this.failure = failure;
    this.again = again;
    this.enterToken = enterToken;
    this.secondsLeft = failure.retrySeconds;
    if (this.secondsLeft === null) return;
    this.timer = setInterval(() => {
      this.secondsLeft -= 1;
      if (this.secondsLeft > 0) {
        redraw();
      } else {
        this.stop();
        again();
      }
    }, TICK_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  view() {
    const { failure } = this;
    const isAboutToken = failure.status === 401 || failure.status === 403;
    return h(
      "div",
      { class: "problem" },
      h("div", { role: "alert" }, h("h2", {}, failure.title), h("p", {}, failure.detail)),
      failure.status === 401 ? tokenAge() : null,
      this.secondsLeft === null
        ? null
        : h("p", { class: "near" }, `Asking again in ${this.secondsLeft} s.`),
      h(
        "div",
        { class: "actions" },
        isAboutToken &&
          h(
            "button",
            { type: "button", class: "primary", onclick: this.enterToken },
            token() ? "Use another token" : "Enter a token",
          ),
        h("button", { type: "button", onclick: this.again }, "Ask again"),
      ),
    );
  }
}

function tokenAge() {
  const said = claims(token());
  if (!said?.expiresAt || said.expiresAt > Date.now()) return null;
  return h("p", {}, `It is that of ${said.subject} and ran out on ${local(said.expiresAt)}.`);
}
