/** The sections of an account: devices, licenses, downloads, and the question to the rules. */

import { h } from "./dom.js";
import { checkView } from "./check.js";
import {
  badge,
  copyable,
  empty,
  id,
  section,
  standing,
  state,
  table,
  tally,
  used,
  when,
} from "./parts.js";
import { toAccount } from "./route.js";
import { capital, count, duration, number, plain, size } from "./words.js";

const STATES = ["ACTIVE", "EXPIRED", "RELEASED", "REVOKED"];

const DEVICE_COLUMNS = [
  { name: "Device" },
  { name: "Model" },
  { name: "Protection", kind: "wide" },
  { name: "Slot" },
  { name: "Active licenses", kind: "number" },
  { name: "Next expiry" },
  { name: "Last sync", kind: "wide" },
  { name: "Lease until", kind: "wide" },
];

function devices({ answers }) {
  const answer = answers.devices;
  const rows = answer.devices.map((one) => ({
    key: one.device_id,
    tone: one.removed_at ? "faded" : "",
    cells: [
      copyable(one.device_id, { what: "device id" }),
      one.model || "–",
      `${one.drm} level ${number(one.security_level)}`,
      slotOf(one),
      number(one.active),
      when(one.next_expiry_at),
      when(one.synced_at),
      one.is_lease_over
        ? [when(one.lease_until), " ", badge("over", "bad")]
        : when(one.lease_until),
    ],
  }));
  const limit = answer.slots_limit === null ? "no limit known yet" : `of ${answer.slots_limit}`;
  return section(
    "Devices",
    {},
    h(
      "p",
      { class: "lead" },
      `${count(answer.slots_used, "slot")} used, ${limit}. `,
      "A device takes a slot while it holds a license.",
    ),
    rows.length
      ? table("Devices", DEVICE_COLUMNS, rows)
      : empty("No device was ever registered."),
    standing(answer.standing),
  );
}

function slotOf(one) {
  if (one.removed_at) return badge("Removed", "calm");
  return one.takes_slot ? badge("In use", "ok") : badge("Free", "calm");
}

const LICENSE_COLUMNS = [
  { name: "License" },
  { name: "Title" },
  { name: "Device" },
  { name: "State" },
  { name: "Until" },
  { name: "Issued", kind: "wide" },
  { name: "First play", kind: "wide" },
  { name: "Plays", kind: "number" },
  { name: "Renewals", kind: "number wide" },
  { name: "Download", kind: "wide" },
];

function licenses({ answers, route }) {
  const { device, state: chosen } = route.query;
  const all = answers.licenses.licenses;
  const some = all.filter(
    (one) => (!device || one.device_id === device) && (!chosen || one.state === chosen),
  );
  return section(
    "Licenses",
    {},
    h(
      "nav",
      { class: "filter", "aria-label": "Show" },
      stateChoice(route, "All", "", all.length),
      STATES.map((name) => {
        const many = all.filter((one) => one.state === name).length;
        return stateChoice(route, capital(plain(name)), name, many);
      }),
    ),
    some.length
      ? table("Licenses", LICENSE_COLUMNS, some.map(licenseRow))
      : empty(all.length ? "No license is in this state." : "No license was ever issued."),
    more(answers.licenses, all.length, "licenses"),
    standing(answers.licenses.standing),
  );
}

function stateChoice({ accountId, query }, name, wanted, many) {
  const isChosen = (query.state ?? "") === wanted;
  const href = toAccount(accountId, "licenses", { ...query, state: wanted });
  const attributes = { href, "aria-current": isChosen ? "true" : null };
  return h("a", attributes, name, tally(number(many)));
}

function licenseRow(one) {
  const late = one.late_plays ? [" ", badge(`${number(one.late_plays)} late`, "warn")] : null;
  const waits =
    one.state === one.recorded_state ? null : h("span", { class: "near" }, " not yet recorded");
  return {
    key: one.license_id,
    tone: one.state === "ACTIVE" ? "" : "faded",
    cells: [
      copyable(one.license_id, { what: "license id", cut: true }),
      id(one.title_id),
      id(one.device_id),
      [state(one.state), waits, one.reason && h("span", { class: "near" }, ` ${one.reason}`)],
      [when(one.expires_at), one.expires_in_s !== null && left(one.expires_in_s)],
      when(one.issued_at),
      when(one.first_played_at),
      [number(one.plays), late],
      number(one.renewals),
      downloaded(one),
    ],
  };
}

function downloaded({ download, bytes }) {
  if (download === "completed") return size(bytes);
  return download || "–";
}

function left(seconds) {
  return h("span", { class: "near" }, ` ${duration(seconds)} left`);
}

const TITLE_COLUMNS = [
  { name: "Title" },
  { name: "Used" },
  { name: "Left", kind: "number" },
  { name: "Granted by support", kind: "number wide" },
  { name: "Window" },
  { name: "Next possible" },
];

const MONTH_COLUMNS = [
  { name: "Device" },
  { name: "Used this month" },
  { name: "Left", kind: "number" },
  { name: "Active licenses", kind: "number" },
  { name: "Issued in all", kind: "number wide" },
  { name: "Next possible" },
];

function downloads({ answers, route }) {
  const answer = answers.downloads;
  const titles = [...answer.titles].sort((a, b) => (a.left ?? Infinity) - (b.left ?? Infinity));
  return [
    section(
      "By title",
      {},
      titles.length
        ? table(
            "Downloads by title",
            TITLE_COLUMNS,
            titles.map((one) => titleRow(one, answer.at, route)),
          )
        : empty("Nothing was downloaded yet."),
      more(answer, titles.length, "titles"),
    ),
    section(
      "By device, this calendar month (UTC)",
      {},
      answer.devices.length
        ? table(
            "Downloads by device",
            MONTH_COLUMNS,
            answer.devices.map((one) => monthRow(one, answer.at)),
          )
        : empty("No device has had a license yet."),
      standing(answer.standing),
    ),
  ];
}

function titleRow(one, at, { accountId }) {
  const why = toAccount(accountId, "check", { title: one.title_id });
  return {
    key: one.title_id,
    cells: [
      id(one.title_id),
      used(one.used, one.limit),
      number(one.left),
      number(one.allowance),
      duration(one.window_s),
      [
        possible(one.available_at, at),
        " ",
        h(
          "a",
          { href: why, "aria-label": `Ask the rules about ${one.title_id}` },
          "Ask the rules",
        ),
      ],
    ],
  };
}

function monthRow(one, at) {
  return {
    key: one.device_id,
    cells: [
      id(one.device_id),
      used(one.used, one.limit),
      number(one.left),
      number(one.active),
      number(one.issued),
      possible(one.available_at, at),
    ],
  };
}

/** Where an account has more than the service gives at once. */
function more(answer, shown, what) {
  if (!answer.next) return null;
  return h(
    "p",
    { class: "standing" },
    `These are the first ${number(shown)} ${what}; there are more.`,
  );
}

/** When the next one is possible: now, later, or not as things stand. */
function possible(availableAt, at) {
  if (availableAt === null) return badge("Not as things stand", "bad");
  return availableAt <= at ? badge("Now", "ok") : when(availableAt, { nearby: true });
}

/** How each section is drawn from an account page. */
export const SECTION_VIEWS = { devices, licenses, downloads, check: checkView };
