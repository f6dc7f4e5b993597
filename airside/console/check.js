/** "Why can this device not download that title?": every rule that would refuse, in words. */

import { ask } from "./api.js";
import { h } from "./dom.js";
import { badge, empty, facts, id, section, used, when } from "./parts.js";
import { toAccount } from "./route.js";
import { Rounds } from "./rounds.js";
import { say } from "./say.js";
import { count, number, plain, withoutCode } from "./words.js";

/** The section of an account page; what was asked is in its address. */
export function checkView(page) {
  page.check ??= new Check(page);
  return page.check.view();
}

class Check {
  constructor(page) {
    this.page = page;
    this.asked = {};
    this.answer = null;
    const { enterToken } = page.rounds;
    this.rounds = new Rounds(() => this.load(), { redraw: () => page.draw(), enterToken });
  }

  view() {
    const { device = "", title = "" } = this.page.route.query;
    if (device && title) this.ask(device, title);
    return section(
      "Can it download?",
      { class: "check" },
      h(
        "p",
        { class: "lead" },
        "The rules are asked on the account's history as it is now. ",
        "Nothing is written, and no download is used up.",
      ),
      this.form(device, title),
      h("div", { class: "result", "aria-live": "polite" }, this.result(device, title)),
    );
  }

  form(device, title) {
    const { devices, downloads } = this.page.answers;
    const known = devices.devices.map((one) => one.device_id);
    const names = device && !known.includes(device) ? [device, ...known] : known;
    return h(
      "form",
      {
        class: "ask",
        onsubmit: (event) => this.submitted(event),
        "data-key": `${device} ${title}`,
      },
      h(
        "div",
        { class: "field" },
        h("label", { for: "check-device" }, "Device"),
        h(
          "select",
          { id: "check-device", name: "device", required: true },
          names.map((name) => h("option", { value: name, selected: name === device }, name)),
        ),
      ),
      h(
        "div",
        { class: "field" },
        h("label", { for: "check-title" }, "Title id"),
        h("input", {
          id: "check-title",
          name: "title",
          value: title,
          required: true,
          maxlength: 128,
          list: "check-titles",
          autocomplete: "off",
          spellcheck: "false",
        }),
        h(
          "datalist",
          { id: "check-titles" },
          downloads.titles.map((one) => h("option", { value: one.title_id })),
        ),
      ),
      h("button", { type: "submit", class: "primary" }, "Ask the rules"),
    );
  }

  submitted(event) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [device, title] = [form.get("device") ?? "", form.get("title").trim()];
    if (!device || !title) return;
    this.asked = {};
    const wanted = toAccount(this.page.route.accountId, "check", { device, title });
    if (location.hash === wanted) this.page.draw();
    else location.hash = wanted;
  }

  /** Ask, unless that is what was asked last. */
  ask(device, title) {
    if (this.asked.device === device && this.asked.title === title) return;
    this.asked = { device, title };
    this.answer = null;
    this.rounds.forgive();
    this.rounds.run();
  }

  async load() {
    const { asked } = this;
    const path = ["accounts", this.page.route.accountId, "can-download"];
    const query = { device_id: asked.device, title_id: asked.title };
    const answer = await ask(path, { query, signal: this.page.rounds.signal });
    if (asked !== this.asked) return;
    this.answer = answer;
    say(answer.allowed ? "It would be allowed." : "It would be refused.");
  }

  result(device, title) {
    if (this.rounds.problem) return this.rounds.view();
    if (!device || !title) return empty("Choose a device and a title.");
    if (!this.answer) return h("p", { class: "loading" }, "Asking the rules …");
    return this.verdict(this.answer);
  }

  verdict(answer) {
    const { allowed, reasons } = answer;
    const what = [id(answer.title_id), " on ", id(answer.device_id)];
    const first = reasons.length > 1 ? " The first is what the device is told." : "";
    const words = allowed
      ? "No rule would refuse this download now."
      : `It would be refused by ${count(reasons.length, "rule")}.${first}`;
    return [
      h(
        "div",
        { class: `verdict ${allowed ? "ok" : "bad"}` },
        h("h3", {}, badge(allowed ? "Yes" : "No", allowed ? "ok" : "bad"), " ", what),
        h("p", {}, words),
        answer.held &&
          h(
            "p",
            {},
            badge("Held", "warn"),
            ` No command of this account is handled now: ${answer.held}`,
          ),
      ),
      h(
        "ol",
        { class: "reasons", "aria-label": "Rules that would refuse" },
        reasons.map(reason),
      ),
      h(
        "p",
        { class: "standing" },
        "As of ",
        when(answer.at),
        `, version ${number(answer.version)} of the account, `,
        `catalog ${number(answer.catalog_version)}`,
      ),
    ];
  }
}

function reason(one) {
  return h(
    "li",
    { class: "reason" },
    h("p", {}, badge(plain(one.code), "bad"), " ", withoutCode(one.explanation, one.code)),
    facts(
      [
        ["Rule", one.rule || "none"],
        ["Whose limit", one.scope],
        ["Used", one.limit === null ? null : used(one.used ?? 0, one.limit)],
        [
          "Possible from",
          one.available_at === null ? null : when(one.available_at, { nearby: true }),
        ],
      ],
      { class: "facts inline" },
    ),
  );
}
