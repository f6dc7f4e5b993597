/** One account: who it is, and a section at a time, kept up to date while it is open. */

import { ask } from "./api.js";
import { h, show } from "./dom.js";
import { SECTION_VIEWS } from "./account_sections.js";
import { Live } from "./live.js";
import { badge, copyButton, facts, id, loading, state, tally } from "./parts.js";
import { SECTIONS, toAccount } from "./route.js";
import { Rounds } from "./rounds.js";
import { say } from "./say.js";
import { opened } from "./session.js";
import { Timeline } from "./timeline.js";
import { count, number } from "./words.js";
import { headline } from "./event_words.js";

const SOON_MS = 150; // changes that come together are asked for together
const ITEMS_MAX = 1_000; // licenses and titles that are shown
const WAIT_SECONDS = 2; // for the other read models to be as far as the timeline
const NAMES = {
  timeline: "Timeline",
  devices: "Devices",
  licenses: "Licenses",
  downloads: "Downloads",
  check: "Can it download?",
};
const LISTS = { devices: "devices", licenses: "licenses", downloads: "titles" };
const LIVENESS = {
  live: ["Live", "ok", "Changes show as they happen."],
  connecting: ["Connecting", "calm", "The stream of changes is being opened."],
  polling: [
    "Every 5 s",
    "warn",
    "The stream of changes cannot be opened; asking now and then.",
  ],
};

/** The page of an account. */
export class AccountPage {
  constructor(host, route, { enterToken }) {
    this.host = host;
    this.route = route;
    this.answers = {};
    this.liveness = "connecting";
    const redraw = () => this.draw();
    this.rounds = new Rounds(() => this.load(), { redraw, enterToken });
    this.timeline = new Timeline(route.accountId, this.rounds);
    this.draw();
    this.rounds.run();
  }

  get title() {
    return `${this.route.accountId}: ${NAMES[this.route.section]}`;
  }

  /** The same account, another section or filter. */
  go(route) {
    this.route = route;
    this.draw();
  }

  close() {
    this.rounds.close();
    clearTimeout(this.soon);
  }

  /** Ask for everything; `get` waits for the others to be as far as the timeline is. */
  async load() {
    await this.timeline.refresh();
    await Promise.all([this.get("devices"), this.get("licenses"), this.get("downloads")]);
    opened(this.route.accountId);
    this.follow();
  }

  async get(name) {
    const limit = name === "devices" ? null : ITEMS_MAX; // an account has few devices
    const query = { min_version: this.timeline.position, wait: WAIT_SECONDS, limit };
    const path = ["accounts", this.route.accountId, name];
    this.answers[name] = await ask(path, { query, signal: this.rounds.signal });
  }

  follow() {
    this.live ??= new Live(this.route.accountId, {
      after: this.timeline.entries[0]?.version ?? 0,
      signal: this.rounds.signal,
      onChange: (entries) => this.changed(entries),
      onStatus: (status) => {
        this.liveness = status;
        this.draw();
      },
    });
  }

  changed(entries) {
    if (entries.length === 1) say(`New: ${headline(entries[0])}`);
    else if (entries.length) say(`${entries.length} new events`);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.rounds.run(), SOON_MS);
  }

  draw() {
    if (this.rounds.signal.aborted) return;
    const rest = this.isKnown ? this.body() : this.waiting();
    show(this.host, this.head(), this.rounds.view(), rest);
  }

  get isKnown() {
    return this.answers.downloads !== undefined;
  }

  waiting() {
    return this.rounds.problem ? null : loading(`account ${this.route.accountId}`);
  }

  head() {
    const { accountId } = this.route;
    const about = this.answers.devices;
    return h(
      "div",
      { class: "account-head", "data-key": "head" },
      h("p", { class: "crumb" }, "Account"),
      h(
        "div",
        { class: "copyable" },
        h("h1", { tabindex: -1 }, id(accountId)),
        copyButton(accountId, "account id"),
      ),
      about &&
        h(
          "p",
          { class: "about" },
          state(about.status),
          h("span", {}, `plan ${about.plan_id}`),
          h("span", {}, about.country),
          this.isKnown && this.liveBadge(),
        ),
    );
  }

  liveBadge() {
    const [word, tone, meaning] = LIVENESS[this.liveness];
    return h("span", { class: "live", title: meaning }, badge(word, tone));
  }

  body() {
    const { section } = this.route;
    const inner = section === "timeline" ? this.timeline.view(this.route) : this.sectionView();
    return [
      this.stats(),
      h(
        "nav",
        { class: "tabs", "aria-label": "Account", "data-key": "tabs" },
        SECTIONS.map((name) => this.tab(name)),
      ),
      h("div", { class: "panel", "data-key": `panel-${section}` }, inner),
    ];
  }

  sectionView() {
    return SECTION_VIEWS[this.route.section](this);
  }

  tab(name) {
    const isHere = name === this.route.section;
    const list = this.answers[name]?.[LISTS[name]];
    return h(
      "a",
      { href: toAccount(this.route.accountId, name), "aria-current": isHere ? "page" : null },
      NAMES[name],
      list && tally(number(list.length), this.answers[name].next && "+"),
    );
  }

  stats() {
    const { devices, downloads } = this.answers;
    const full = downloads.titles.filter((one) => one.left === 0).length;
    const slots = devices.slots_limit === null ? "" : ` of ${number(devices.slots_limit)}`;
    return facts(
      [
        ["Active licenses", number(downloads.active)],
        ["Slots used", `${number(devices.slots_used)}${slots}`],
        ["Downloads counted", number(downloads.counted)],
        ["Refunded", number(downloads.refunded)],
        ["Renewals", number(downloads.renewed)],
        ["Titles at their limit", full ? badge(count(full, "title"), "bad") : "none"],
      ],
      { class: "stats", "data-key": "stats" },
    );
  }
}
