/** How the pipeline stands: lag as small plots, generations, replays under way, parked keys. */

import { ask } from "./api.js";
import { h, show } from "./dom.js";
import { badge, empty, facts, id, loading, section, state, table, when } from "./parts.js";
import { matrix, measured } from "./partitions.js";
import { parkedTable } from "./parked.js";
import { Rounds } from "./rounds.js";
import { Samples } from "./samples.js";
import { say } from "./say.js";
import { sparkline } from "./sparkline.js";
import { count, duration, number, plain } from "./words.js";

const EVERY_MS = 2_000;
const PARKED_EVERY = 5; // rounds

const COLUMNS = [
  { name: "Generation" },
  { name: "Role" },
  { name: "Lag, last 5 min", kind: "plot" },
  { name: "Lag", kind: "number" },
  { name: "Late", kind: "number" },
  { name: "Events", kind: "number wide" },
  { name: "Rows", kind: "number wide" },
  { name: "Last compared" },
  { name: "Code", kind: "wide" },
];

/** The page of the pipeline; it asks every two seconds while it can be seen. */
export class PipelinePage {
  constructor(host, route, { enterToken }, samples) {
    this.host = host;
    this.samples = samples;
    this.round = 0;
    this.building = new Set();
    const redraw = () => this.draw();
    this.rounds = new Rounds(() => this.load(), { everyMs: EVERY_MS, redraw, enterToken });
    this.draw();
    this.rounds.run();
  }

  get title() {
    return "Pipeline";
  }

  go() {
    this.draw();
  }

  close() {
    this.rounds.close();
  }

  async load() {
    const { signal } = this.rounds;
    if (this.round % PARKED_EVERY === 0) this.parked = await ask(["parked"], { signal });
    const both = [ask(["projections"], { signal }), ask(["pipeline"], { signal })];
    [this.status, this.pipeline] = await Promise.all(both);
    this.round += 1;
    this.measure();
  }

  /** Keep what the plots show, and tell what has begun or ended. */
  measure() {
    const at = Date.now();
    this.samples.add("waiting", at, this.status.waiting.commands);
    for (const one of this.status.projections) this.samples.add(one.name, at, one.lag_events);
    measured(this.samples, at, this.pipeline.partitions);
    const building = this.builds().map((one) => one.name);
    for (const name of building) if (!this.building.has(name)) say(`A replay builds ${name}.`);
    for (const name of this.building) if (!building.includes(name)) say(`${name} is built.`);
    this.building = new Set(building);
  }

  builds() {
    return this.status.projections.filter((one) => one.builder);
  }

  draw() {
    show(
      this.host,
      h("h1", { tabindex: -1, "data-key": "h1" }, "Pipeline"),
      this.rounds.view(),
      this.status ? this.body() : !this.rounds.problem && loading("the pipeline"),
    );
  }

  body() {
    const { projections } = this.status;
    const served = projections.filter((one) => one.role === "serving");
    return [
      this.stats(served),
      this.replays(),
      section("Served read models", {}, this.generations("Served read models", served)),
      this.others(projections.filter((one) => one.role !== "serving")),
      section("By partition", {}, matrix(this.samples, Date.now(), this.pipeline.partitions)),
      section("Parked", {}, parkedTable(this.parked)),
    ];
  }

  stats(served) {
    const { waiting } = this.status;
    const now = Date.now();
    const behind = Math.max(0, ...served.map((one) => one.lag_events));
    const late = Math.max(0, ...served.map((one) => one.lag_seconds));
    const keys = new Set(this.parked.map((one) => `${one.where} ${one.key}`)).size;
    return facts(
      [
        [
          "Commands waiting for a handler",
          [
            number(waiting.commands),
            " ",
            sparkline(this.samples.of("waiting"), {
              label: "Commands waiting",
              now,
              width: 72,
              height: 20,
            }),
          ],
        ],
        ["Largest lag", count(behind, "event")],
        ["Longest delay", late ? duration(late) : "none"],
        ["Replays under way", number(this.builds().length)],
        ["Parked keys", keys ? badge(number(keys), "bad") : "none"],
      ],
      { class: "stats", "data-key": "stats" },
    );
  }

  others(some) {
    if (!some.length) return null;
    return h(
      "details",
      { class: "others", "data-key": "others" },
      h(
        "summary",
        {},
        count(some.length, "other generation"),
        ": standing by, being built, or to look back with",
      ),
      this.generations("Other generations", some),
    );
  }

  replays() {
    const builds = this.builds();
    if (!builds.length) return null;
    return section(
      "Replays under way",
      { "data-key": "replays" },
      h("ul", { class: "replays" }, builds.map(replay)),
    );
  }

  generations(caption, some) {
    if (!some.length) {
      return empty(
        "There are none yet.",
        h(
          "p",
          {},
          "Start ",
          h("code", {}, "airside up"),
          " or ",
          h("code", {}, "airside project"),
          ".",
        ),
      );
    }
    return table(
      caption,
      COLUMNS,
      some.map((one) => this.generation(one)),
      { brief: true },
    );
  }

  generation(one) {
    const now = Date.now();
    return {
      key: one.name,
      tone: one.role === "serving" ? "" : "faded",
      cells: [
        id(one.name),
        [state(one.role), one.whole ? null : badge("not whole", "warn")],
        sparkline(this.samples.of(one.name), {
          label: `Lag of ${one.name}`,
          now,
          unit: " events",
        }),
        number(one.lag_events),
        one.lag_events ? duration(one.lag_seconds) : "–",
        number(one.version),
        number(one.rows),
        compared(one.verified),
        one.current ? "installed" : badge(`other: ${one.fingerprint}`, "warn"),
      ],
    };
  }
}

function compared(verified) {
  if (!verified) return h("span", { class: "none" }, "not yet");
  const { different, rows, accepted, at } = verified;
  if (!different) return [badge("equal", "ok"), " ", h("span", { class: "near" }, when(at))];
  const words = `${number(different)} of ${number(rows)} differ`;
  return [badge(words, accepted ? "warn" : "bad"), accepted ? " accepted" : "", " ", when(at)];
}

function replay({ name, builder, source }) {
  const { phase, done, total, eta_seconds: eta } = builder;
  const label = `${name}: ${phase || "begun"}`;
  const share = total ? Math.floor((100 * done) / total) : 0;
  return h(
    "li",
    { class: "replay", "data-key": name },
    h(
      "p",
      {},
      id(name),
      ` ${capitalPhase(phase)} from the ${source === "store" ? "event store" : source}`,
    ),
    h("progress", { value: done, max: total || 1, "aria-label": label }, `${share} %`),
    h(
      "p",
      { class: "near" },
      `${number(done)} of ${number(total)} (${share} %)`,
      eta === null ? "" : `, about ${duration(eta)} left`,
      `, by ${builder.name}`,
    ),
  );
}

function capitalPhase(phase) {
  return phase ? `is ${plain(phase)}` : "has begun";
}

/** What was measured; it outlives the page, so that coming back shows it again. */
export function newSamples() {
  return new Samples();
}
