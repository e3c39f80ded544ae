// Series drawn as SVG: a sparkline, and the chart of the overview.
import { useEffect, useRef, useState } from 'react';
import type { SeriesPoint } from '../api/schema';
import { formatCompact } from '../core/numbers';
import { areaPath, indexAt, linePath, scaleTop, xOf, yOf } from '../core/series';

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

type SeriesName = 'requests' | 'records' | 'deliveries' | 'failures';

const shown: { name: SeriesName; label: string; color: string }[] = [
  { name: 'requests', label: 'Requests', color: 'var(--series-requests)' },
  { name: 'records', label: 'Records', color: 'var(--series-records)' },
  { name: 'deliveries', label: 'Deliveries', color: 'var(--series-deliveries)' },
  { name: 'failures', label: 'Failed attempts', color: 'var(--series-failures)' },
];

const kHeight = 150;
const kLeft = 40;

export function ThroughputChart({ series, stepSeconds }: { series: SeriesPoint[]; stepSeconds: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const [at, setAt] = useState(-1);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const perSecond = (name: SeriesName) => series.map((point) => point[name] / stepSeconds);
  const lines = shown.map((one) => ({ ...one, values: perSecond(one.name) }));
  const frame = {
    width: width - kLeft,
    height: kHeight,
    max: scaleTop(
      lines.flatMap((line) => line.values),
      1,
    ),
  };
  const pointed = at >= 0 && at < series.length ? at : -1;
  const read = pointed >= 0 ? pointed : series.length - 1;

  return (
    <div className="chart">
      <ul className="legend">
        {lines.map((line) => (
          <li key={line.name}>
            <span className="swatch" style={{ background: line.color }} />
            {line.label} <b>{read >= 0 ? formatCompact(line.values[read]!) : '–'}</b>
          </li>
        ))}
        <li className="push">{read >= 0 ? clock(series[read]!.t) : ''}, per second</li>
      </ul>
      <div
        ref={box}
        onPointerMove={(event) =>
          setAt(
            indexAt(
              event.clientX - event.currentTarget.getBoundingClientRect().left - kLeft,
              series.length,
              frame.width,
            ),
          )
        }
        onPointerLeave={() => setAt(-1)}
      >
        <svg height={kHeight + 30} role="img" aria-label={summary(lines)}>
          <g transform={`translate(${kLeft} 8)`}>
            {[0, 0.25, 0.5, 0.75, 1].map((share) => {
              const y = Math.round(yOf(share * frame.max, frame));
              return (
                <g key={share}>
                  <line className="grid" x1={0} x2={frame.width} y1={y} y2={y} />
                  {share !== 0.25 && share !== 0.75 && (
                    <text x={-8} y={y + 4} textAnchor="end">
                      {formatCompact(share * frame.max)}
                    </text>
                  )}
                </g>
              );
            })}
            {timeMarks(series, width < 500 ? 5 : 3).map((mark) => (
              <text
                key={mark.at}
                x={xOf(mark.at, series.length, frame)}
                y={kHeight + 16}
                textAnchor={mark.at === 0 ? 'start' : mark.at === series.length - 1 ? 'end' : 'middle'}
              >
                {mark.label}
              </text>
            ))}
            {lines.map((line) => (
              <g key={line.name}>
                {(line.name === 'failures' || line.name === 'requests') && (
                  <path
                    d={areaPath(line.values, frame)}
                    fill={line.color}
                    opacity={line.name === 'failures' ? 0.2 : 0.08}
                  />
                )}
                <path
                  d={linePath(line.values, frame)}
                  fill="none"
                  stroke={line.color}
                  strokeWidth={line.name === 'requests' ? 3.5 : 1.5}
                  strokeOpacity={line.name === 'requests' ? 0.45 : 1}
                  strokeLinejoin="round"
                />
              </g>
            ))}
            {pointed >= 0 && (
              <line
                className="cursor"
                x1={xOf(pointed, series.length, frame)}
                x2={xOf(pointed, series.length, frame)}
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

function summary(lines: { label: string; values: number[] }[]): string {
  const parts = lines.map(
    (line) =>
      `${line.label} ${formatCompact(line.values.at(-1) ?? 0)}, at most ${formatCompact(Math.max(0, ...line.values))}`,
  );
  return `Per second over the last 15 minutes: ${parts.join('; ')}`;
}

/** Full minutes that can be divided by `everyMinutes`. */
function timeMarks(series: SeriesPoint[], everyMinutes: number): { at: number; label: string }[] {
  const marks: { at: number; label: string }[] = [];
  let last = '';
  series.forEach((point, at) => {
    const time = new Date(point.t);
    const label = `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
    if (time.getMinutes() % everyMinutes === 0 && label !== last && at > 4 && at < series.length - 3)
      marks.push({ at, label });
    if (time.getMinutes() % everyMinutes === 0) last = label;
  });
  // A node that just started has no such minute yet: then the ends speak.
  if (marks.length === 0 && series.length > 1)
    return [0, series.length - 1].map((at) => ({ at, label: clock(series[at]!.t) }));
  return marks;
}

function clock(text: string): string {
  return new Date(text).toTimeString().slice(0, 8);
}
