/** Server-sent events, read by fetch: EventSource could not send the token in a header. */

/** Turns the text of a stream, however it is cut, into events `{id, type, data}`. */
export class EventParser {
  constructor() {
    this.rest = "";
    this.lastId = "";
    this.clear();
  }

  clear() {
    this.type = "message";
    this.lines = [];
  }

  /** The events that this piece of text completes. */
  push(text) {
    const events = [];
    this.rest += text;
    // A carriage return at the end may be the first half of a line end: it waits for more.
    const whole = this.rest.endsWith("\r") ? this.rest.slice(0, -1) : this.rest;
    const lines = whole.split(/\r\n|\r|\n/);
    this.rest = lines.pop() + this.rest.slice(whole.length);
    for (const line of lines) {
      if (line !== "") this.take(line);
      else if (this.lines.length) {
        events.push({ id: this.lastId, type: this.type, data: this.lines.join("\n") });
        this.clear();
      } else this.clear();
    }
    return events;
  }

  take(line) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === "data") this.lines.push(value ?? "");
    else if (name === "event") this.type = value || "message";
    else if (name === "id" && !value?.includes("\0")) this.lastId = value ?? "";
  }
}
