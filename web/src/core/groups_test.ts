import { describe, expect, it } from 'vitest';
import { effectOf, inOrder, readReset, streamsOf, summaryOf, timeUnit, type ResetForm } from './groups';

const form = (fields: Partial<ResetForm>): ResetForm => ({
  to: 'earliest',
  number: '',
  time: '',
  stream: '',
  ...fields,
});

describe('readReset', () => {
  it('asks for an end of every stream, or of one', () => {
    expect(readReset(form({ number: 'x', time: 'x' }))).toEqual({ reset: { to: 'earliest' } });
    expect(readReset(form({ to: 'latest', stream: 'a.b.v1' }))).toEqual({
      reset: { to: 'latest', stream: 'a.b.v1' },
    });
  });
  it('takes an offset from 0 up', () => {
    expect(readReset(form({ to: 'offset', number: ' 1204 ' }))).toEqual({
      reset: { to: 'offset', number: 1204 },
    });
    for (const number of ['', '-1', '1.5', '1e3', 'ten', '9007199254740993'])
      expect(readReset(form({ to: 'offset', number })), number).toHaveProperty('fault');
  });
  it('takes a shift in both directions, also with a printed minus', () => {
    expect(readReset(form({ to: 'shift', number: '-100' }))).toEqual({
      reset: { to: 'shift', number: -100 },
    });
    expect(readReset(form({ to: 'shift', number: '−3' }))).toEqual({ reset: { to: 'shift', number: -3 } });
    expect(readReset(form({ to: 'shift', number: '+3' }))).toEqual({ reset: { to: 'shift', number: 3 } });
    expect(readReset(form({ to: 'shift', number: '0' }))).toHaveProperty('fault');
  });
  it('turns the local time of the form into a moment', () => {
    const local = '2025-03-14T09:26:53';
    expect(readReset(form({ to: 'time', time: local }))).toEqual({
      reset: { to: 'time', time: new Date(local).toISOString() },
    });
    expect(readReset(form({ to: 'time', time: '' }))).toHaveProperty('fault');
  });
});

describe('what a reset does', () => {
  const item = (again?: number) => ({
    stream: 's',
    partition: 0,
    to: 5,
    ...(again === undefined ? {} : { from: 5 + again, again }),
  });
  it('is told for a partition', () => {
    expect(effectOf(item(1312))).toEqual({ tone: 'again', text: '1,312 read again' });
    expect(effectOf(item(-4))).toEqual({ tone: 'skipped', text: '4 skipped' });
    expect(effectOf(item(0)).text).toBe('stays');
    expect(effectOf(item()).text).toBe('no offset so far');
  });
  it('is told for all of them, both directions apart', () => {
    expect(summaryOf([item(3), item(1), item(-1), item()])).toBe(
      '4 records are read again, 1 record is skipped, 1 partition gets its first offset.',
    );
    expect(summaryOf([item(0)])).toMatch(/^Nothing moves/);
  });
});

describe('timeUnit', () => {
  it('keeps the numbers of a scale short', () => {
    const names = [0, 119, 120, 7199, 7200, 172_799, 172_800].map((seconds) => timeUnit(seconds).name);
    expect(names).toEqual(['seconds', 'seconds', 'minutes', 'minutes', 'hours', 'hours', 'days']);
  });
});

describe('offsets', () => {
  const at = (stream: string, partition: number) => ({ stream, partition, offset: 0, lag: 0 });
  it('stand by stream and partition', () => {
    const mixed = [at('b', 10), at('b', 9), at('a', 1)];
    expect(inOrder(mixed)).toEqual([at('a', 1), at('b', 9), at('b', 10)]);
    expect(mixed[0]).toEqual(at('b', 10));
    expect(streamsOf(mixed)).toEqual(['a', 'b']);
  });
});
