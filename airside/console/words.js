/** Numbers, instants and codes as people read them. */

const DAY_S = 86_400;
const UNITS = [
  ["day", DAY_S],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dayClock = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const timeClock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const nearness = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** `1,234`; a dash for what there is none of. */
export function number(value) {
  return value === null || value === undefined ? "–" : Number(value).toLocaleString();
}

/** `1 device`, `2 devices`. */
export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** An instant in the time of whoever looks. */
export function local(at) {
  return clock.format(at);
}

/** Its day and its time of day alone. */
export function localDay(at) {
  return dayClock.format(at);
}

/** See localDay. */
export function localTime(at) {
  return timeClock.format(at);
}

/** `2026-11-24 17:38:00 UTC`. */
export function utc(at) {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The name of the time zone that `local` speaks. */
export function zone() {
  return clock.resolvedOptions().timeZone;
}

/** `in 3 days`, `2 minutes ago`: in the largest unit that there is one of. */
export function near(at, now = Date.now()) {
  const seconds = Math.round((at - now) / 1_000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  return nearness.format(Math.trunc(seconds / size), unit);
}

/** A length of time in its two largest units: `2 d 4 h`, `12 s`. */
export function duration(seconds) {
  if (seconds < 10) return `${Number(seconds.toFixed(1)).toLocaleString()} s`;
  let rest = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole) parts.push(`${whole.toLocaleString()} ${unit === "minute" ? "min" : unit[0]}`);
  }
  return parts.slice(0, 2).join(" ");
}

/** `1.5 GB`. */
export function size(bytes) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(names.length - 1, bytes ? Math.floor(Math.log10(bytes) / 3) : 0);
  const value = bytes / 1_000 ** step;
  const shown = value.toLocaleString(undefined, { maximumFractionDigits: step ? 1 : 0 });
  return `${shown} ${names[step]}`;
}

/** `AcquireLicense` as `acquire license`, `TITLE_PERIOD_LIMIT` as `title period limit`. */
export function plain(name) {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

/** With a capital first. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An explanation without the code that it begins with: the code is shown beside it. */
export function withoutCode(explanation, code) {
  return explanation.startsWith(`${code}: `) ? explanation.slice(code.length + 2) : explanation;
}
