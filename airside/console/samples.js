/** What was measured over the last minutes, so that it can be drawn. Bounded in every way. */

export const SPAN_MS = 5 * 60_000;
const SERIES_MAX = 2_000;
const POINTS_MAX = 300;

/** Series of (instant, value) by name. */
export class Samples {
  constructor() {
    this.series = new Map();
  }

  /** One more point of a series; what is older than the span is let go. */
  add(name, at, value) {
    if (!this.series.has(name) && this.series.size >= SERIES_MAX) return;
    const points = this.series.get(name) ?? [];
    points.push({ at, value });
    while (points.length > POINTS_MAX || points[0].at < at - SPAN_MS) points.shift();
    this.series.set(name, points);
  }

  /** The points of a series, the oldest first. */
  of(name) {
    return this.series.get(name) ?? [];
  }
}
