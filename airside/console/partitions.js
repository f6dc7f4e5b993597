/** Lag per partition: a small plot of the commands and of each read model, in each of them. */

import { h } from "./dom.js";
import { empty, id } from "./parts.js";
import { sparkline } from "./sparkline.js";
import { number } from "./words.js";

/** Keep one measurement of every partition for the plots. */
export function measured(samples, at, partitions) {
  for (const one of partitions) {
    samples.add(`commands/${one.partition}`, at, one.commands_waiting);
    for (const [name, lag] of Object.entries(one.projections)) {
      samples.add(`${name}/${one.partition}`, at, lag.lag_events);
    }
  }
}

/** A matrix of plots: stages down, partitions across. It scrolls where it is too wide. */
export function matrix(samples, now, partitions) {
  const names = Object.keys(partitions[0]?.projections ?? {});
  if (!partitions.length) return empty("There are no partitions.");
  const plot = (label, name, { partition }) => {
    const points = samples.of(`${name}/${partition}`);
    return sparkline(points, {
      label: `${label}, partition ${partition}`,
      now,
      width: 52,
      height: 18,
    });
  };
  const cell = (plotted, lag, ...rest) =>
    h(
      "td",
      { class: lag ? "behind" : "" },
      plotted,
      h("span", { class: "matrix-lag" }, number(lag)),
      rest,
    );
  const line = (key, heading, cells) =>
    h("tr", { "data-key": key }, h("th", { scope: "row" }, heading), cells);
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Lag by partition" },
    h(
      "table",
      { class: "matrix" },
      h(
        "caption",
        { class: "unseen" },
        "What waits in each partition, before handlers and projectors",
      ),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Stage"),
          partitions.map((one) => h("th", { scope: "col" }, `Partition ${one.partition}`)),
        ),
      ),
      h(
        "tbody",
        {},
        line(
          "commands",
          "Commands waiting",
          partitions.map((one) =>
            cell(plot("Commands waiting", "commands", one), one.commands_waiting),
          ),
        ),
        names.map((name) =>
          line(
            name,
            id(name),
            partitions.map((one) => {
              const { lag_events: lag, version } = one.projections[name];
              const position = h("span", { class: "near" }, ` at ${number(version)}`);
              return cell(plot(`Lag of ${name}`, name, one), lag, position);
            }),
          ),
        ),
      ),
    ),
  );
}
