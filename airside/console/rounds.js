/** Asking again and again while a page is open, and what happens when there is no answer. */

import { Problem } from "./problem.js";

/**
 * Calls `load` now and every so often (`everyMs` 0: only when told), never while the page is
 * out of sight, and not at all after `close`. While an answer is owed, `view()` says why.
 */
export class Rounds {
  constructor(load, { everyMs = 0, redraw, enterToken }) {
    this.load = load;
    this.everyMs = everyMs;
    this.redraw = redraw;
    this.enterToken = enterToken;
    this.closing = new AbortController();
    this.problem = null;
    this.hasLoaded = false;
  }

  get signal() {
    return this.closing.signal;
  }

  close() {
    this.closing.abort();
    this.forgive();
    clearTimeout(this.timer);
  }

  /** One round, and the next ones after it. */
  async run() {
    clearTimeout(this.timer);
    if (!document.hidden || !this.hasLoaded) await this.round();
    if (this.everyMs && !this.problem && !this.signal.aborted) {
      this.timer = setTimeout(() => this.run(), this.everyMs);
    }
  }

  async round() {
    try {
      await this.load();
      this.hasLoaded = true;
      this.forgive();
    } catch (failure) {
      this.fail(failure);
    }
    if (!this.signal.aborted) this.redraw();
  }

  /** Show a failure, and ask again when the service said so or a person wants to. */
  fail(failure) {
    if (this.signal.aborted) return;
    this.forgive();
    this.problem = new Problem(failure, {
      again: () => this.run(),
      redraw: this.redraw,
      enterToken: this.enterToken,
    });
  }

  forgive() {
    this.problem?.stop();
    this.problem = null;
  }

  view() {
    return this.problem?.view() ?? null;
  }
}
