/** What could not be handled and waits for a person. */

import { h } from "./dom.js";
import { copyable, empty, id, table, when } from "./parts.js";
import { toAccount } from "./route.js";
import { number, size } from "./words.js";

const SHOWN_MAX = 200;
const COLUMNS = [
  { name: "Key" },
  { name: "Where" },
  { name: "Why" },
  { name: "Since" },
  { name: "Partition", kind: "number" },
  { name: "Offset", kind: "number" },
  { name: "Size", kind: "number wide" },
];

/** Parked records; a parked command holds its account until somebody decides. */
export function parkedTable(parked) {
  if (!parked.length) return empty("Nothing is parked.");
  const rows = parked.slice(0, SHOWN_MAX).map((one) => ({
    key: `${one.where} ${one.shard} ${one.offset}`,
    cells: [
      one.key ? [copyable(one.key, { what: "key" }), " ", toTimeline(one)] : "–",
      id(one.where),
      one.reason,
      when(one.at),
      number(one.shard),
      number(one.offset),
      size(one.size),
    ],
  }));
  const more = parked.length - rows.length;
  return [
    h(
      "p",
      { class: "lead" },
      "A parked command holds its account: what follows it waits behind it, in order. ",
      "Mend the cause, then run ",
      h("code", {}, "airside parked redrive ACCOUNT"),
      ".",
    ),
    table("Parked records", COLUMNS, rows),
    more > 0 && h("p", { class: "standing" }, `And ${number(more)} more: run airside parked.`),
  ];
}

function toTimeline({ where, key }) {
  if (where !== "commands") return null;
  return h("a", { href: toAccount(key), "aria-label": `Open account ${key}` }, "Open account");
}
