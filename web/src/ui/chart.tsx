// Series drawn as SVG: a sparkline, the chart of the overview, and that of a group's lag.
import { useEffect, useRef, useState } from 'react';
import type { GroupDetail, SeriesPoint } from '../api/schema';
import { timeUnit } from '../core/groups';
import { formatCompact } from '../core/numbers';
import { areaPath, indexAt, linePath, scaleTop, xOf, yOf } from '../core/series';
import { formatDuration } from '../core/time';

export function Spark({ values, color }: { values: number[]; color: string }) {
  const frame = { width: 120, height: 24, max: scaleTop(values, 1) };
  return (
    <svg className="spark" viewBox="0 -1 120 26" preserveAspectRatio="none" aria-hidden="true">
      <path d={areaPath(values, frame)} fill={color} opacity="0.14" />
      <path
        d={linePath(values, frame)}
        fill="none"
        stroke={color}
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

const kHeight = 150;
const kLeft = 40;

type Line = {
  label: string;
  color: string;
  values: number[];
  /** Opacity of the area below; none when absent. */
  area?: number;
  /** Drawn broad and pale, so that the lines over it stay visible. */
  broad?: boolean;
};

type SeriesName = 'requests' | 'records' | 'deliveries' | 'failures';

const shown: (Omit<Line, 'values'> & { name: SeriesName })[] = [
  { name: 'requests', label: 'Requests', color: 'var(--series-requests)', area: 0.08, broad: true },
  { name: 'records', label: 'Records', color: 'var(--series-records)' },
  { name: 'deliveries', label: 'Deliveries', color: 'var(--series-deliveries)' },
  { name: 'failures', label: 'Failed attempts', color: 'var(--series-failures)', area: 0.2 },
];

export function ThroughputChart({ series, stepSeconds }: { series: SeriesPoint[]; stepSeconds: number }) {
  return (
    <TimeChart
      times={series.map((point) => point.t)}
      lines={shown.map(({ name, ...line }) => ({
        ...line,
        values: series.map((point) => point[name] / stepSeconds),
      }))}
      what="Per second over the last 15 minutes"
      unit=", per second"
      format={formatCompact}
    />
  );
}

const kLagSpan = 'Over the last 15 minutes';

/** How far a group was behind, in records or in time. */
export function LagChart({ history, of }: { history: GroupDetail['history']; of: 'records' | 'time' }) {
  const times = history.map((point) => point.at);
  if (of === 'records') {
    const values = history.map((point) => point.lag);
    return (
      <TimeChart
        times={times}
        lines={[{ label: 'Records behind', color: 'var(--series-records)', values, area: 0.14 }]}
        what={kLagSpan}
        unit=""
        format={formatCompact}
      />
    );
  }
  const unit = timeUnit(Math.max(0, ...history.map((point) => point.lagSeconds)));
  const values = history.map((point) => point.lagSeconds / unit.seconds);
  return (
    <TimeChart
      times={times}
      lines={[{ label: 'Time behind', color: 'var(--series-deliveries)', values, area: 0.14 }]}
      what={kLagSpan}
      unit={`, in ${unit.name}`}
      format={(value) => (value === 0 ? 'none' : formatDuration(value * unit.seconds * 1000))}
      axis={formatCompact}
    />
  );
}

type ChartProps = {
  /** One per value of each line. */
  times: string[];
  lines: Line[];
  /** What the values are, before them in the text for those who do not see the chart. */
  what: string;
  unit: string;
  format: (value: number) => string;
  /** Of the numbers at the scale; `format` when absent. */
  axis?: (value: number) => string;
};

function TimeChart({ times, lines, what, unit, format, axis = format }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const [at, setAt] = useState(-1);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const frame = {
    width: width - kLeft,
    height: kHeight,
    max: scaleTop(
      lines.flatMap((line) => line.values),
      1,
    ),
  };
  const pointed = at >= 0 && at < times.length ? at : -1;
  const read = pointed >= 0 ? pointed : times.length - 1;

  return (
    <div className="chart">
      <ul className="legend">
        {lines.map((line) => (
          <li key={line.label}>
            <span className="swatch" style={{ background: line.color }} />
            {line.label} <b>{read >= 0 ? format(line.values[read]!) : '–'}</b>
          </li>
        ))}
        <li className="push">
          {read >= 0 ? clock(times[read]!) : ''}
          {unit}
        </li>
      </ul>
      <div
        ref={box}
        onPointerMove={(event) =>
          setAt(
            indexAt(
              event.clientX - event.currentTarget.getBoundingClientRect().left - kLeft,
              times.length,
              frame.width,
            ),
          )
        }
        onPointerLeave={() => setAt(-1)}
      >
        <svg height={kHeight + 30} role="img" aria-label={summary(what, lines, format)}>
          <g transform={`translate(${kLeft} 8)`}>
            {[0, 0.25, 0.5, 0.75, 1].map((share) => {
              const y = Math.round(yOf(share * frame.max, frame));
              return (
                <g key={share}>
                  <line className="grid" x1={0} x2={frame.width} y1={y} y2={y} />
                  {share !== 0.25 && share !== 0.75 && (
                    <text x={-8} y={y + 4} textAnchor="end">
                      {axis(share * frame.max)}
                    </text>
                  )}
                </g>
              );
            })}
            {timeMarks(times, width < 500 ? 5 : 3).map((mark) => (
              <text
                key={mark.at}
                x={xOf(mark.at, times.length, frame)}
                y={kHeight + 16}
                textAnchor={mark.at === 0 ? 'start' : mark.at === times.length - 1 ? 'end' : 'middle'}
              >
                {mark.label}
              </text>
            ))}
            {lines.map((line) => (
              <g key={line.label}>
                {line.area !== undefined && (
                  <path d={areaPath(line.values, frame)} fill={line.color} opacity={line.area} />
                )}
                <path
                  d={linePath(line.values, frame)}
                  fill="none"
                  stroke={line.color}
                  strokeWidth={line.broad ? 3.5 : 1.5}
                  strokeOpacity={line.broad ? 0.45 : 1}
                  strokeLinejoin="round"
                />
              </g>
            ))}
            {pointed >= 0 && (
              <line
                className="cursor"
                x1={xOf(pointed, times.length, frame)}
                x2={xOf(pointed, times.length, frame)}
                y1={0}
                y2={kHeight}
              />
            )}
          </g>
        </svg>
      </div>
    </div>
  );
}

function summary(what: string, lines: Line[], format: (value: number) => string): string {
  const parts = lines.map(
    (line) =>
      `${line.label} ${format(line.values.at(-1) ?? 0)}, at most ${format(Math.max(0, ...line.values))}`,
  );
  return `${what}: ${parts.join('; ')}`;
}

/** Full minutes that can be divided by `everyMinutes`. */
function timeMarks(times: string[], everyMinutes: number): { at: number; label: string }[] {
  const marks: { at: number; label: string }[] = [];
  let last = '';
  times.forEach((text, at) => {
    const time = new Date(text);
    const label = `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
    if (time.getMinutes() % everyMinutes === 0 && label !== last && at > 4 && at < times.length - 3)
      marks.push({ at, label });
    if (time.getMinutes() % everyMinutes === 0) last = label;
  });
  // A node that just started has no such minute yet: then the ends speak.
  if (marks.length === 0 && times.length > 1)
    return [0, times.length - 1].map((at) => ({ at, label: clock(times[at]!) }));
  return marks;
}

function clock(text: string): string {
  return new Date(text).toTimeString().slice(0, 8);
}
