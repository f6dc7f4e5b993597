/** The pieces that every page is made of. */

import { h, s } from "./dom.js";
import { say } from "./say.js";
import { capital, local, localTime, near, number, plain, utc } from "./words.js";

const COPIED_MS = 1_500;
const SHORT_CHARACTERS = 8; // of an id that is cut
const LONG_CHARACTERS = 20; // beyond which a narrow column may cut it

/** An instant in local time, with UTC on hover. Nothing where there is none. */
export function when(at, { nearby = false, timeOnly = false } = {}) {
  if (at === null || at === undefined || at === 0) return h("span", { class: "none" }, "–");
  const text = timeOnly ? localTime(at) : local(at);
  const attributes = { datetime: new Date(at).toISOString(), title: utc(at) };
  const shown = h("time", attributes, text);
  return nearby ? [shown, " ", h("span", { class: "near" }, near(at))] : shown;
}

/** An id to read; a long one is cut, and whole on hover. */
export function id(text, { cut = false } = {}) {
  const isCut = cut && text.length > SHORT_CHARACTERS;
  const shown = isCut ? `${text.slice(0, SHORT_CHARACTERS)}…` : text;
  return h(
    "code",
    { class: "id", title: isCut || text.length > LONG_CHARACTERS ? text : null },
    shown,
  );
}

/** An id to read and to copy. */
export function copyable(text, { what = "id", cut = false } = {}) {
  return h("span", { class: "copyable" }, id(text, { cut }), copyButton(text, what));
}

/** The button that copies an id. */
export function copyButton(text, what) {
  const label = `Copy ${what} ${text}`;
  return h(
    "button",
    {
      type: "button",
      class: "copy",
      "aria-label": label,
      title: "Copy",
      onclick: () => copy(text),
    },
    copyIcon(),
  );
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${text}`, { shown: true, lastsMs: COPIED_MS });
  } catch {
    say(`This browser does not let a page copy. The id is ${text}`, { shown: true });
  }
}

function copyIcon() {
  return s(
    "svg",
    { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
    s("path", {
      d: "M5.5 5.5h8v8h-8z M3 10.5h-.5v-8h8V3",
      fill: "none",
      stroke: "currentColor",
    }),
  );
}

/** A word with a color: `ok`, `warn`, `bad` or `calm`. The word says all, the color helps. */
export function badge(text, tone = "calm") {
  return h("span", { class: `badge ${tone}` }, text);
}

/** `2 of 3`, with a bar; just `2` where there is no limit. */
export function used(taken, limit) {
  if (limit === null || limit === undefined) {
    return h(
      "span",
      { class: "used" },
      number(taken),
      h("span", { class: "near" }, " no limit"),
    );
  }
  const part = limit > 0 ? taken / limit : 1;
  const tone = part >= 1 ? "bad" : part >= 0.75 ? "warn" : "ok";
  const words = `${number(taken)} of ${number(limit)}`;
  return h("span", { class: "used" }, share(taken, limit, tone), words);
}

/** A bar that helps to compare; the number stands beside it. */
export function share(part, whole, tone = "calm") {
  const width = whole > 0 ? 100 * Math.min(1, part / whole) : 100;
  const shape = { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" };
  return s(
    "svg",
    { class: `bar ${tone}`, ...shape },
    s("rect", { class: "bar-whole", width: 100, height: 6 }),
    s("rect", { class: "bar-part", width, height: 6 }),
  );
}

/** How many there are behind a link; apart from its name for whoever hears it. */
export function tally(...shown) {
  return [" ", h("span", { class: "tab-count" }, shown)];
}

/** A section with a heading of its own. */
export function section(title, attributes, ...children) {
  const anchor = `s-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  const heading = h("h2", { id: anchor }, title);
  return h("section", { "aria-labelledby": anchor, ...attributes }, heading, children);
}

/**
 * A table. `columns` are `{name, kind}` (kind: "number", "wide", "plot" or ""), `rows` are
 * `{key, cells, tone}`; the first cell heads its row. On a narrow screen each row is a card,
 * and a brief table leaves its wide columns out there. The roles are spelled out, since
 * browsers have taken them away where `display` is changed.
 */
export function table(caption, columns, rows, { brief = false } = {}) {
  const head = columns.map(({ name, kind = "" }) =>
    h("th", { scope: "col", role: "columnheader", class: kind }, name),
  );
  return h(
    "table",
    { role: "table", class: brief ? "data brief" : "data" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) => line(columns, row)),
    ),
  );
}

function line(columns, { key, cells, tone = "" }) {
  const made = cells.map((cell, n) => {
    const { name, kind = "" } = columns[n];
    const attributes = { class: kind, "data-label": name };
    return n === 0
      ? h("th", { scope: "row", role: "rowheader", ...attributes }, h("div", {}, cell))
      : h("td", { role: "cell", ...attributes }, h("div", {}, cell));
  });
  return h("tr", { role: "row", "data-key": key, class: tone }, made);
}

/** Names and values, a pair at a time. */
export function facts(pairs, attributes = { class: "facts" }) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined);
  return h(
    "dl",
    attributes,
    shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** Where there is nothing to show: why that is, and what to do. */
export function empty(title, ...children) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), children);
}

/** Until the first answer is there. */
export function loading(what) {
  return h("p", { class: "loading", role: "status" }, `Loading ${what} …`);
}

/** From when an answer is, and a warning where it is behind what was asked for. */
export function standing(of) {
  if (!of) return null;
  const stale = of.fresh ? null : badge(`${number(of.behind)} events behind`, "warn");
  return h(
    "p",
    { class: "standing" },
    "As of ",
    when(of.as_of),
    `, position ${number(of.version)}, from `,
    id(of.generation),
    stale,
  );
}

/** A state in words with the color that it has everywhere. */
export function state(name) {
  const tones = { ACTIVE: "ok", open: "ok", serving: "ok", REVOKED: "bad", closed: "bad" };
  const others = { EXPIRED: "warn", suspended: "warn", building: "warn", ready: "warn" };
  return badge(capital(plain(name)), tones[name] ?? others[name] ?? "calm");
}
