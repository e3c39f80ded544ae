// Lays the spans of a trace out as rows on a time axis. Pure.
//
// One trace may hold a request of 3 ms and its redelivery ten minutes later. On a true scale the request
// would be invisible, so idle time between spans can be folded: the axis is cut into segments, a long gap
// becomes a narrow one, and bars and ticks go through the same mapping.
import { millisBetween, parseNanos } from './time';

export type SpanInput = {
  spanId: string;
  parentSpanId?: string | null;
  name: string;
  service: string;
  start: string;
  end: string;
  failed: boolean;
};

export type SpanRow<S extends SpanInput> = {
  span: S;
  depth: number;
  children: number;
  /** Milliseconds from the start of the trace. */
  startMs: number;
  durationMs: number;
};

export type Segment = {
  startMs: number;
  endMs: number;
  /** Position on the axis, 0 to 1. */
  from: number;
  to: number;
  folded: boolean;
};

export type Axis = { totalMs: number; segments: Segment[]; folded: boolean };

export type Tick = {
  at: number;
  ms: number;
  /** Counted from the end of the folded gap before it, not from the start of the trace. */
  relative: boolean;
};

// A folded gap is drawn this wide, and all of them together not wider than that.
const kFoldedGapWidth = 0.05;
const kFoldedWidthMax = 0.4;

// Ticks stand at least this part of their even distance apart, so that their labels do not overlap.
const kTickDistance = 0.85;

/** Rows in tree order, children by start. A span whose parent is missing is a root; a cycle is cut. */
export function layOutSpans<S extends SpanInput>(spans: S[]): SpanRow<S>[] {
  const starts = new Map(spans.map((span) => [span, parseNanos(span.start) ?? 0n]));
  const byStart = [...spans].sort((a, b) => compare(starts.get(a)!, starts.get(b)!));
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map<string, S[]>();
  const roots: S[] = [];
  for (const span of byStart) {
    const parent = span.parentSpanId ?? '';
    if (parent === span.spanId || !known.has(parent)) {
      roots.push(span);
      continue;
    }
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  const origin = byStart.length > 0 ? starts.get(byStart[0]!)! : 0n;
  const rows: SpanRow<S>[] = [];
  const placed = new Set<S>();
  const place = (root: S) => {
    const stack: { span: S; depth: number }[] = [{ span: root, depth: 0 }];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const { span, depth } = top;
      if (placed.has(span)) continue;
      placed.add(span);
      const inner = children.get(span.spanId) ?? [];
      const start = starts.get(span)!;
      const end = parseNanos(span.end) ?? start;
      rows.push({
        span,
        depth,
        children: inner.length,
        startMs: millisBetween(origin, start),
        durationMs: Math.max(0, millisBetween(start, end)),
      });
      for (const child of [...inner].reverse()) stack.push({ span: child, depth: depth + 1 });
    }
  };
  roots.forEach(place);
  byStart.filter((span) => !placed.has(span)).forEach(place);
  return rows;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The axis for these rows, true to scale or with long idle gaps folded. */
export function axisOf(rows: { startMs: number; durationMs: number }[], fold: boolean): Axis {
  const totalMs = Math.max(0, ...rows.map((row) => row.startMs + row.durationMs));
  const whole: Segment = { startMs: 0, endMs: totalMs, from: 0, to: 1, folded: false };
  const gaps = fold ? longGaps(rows) : [];
  if (gaps.length === 0) return { totalMs, segments: [whole], folded: false };
  const shownMs = totalMs - gaps.reduce((sum, gap) => sum + gap.endMs - gap.startMs, 0);
  const gapWidth = Math.min(kFoldedGapWidth, kFoldedWidthMax / gaps.length);
  const scale = shownMs > 0 ? (1 - gaps.length * gapWidth) / shownMs : 0;
  const segments: Segment[] = [];
  let at = 0;
  let position = 0;
  const push = (endMs: number, width: number, folded: boolean) => {
    segments.push({ startMs: at, endMs, from: position, to: position + width, folded });
    at = endMs;
    position += width;
  };
  for (const gap of gaps) {
    push(gap.startMs, (gap.startMs - at) * scale, false);
    push(gap.endMs, gapWidth, true);
  }
  push(totalMs, 1 - position, false);
  return { totalMs, segments, folded: true };
}

// A gap is long when nothing happens in it for longer than something happens in the whole trace.
function longGaps(rows: { startMs: number; durationMs: number }[]) {
  const intervals = rows
    .map((row) => ({ startMs: row.startMs, endMs: row.startMs + row.durationMs }))
    .sort((a, b) => a.startMs - b.startMs);
  const gaps: { startMs: number; endMs: number }[] = [];
  let busyMs = 0;
  let busyUntil = 0;
  for (const { startMs, endMs } of intervals) {
    if (startMs > busyUntil) gaps.push({ startMs: busyUntil, endMs: startMs });
    busyMs += Math.max(0, endMs - Math.max(startMs, busyUntil));
    busyUntil = Math.max(busyUntil, endMs);
  }
  return busyMs > 0 ? gaps.filter((gap) => gap.endMs - gap.startMs > busyMs) : [];
}

/** Where a moment is drawn, 0 to 1. */
export function positionOf(axis: Axis, ms: number): number {
  const segment = axis.segments.find((one) => ms <= one.endMs) ?? axis.segments.at(-1)!;
  const length = segment.endMs - segment.startMs;
  const share = length > 0 ? (ms - segment.startMs) / length : 0;
  return segment.from + Math.min(1, Math.max(0, share)) * (segment.to - segment.from);
}

/** Round times along the axis, about `count` of them; none within a folded gap, none too close together. */
export function ticksOf(axis: Axis, count: number): Tick[] {
  const ticks: Tick[] = [];
  const put = (tick: Tick) => {
    const last = ticks.at(-1);
    if (!last || tick.at - last.at > kTickDistance / count) ticks.push(tick);
  };
  for (const segment of axis.segments) {
    const length = segment.endMs - segment.startMs;
    if (segment.folded || length <= 0) continue;
    // Where a segment begins matters more than the last mark of the one before it.
    for (let last = ticks.at(-1); last && !isStart(axis, last); last = ticks.at(-1)) {
      if (segment.from - last.at > kTickDistance / count) break;
      ticks.pop();
    }
    put({ at: segment.from, ms: segment.startMs, relative: false });
    const step = niceStep(length / Math.max(1, count * (segment.to - segment.from)));
    const relative = segment.startMs > 0;
    for (let n = 1; n * step <= length; n += 1) {
      put({ at: positionOf(axis, segment.startMs + n * step), ms: n * step, relative });
    }
  }
  return ticks;
}

function isStart(axis: Axis, tick: Tick): boolean {
  return !tick.relative && axis.segments.some((segment) => !segment.folded && segment.from === tick.at);
}

/** The round number (1, 2 or 5 times a power of ten) at or above `value`. */
export function niceStep(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}
