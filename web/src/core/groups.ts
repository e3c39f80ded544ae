// Consumer groups: where one is to go on, and what that does, in words. Pure.
import type { GroupReset, GroupResetResult } from '../api/schema';
import { formatCount, plural } from './numbers';

export type ResetTo = GroupReset['to'];

/** What stands in the form, as it was typed. */
export type ResetForm = {
  to: ResetTo;
  /** Of `offset` and `shift`. */
  number: string;
  /** Of `time`: what a datetime-local field holds, in the browser's zone. */
  time: string;
  /** Empty: every stream that the group has offsets in. */
  stream: string;
};

/** The request that a form stands for, or what is missing in it. */
export function readReset(form: ResetForm): { reset: GroupReset } | { fault: string } {
  const stream = form.stream === '' ? {} : { stream: form.stream };
  switch (form.to) {
    case 'earliest':
    case 'latest':
      return { reset: { to: form.to, ...stream } };
    case 'offset': {
      const number = wholeNumber(form.number);
      if (number === undefined || number < 0)
        return { fault: 'An offset is a whole number from 0 up, such as 1204.' };
      return { reset: { to: 'offset', number, ...stream } };
    }
    case 'shift': {
      const number = wholeNumber(form.number);
      if (number === undefined || number === 0)
        return { fault: 'Give a whole number: -100 reads a hundred records again, 100 skips a hundred.' };
      return { reset: { to: 'shift', number, ...stream } };
    }
    case 'time': {
      const time = new Date(form.time);
      if (form.time === '' || Number.isNaN(time.getTime())) return { fault: 'Give a day and a time.' };
      return { reset: { to: 'time', time: time.toISOString(), ...stream } };
    }
  }
}

function wholeNumber(text: string): number | undefined {
  const trimmed = text.trim().replace(/^−/, '-');
  if (!/^[+-]?\d{1,16}$/.test(trimmed)) return undefined;
  const number = Number(trimmed);
  return Number.isSafeInteger(number) ? number : undefined;
}

export type ResetItem = GroupResetResult['items'][number];

/** What a reset does in one partition. */
export function effectOf(item: ResetItem): { tone: 'again' | 'skipped' | 'none'; text: string } {
  if (item.again === undefined) return { tone: 'none', text: 'no offset so far' };
  if (item.again > 0) return { tone: 'again', text: `${formatCount(item.again)} read again` };
  if (item.again < 0) return { tone: 'skipped', text: `${formatCount(-item.again)} skipped` };
  return { tone: 'none', text: 'stays' };
}

/** What a reset does in all partitions: "312 records are read again, 4 are skipped." */
export function summaryOf(items: ResetItem[]): string {
  const again = items.reduce((sum, item) => sum + Math.max(0, item.again ?? 0), 0);
  const skipped = items.reduce((sum, item) => sum + Math.max(0, -(item.again ?? 0)), 0);
  const fresh = items.filter((item) => item.again === undefined).length;
  const parts: string[] = [];
  if (again > 0) parts.push(`${plural(again, 'record')} ${again === 1 ? 'is' : 'are'} read again`);
  if (skipped > 0) parts.push(`${plural(skipped, 'record')} ${skipped === 1 ? 'is' : 'are'} skipped`);
  if (fresh > 0)
    parts.push(`${plural(fresh, 'partition')} ${fresh === 1 ? 'gets its' : 'get their'} first offset`);
  return parts.length === 0 ? 'Nothing moves: the group stands there already.' : `${parts.join(', ')}.`;
}

/** The unit that a scale of times up to so many seconds is read in. */
export function timeUnit(secondsMax: number): { name: string; seconds: number } {
  if (secondsMax < 120) return { name: 'seconds', seconds: 1 };
  if (secondsMax < 2 * 3600) return { name: 'minutes', seconds: 60 };
  return secondsMax < 2 * 86_400 ? { name: 'hours', seconds: 3600 } : { name: 'days', seconds: 86_400 };
}

type Position = { stream?: string; partition: number };

/** By stream and partition, as a person looks for them. */
export function inOrder<P extends Position>(offsets: P[]): P[] {
  return [...offsets].sort(
    (a, b) => (a.stream ?? '').localeCompare(b.stream ?? '') || a.partition - b.partition,
  );
}

/** The streams that a group has offsets in. */
export function streamsOf(offsets: Position[]): string[] {
  return [...new Set(inOrder(offsets).flatMap((one) => one.stream ?? []))];
}
