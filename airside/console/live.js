/** An account as it changes: the event stream, and asking now and then where there is none. */

import { address, headers, refused } from "./api.js";
import { EventParser } from "./sse.js";

const POLL_MS = 5_000;
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 15_000;
const TRIES_MAX = 3; // failures in a row before polling begins; the stream is still tried
const SILENCE_MS = 60_000; // the service sends a heartbeat more often than that

/**
 * Follow an account from version `after` on until `signal` aborts. `onChange(entries)` gets the
 * timeline's entries as they come, or none where something may have changed; `onStatus` gets
 * "live", "connecting" or "polling".
 */
export class Live {
  constructor(accountId, { after, signal, onChange, onStatus }) {
    this.url = address(["accounts", accountId, "events"]);
    this.onChange = onChange;
    this.onStatus = onStatus;
    this.signal = signal;
    this.lastId = String(after);
    this.failures = 0;
    this.run();
  }

  async run() {
    while (!this.signal.aborted) {
      try {
        await this.stream();
        this.failures = 0;
      } catch {
        this.failures += 1; // whatever it was: the views say what is wrong, here is another try
      }
      if (this.signal.aborted) break;
      if (this.failures >= TRIES_MAX) this.startPolling();
      else this.onStatus("connecting");
      await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** this.failures), this.signal);
    }
    this.stopPolling();
  }

  startPolling() {
    this.onStatus("polling");
    this.poll ??= setInterval(() => {
      if (!document.hidden) this.onChange([]);
    }, POLL_MS);
  }

  stopPolling() {
    clearInterval(this.poll);
    this.poll = undefined;
  }

  async stream() {
    const silence = new AbortController();
    const more = { Accept: "text/event-stream", "Last-Event-ID": this.lastId };
    const answer = await fetch(this.url, {
      headers: headers(more),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.any([this.signal, silence.signal]),
    });
    if (!answer.ok) throw await refused(answer);
    const wasAway = this.failures > 0 || this.poll !== undefined;
    this.stopPolling();
    this.failures = 0;
    this.onStatus("live");
    if (wasAway) this.onChange([]);
    await this.read(answer.body, silence);
  }

  async read(body, silence) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const guard = setTimeout(() => silence.abort(), SILENCE_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(guard));
      if (done) return;
      const events = parser.push(value);
      this.lastId = parser.lastId || this.lastId;
      const entries = events
        .filter((one) => one.type === "change")
        .map((one) => JSON.parse(one.data));
      const hasEnded = events.some((one) => one.type === "end");
      if (entries.length || hasEnded) this.onChange(entries);
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
