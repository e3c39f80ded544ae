import { describe, expect, it } from 'vitest';
import type { Stream } from '../api/schema';
import { settingsOf } from './stream_settings';

const stream = (fields: Partial<Stream>): Stream => ({
  name: 'a.b.c.v1',
  owner: 'team',
  partitions: 1,
  records: 0,
  bytes: 0,
  recordsPerSecond: 0,
  durability: 'disk',
  cleanup: 'delete',
  retentionSeconds: 604_800,
  retentionBytes: null,
  validation: 'every',
  schemaName: 'order',
  ...fields,
});
const valuesOf = (...of: Parameters<typeof settingsOf>) =>
  Object.fromEntries(settingsOf(...of).map((one) => [one.name, one.value]));

describe('settingsOf', () => {
  it('tells what the API tells, and nothing more without a document', () => {
    expect(valuesOf(stream({ retentionBytes: 1_073_741_824 }), undefined)).toEqual({
      Retention: '7 d',
      'Retention by size': '1.0 GiB',
      Durability: 'disk',
      Cleanup: 'delete',
      Validation: 'every',
    });
  });
  it('adds what the document says, and what holds when it is silent', () => {
    expect(valuesOf(stream({}), { spec: {} })).toMatchObject({ 'On violation': 'refuse', Dedupe: 'off' });
    const set = { spec: { onViolation: 'quarantine', dedupe: '10m', quarantineRetention: '90d' } };
    expect(valuesOf(stream({}), set)).toMatchObject({
      'On violation': 'quarantine',
      'Quarantine retention': '90d',
      Dedupe: '10m',
    });
    expect(valuesOf(stream({}), { spec: { onViolation: 'quarantine' } })).toMatchObject({
      'Quarantine retention': '30d',
    });
  });
  it('has no violation where nothing is checked', () => {
    expect(valuesOf(stream({ validation: 'none' }), { spec: {} })).not.toHaveProperty('On violation');
  });
  it('has no retention by age where the latest of each key stays', () => {
    const compacted = valuesOf(stream({ cleanup: 'compact', retentionSeconds: null }), undefined);
    expect(compacted).not.toHaveProperty('Retention');
    expect(compacted.Cleanup).toBe('compact');
  });
  it('says for ever, and names the schema and the quarantine', () => {
    const all = settingsOf(stream({ retentionSeconds: null }), { spec: { onViolation: 'quarantine' } });
    const effect = (name: string) => all.find((one) => one.name === name)?.effect ?? '';
    expect(valuesOf(stream({ retentionSeconds: null }), undefined).Retention).toBe('for ever');
    expect(effect('Validation')).toContain('schema order');
    expect(effect('On violation')).toContain('a.b.c.v1.dlq');
  });
  it('has a sentence for every setting', () => {
    for (const cleanup of ['delete', 'compact', 'compact,delete'] as NonNullable<Stream['cleanup']>[])
      for (const durability of ['disk', 'memory'] as const)
        for (const validation of ['none', 'every', 'sampled', 'schema-id'] as const)
          for (const one of settingsOf(stream({ cleanup, durability, validation }), { spec: {} }))
            expect(one.effect, `${one.name} ${one.value}`).toMatch(/\.$/);
  });
});
