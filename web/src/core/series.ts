// Turns series of counts into SVG path data. Pure.
import { niceStep } from './waterfall';

export type Frame = { width: number; height: number; max: number };

/** The top of a scale that holds all values: a round number, at least `floor`. */
export function scaleTop(values: number[], floor: number): number {
  const top = Math.max(floor, ...values);
  const step = niceStep(top / 4);
  return Math.ceil(top / step - 1e-9) * step;
}

/** "M0,40L10,20…" over the whole width; one value is drawn as a level line. */
export function linePath(values: number[], frame: Frame): string {
  if (values.length === 0) return '';
  const points = values.length === 1 ? [values[0]!, values[0]!] : values;
  return points
    .map(
      (value, at) =>
        `${at === 0 ? 'M' : 'L'}${round(xOf(at, points.length, frame))},${round(yOf(value, frame))}`,
    )
    .join('');
}

/** The same line closed along the bottom. */
export function areaPath(values: number[], frame: Frame): string {
  const line = linePath(values, frame);
  return line && `${line}L${frame.width},${frame.height}L0,${frame.height}Z`;
}

export function xOf(at: number, count: number, frame: Frame): number {
  return count < 2 ? 0 : (at / (count - 1)) * frame.width;
}

export function yOf(value: number, frame: Frame): number {
  return frame.max > 0 ? frame.height * (1 - value / frame.max) : frame.height;
}

/** Which value is nearest to a horizontal position. */
export function indexAt(x: number, count: number, width: number): number {
  if (count === 0 || width <= 0) return -1;
  return Math.min(count - 1, Math.max(0, Math.round((x / width) * (count - 1))));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
