/** The first page: find an account; what is refused, and what expires soon. */

import { ask } from "./api.js";
import { h, show } from "./dom.js";
import { badge, empty, id, loading, section, share, standing, table, when } from "./parts.js";
import { toAccount } from "./route.js";
import { Rounds } from "./rounds.js";
import { recent } from "./session.js";
import { capital, count, number, plain } from "./words.js";

const EVERY_MS = 15_000;
const WITHIN_SECONDS = 86_400;
const EXPIRING_SHOWN = 12;
const REASONS_SHOWN = 10;

const REASONS = [
  { name: "Reason" },
  { name: "Rule" },
  { name: "Times", kind: "number" },
  { name: "Last", kind: "wide" },
];

/** Account search and an overview. */
export class HomePage {
  constructor(host, route, { enterToken }) {
    this.host = host;
    const redraw = () => this.draw();
    this.rounds = new Rounds(() => this.load(), { everyMs: EVERY_MS, redraw, enterToken });
    this.draw();
    this.rounds.run();
  }

  get title() {
    return "Accounts";
  }

  go() {
    this.draw();
  }

  close() {
    this.rounds.close();
  }

  async load() {
    const { signal } = this.rounds;
    const query = { within_seconds: WITHIN_SECONDS, limit: EXPIRING_SHOWN };
    [this.refusals, this.expiring] = await Promise.all([
      ask(["refusals"], { signal }),
      ask(["expiring"], { query, signal }),
    ]);
  }

  draw() {
    show(
      this.host,
      h("h1", { tabindex: -1 }, "Find an account"),
      this.search(),
      this.recents(),
      this.rounds.view(),
      this.refusals ? this.overview() : !this.rounds.problem && loading("the overview"),
    );
  }

  search() {
    return h(
      "form",
      { class: "search", role: "search", onsubmit: openAccount, "data-key": "search" },
      h("label", { for: "find-id" }, "Account id"),
      h("input", {
        id: "find-id",
        name: "account",
        type: "search",
        autocomplete: "off",
        spellcheck: "false",
        maxlength: 128,
        required: true,
      }),
      h("button", { type: "submit", class: "primary" }, "Open"),
    );
  }

  recents() {
    const known = recent();
    if (!known.length) return null;
    return h(
      "nav",
      { class: "recents", "aria-label": "Opened in this tab" },
      h("span", { class: "near" }, "Opened in this tab"),
      known.map((one) => h("a", { href: toAccount(one) }, one)),
    );
  }

  overview() {
    return h(
      "div",
      { class: "columns", "data-key": "overview" },
      section("Refused, over all accounts", {}, this.refused()),
      section("Expires within 24 hours", {}, this.soon()),
    );
  }

  refused() {
    const { codes, count: all } = this.refusals;
    const rows = refusalRows(codes);
    if (!rows.length) return empty("Nothing was ever refused.");
    const rest = rows.slice(REASONS_SHOWN);
    return [
      h("p", { class: "lead" }, count(all, "refusal"), " in all"),
      table("Refusals by reason", REASONS, rows.slice(0, REASONS_SHOWN), { brief: true }),
      rest.length > 0 &&
        h(
          "details",
          { class: "others", "data-key": "rest" },
          h("summary", {}, `${count(rest.length, "reason")} more`),
          table("Rarer reasons", REASONS, rest, { brief: true }),
        ),
      standing(this.refusals.standing),
    ];
  }

  soon() {
    const { licenses, count: all } = this.expiring;
    if (!licenses.length) return empty("No license expires within 24 hours.");
    const columns = [
      { name: "Account" },
      { name: "License", kind: "wide" },
      { name: "Expires" },
    ];
    const rows = licenses.map((one) => ({
      key: one.license_id,
      cells: [
        h("a", { href: toAccount(one.account_id, "licenses") }, one.account_id),
        id(one.license_id, { cut: true }),
        when(one.expires_at, { nearby: true }),
      ],
    }));
    const rest = all - rows.length;
    return [
      h("p", { class: "lead" }, count(all, "license")),
      table("Licenses that expire soon", columns, rows),
      rest > 0 && h("p", { class: "standing" }, badge(`and ${number(rest)} more`)),
      standing(this.expiring.standing),
    ];
  }
}

function refusalRows(codes) {
  const entries = Object.entries(codes);
  return entries.map(([code, one]) => ({
    key: code,
    cells: [
      capital(plain(code)),
      Object.keys(one.by_rule).join(", ") || "none",
      [share(one.count, entries[0][1].count), h("span", { class: "tally" }, number(one.count))],
      when(one.last_at),
    ],
  }));
}

/** Open the account that a form names. */
export function openAccount(event) {
  event.preventDefault();
  const accountId = new FormData(event.currentTarget).get("account").trim();
  if (accountId) location.hash = toAccount(accountId);
}
