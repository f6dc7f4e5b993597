/** What happened on an account, the latest first, with the reason of every refusal. */

import { ask } from "./api.js";
import { h } from "./dom.js";
import { fact, headline, sentence } from "./event_words.js";
import {
  badge,
  copyable,
  empty,
  facts,
  id,
  section,
  standing,
  tally,
  used,
  when,
} from "./parts.js";
import { toAccount } from "./route.js";
import { count, localDay, number, plain, withoutCode } from "./words.js";

const PAGE_ENTRIES = 50;
const ACTORS = { member: "Member", timekeeper: "Timekeeper", operator: "Operator" };

/** The entries that were loaded so far, and how they look. */
export class Timeline {
  constructor(accountId, rounds) {
    this.accountId = accountId;
    this.rounds = rounds;
    this.entries = [];
    this.earlier = undefined; // the cursor of what came before; null: there is nothing
    this.position = 0; // of the shard, as far as the entries are
    this.isLoading = false;
  }

  /** The latest entries; those that were loaded stay, where the new ones meet them. */
  async refresh() {
    const answer = await this.page();
    const first = answer.entries.at(-1)?.version ?? 0;
    const known = this.entries.filter((one) => one.version < first);
    const meets = known.length > 0 && known[0].version === first - 1;
    this.entries = [...answer.entries, ...(meets ? known : [])];
    if (!meets) this.earlier = answer.next;
    this.position = answer.standing.version;
    this.standing = answer.standing;
  }

  async more() {
    this.isLoading = true;
    this.rounds.redraw();
    try {
      const answer = await this.page(this.earlier);
      this.entries = [...this.entries, ...answer.entries];
      this.earlier = answer.next;
    } catch (failure) {
      this.rounds.fail(failure);
    }
    this.isLoading = false;
    this.rounds.redraw();
  }

  page(cursor) {
    const query = { limit: PAGE_ENTRIES, cursor };
    return ask(["accounts", this.accountId, "timeline"], { query, signal: this.rounds.signal });
  }

  view({ query }) {
    const refusals = this.entries.filter((one) => one.type === "CommandRefused");
    const shown = query.refusals ? refusals : this.entries;
    return section(
      "Timeline",
      { class: "timeline" },
      h(
        "nav",
        { class: "filter", "aria-label": "Show" },
        this.choice("Everything", {}, !query.refusals, this.entries.length),
        this.choice("Refusals", { refusals: "1" }, Boolean(query.refusals), refusals.length),
      ),
      shown.length ? this.days(shown) : this.nothing(query),
      this.earlier &&
        h(
          "p",
          { class: "actions" },
          h(
            "button",
            { type: "button", onclick: () => this.more(), "aria-busy": this.isLoading },
            this.isLoading ? "Loading …" : "Show what came before",
          ),
        ),
      standing(this.standing),
    );
  }

  choice(name, query, isChosen, many) {
    const href = toAccount(this.accountId, "timeline", query);
    const attributes = { href, "aria-current": isChosen ? "true" : null };
    return h("a", attributes, name, tally(number(many)));
  }

  nothing(query) {
    if (!query.refusals) return empty("Nothing has happened on this account.");
    const where = this.earlier ? ` among the latest ${number(this.entries.length)} events` : "";
    return empty(`Nothing was refused${where}.`);
  }

  days(entries) {
    const days = Map.groupBy(entries, (one) => localDay(one.at));
    return [...days].map(([day, some]) =>
      h(
        "div",
        { class: "day", "data-key": day },
        h("h3", {}, day),
        h(
          "ol",
          { class: "entries", "aria-label": `${count(some.length, "event")} of ${day}` },
          some.map((one) => this.entry(one)),
        ),
      ),
    );
  }

  entry(one) {
    const isRefusal = one.type === "CommandRefused";
    return h(
      "li",
      { class: `entry ${isRefusal ? "refusal" : ""}`, "data-key": String(one.version) },
      h("span", { class: "entry-time" }, when(one.at, { timeOnly: true })),
      h("div", { class: "entry-body" }, this.details(one), isRefusal && this.refusal(one)),
      h("span", { class: "entry-by" }, ACTORS[one.actor] ?? one.actor),
    );
  }

  about({ title_id: title, device_id: device }) {
    return h("span", { class: "sentence" }, title && id(title), device && [" on ", id(device)]);
  }

  refusal({ facts: said, explanation, catalog_version: catalog }) {
    return h(
      "div",
      { class: "why" },
      h("p", {}, badge(plain(said.code), "bad"), " ", withoutCode(explanation, said.code)),
      facts(
        [
          ["Rule", said.rule || "none"],
          ["Policies", `catalog ${number(catalog)}`],
          ["Used", said.limit === undefined ? null : used(said.used ?? 0, said.limit)],
          [
            "Possible again",
            said.available_at ? when(said.available_at, { nearby: true }) : null,
          ],
        ],
        { class: "facts inline" },
      ),
      said.title_id && said.device_id && h("p", {}, this.askNow(said)),
    );
  }

  askNow({ title_id: title, device_id: device }) {
    const href = toAccount(this.accountId, "check", { device, title });
    return h("a", { href }, "Would it be allowed now?");
  }

  details(one) {
    const about = one.type === "CommandRefused" ? this.about(one.facts) : sentence(one);
    const said = Object.entries(one.facts).map(([name, value]) => [
      plain(name),
      fact(name, value),
    ]);
    return h(
      "details",
      {},
      h("summary", {}, h("strong", {}, headline(one)), " ", about),
      facts([
        ["event", `${one.type}, version ${number(one.version)} of the account`],
        ["at", when(one.at)],
        ["command", copyable(one.command_id, { what: "command id" })],
        ["policies", `catalog version ${number(one.catalog_version)}`],
        ...said,
      ]),
    );
  }
}
