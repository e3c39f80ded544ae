// WCAG 2.2 AA: text needs a contrast of 4.5 to what is behind it, marks and borders of controls 3.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const colors = new Map(
  [...css.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)/g)].map((match) => [
    match[1]!,
    [match[2]!, match[3]!] as const,
  ]),
);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const surfaces = ['ground', 'surface', 'raised', 'sunken', 'hover', 'selected'];
const on = (text: string, backs: string[]) => backs.map((back) => [text, back] as const);

const texts = [
  ...['text', 'text-soft', 'text-faint', 'accent'].flatMap((text) => on(text, surfaces)),
  ...['bad', 'warn'].flatMap((text) => on(text, ['ground', 'surface', 'hover', 'selected', `${text}-soft`])),
  ...['ok', 'info'].flatMap((text) => on(text, [`${text}-soft`])),
  ...on('text-soft', ['plain-soft', 'bad-soft']),
  ...on('text', ['bad-soft', 'ok-soft', 'warn-soft']),
  ...on('text-faint', ['bad-soft', 'ok-soft']),
  ...['code-name', 'code-string', 'code-number', 'code-literal'].flatMap((text) =>
    on(text, ['sunken', 'surface']),
  ),
  ...on('on-accent', ['accent-strong']),
];

const marks = [
  ...[
    'series-requests',
    'series-records',
    'series-deliveries',
    'series-failures',
    'line-strong',
    'accent',
  ].flatMap((mark) => on(mark, ['surface', 'ground'])),
];

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('contrast, %s', (_theme, at) => {
  const ratio = (front: string, back: string) => contrast(colors.get(front)![at], colors.get(back)![at]);
  it.each(texts)('text %s on %s', (front, back) => expect(ratio(front, back)).toBeGreaterThanOrEqual(4.5));
  it.each(marks)('mark %s on %s', (front, back) => expect(ratio(front, back)).toBeGreaterThanOrEqual(3));
});
