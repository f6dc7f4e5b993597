/** A small plot of the last minutes: a line over an area, and a dot where it is now. */

import { s } from "./dom.js";
import { SPAN_MS } from "./samples.js";
import { number } from "./words.js";

const PAD = 2.5;

/**
 * The plot. `now` is its right edge and the span its width, so that plots beside each other
 * show the same time; it begins at zero, so that flat and low looks flat and low.
 */
export function sparkline(points, { label, now, width = 120, height = 26, unit = "" }) {
  const highest = Math.max(0, ...points.map((one) => one.value));
  const last = points.at(-1)?.value ?? 0;
  const most = `highest of the last minutes ${number(highest)}${unit}`;
  const words = `${label}: now ${number(last)}${unit}, ${most}`;
  const at = ({ at: instant, value }) => [
    rounded(width - PAD - ((now - instant) / SPAN_MS) * (width - 2 * PAD)),
    rounded(height - PAD - (value / (highest || 1)) * (height - 2 * PAD)),
  ];
  return s(
    "svg",
    {
      class: `spark ${highest ? "" : "flat"}`,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": words,
    },
    s("title", {}, words),
    s("line", {
      class: "spark-base",
      x1: PAD,
      x2: width - PAD,
      y1: height - PAD,
      y2: height - PAD,
    }),
    drawn(points.map(at), height - PAD),
  );
}

function drawn(places, floor) {
  if (!places.length) return null;
  const line = places.map(([x, y], n) => `${n ? "L" : "M"}${x} ${y}`).join("");
  const [[firstX], [lastX, lastY]] = [places[0], places.at(-1)];
  return [
    s("path", { class: "spark-area", d: `${line}L${lastX} ${floor}L${firstX} ${floor}Z` }),
    s("path", { class: "spark-line", d: line }),
    s("circle", { class: "spark-now", cx: lastX, cy: lastY, r: 2 }),
  ];
}

function rounded(value) {
  return Math.round(value * 10) / 10;
}
