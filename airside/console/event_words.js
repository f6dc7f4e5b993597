/** Events of an account as sentences: nodes, so that ids and instants stay what they are. */

import { h } from "./dom.js";
import { id, when } from "./parts.js";
import { capital, count, duration, number, plain, size } from "./words.js";

const title = (f) => id(f.title_id);
const on = (f) => [" on ", id(f.device_id)];
const because = (f) => (f.reason ? `: ${f.reason}` : "");
const slots = (f) => (f.slots_limit === undefined ? "" : ` of ${number(f.slots_limit)}`);
const counts = (f) => {
  if (f.limit === undefined) return "; no limit";
  const exempt = f.counted ? "" : ", this one does not count";
  return `; ${number(f.used)} of ${number(f.limit)} used${exempt}`;
};

const SENTENCES = {
  AccountOpened: (f) => ["Plan ", id(f.plan_id), `, country ${f.country}`],
  PlanChanged: (f) => ["From ", id(f.previous_plan_id), " to ", id(f.plan_id)],
  CountryChanged: (f) => `From ${f.previous_country} to ${f.country}`,
  AccountSuspended: (f) => `The account is on hold${because(f)}`,
  AccountReinstated: (f) => `The account is off hold${because(f)}`,
  AccountClosed: (f) => `The membership ended${because(f)}`,
  AccountErased: () => "The person is forgotten",
  DeviceRegistered: (f) => [
    id(f.device_id),
    `, ${f.model}, ${f.drm} level ${f.security_level}`,
  ],
  DeviceActivated: (f) => [id(f.device_id), ` took slot ${number(f.slots_used)}${slots(f)}`],
  DeviceDeactivated: (f) => [id(f.device_id), " gave its slot back"],
  DeviceRemoved: (f) => id(f.device_id),
  DeviceLeaseRenewed: (f) => [id(f.device_id), " may stay away until ", when(f.lease_until)],
  DeviceSynced: (f) => [
    id(f.device_id),
    ` holds ${count(f.held, "license")}, gave ${number(f.released)} back`,
  ],
  LicenseIssued: (f) => [title(f), on(f), " until ", when(f.expires_at), counts(f)],
  LicenseRenewed: (f) => [
    title(f),
    on(f),
    " until ",
    when(f.expires_at),
    `; renewal ${number(f.renewal)}`,
    counts(f),
  ],
  LicenseReleased: (f) => [title(f), on(f), because(f)],
  LicenseExpired: (f) => [title(f), on(f), ", as of ", when(f.expires_at)],
  LicenseRevoked: (f) => [title(f), on(f), because(f)],
  DownloadReported: (f) => [
    title(f),
    on(f),
    `: ${f.status}${f.bytes ? `, ${size(f.bytes)}` : ""}`,
  ],
  DownloadCounted: (f) => [title(f), on(f), " counts against the limit from now on"],
  DownloadRefunded: (f) => [title(f), on(f), " failed early and counts no more"],
  PlaybackReported: (f) => [
    title(f),
    on(f),
    ` to ${duration(f.position_s)}`,
    f.late ? ", after the license ran out" : "",
  ],
  PlayWindowOpened: (f) => [title(f), on(f), ": first play; now until ", when(f.expires_at)],
  AllowanceGranted: (f) => [
    `${number(f.count)} more of `,
    f.title_id ? title(f) : "any title",
    f.device_id ? on(f) : "",
    " until ",
    when(f.expires_at),
    f.note ? `: ${f.note}` : "",
  ],
  CommandNoted: (f) => `${capital(plain(f.command_type))}: ${plain(f.note)}`,
};

/** What an event is called. */
export function headline({ type, facts }) {
  if (type !== "CommandRefused") return capital(plain(type));
  return `Refused: ${plain(facts.command_type)}`;
}

/** What it says, as children of an element; all its facts where no sentence is known. */
export function sentence({ type, facts }) {
  const words = Object.hasOwn(SENTENCES, type) ? SENTENCES[type](facts) : rest(facts);
  return h("span", { class: "sentence" }, words);
}

function rest(facts) {
  return Object.entries(facts).map(([name, value]) => [
    `${plain(name)} `,
    fact(name, value),
    " ",
  ]);
}

/** One fact as a node: instants as instants, lengths of time in words, ids as ids. */
export function fact(name, value) {
  if (typeof value === "number" && /(_at|_until)$/.test(name)) return when(value);
  if (typeof value === "number" && name.endsWith("_s")) return duration(value);
  if (name === "bytes") return size(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.join(", ") || "none";
  if (value === null) return "–";
  return name.endsWith("_id") ? id(String(value)) : String(value);
}
