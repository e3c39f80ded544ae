// What a stream is set to, and what each setting does, in a sentence. Pure.
import type { ResourceDocument, Stream } from '../api/schema';
import { formatBytes } from './numbers';
import { formatDuration } from './time';

export type StreamSetting = { name: string; value: string; effect: string };

/** `document` is the stream's own, where it has one: it tells what the figures of the stream do not. */
export function settingsOf(stream: Stream, document: ResourceDocument | undefined): StreamSetting[] {
  return [
    ...retentionOf(stream),
    durabilityOf(stream),
    cleanupOf(stream),
    validationOf(stream),
    ...(document ? declaredOf(stream, specOf(document)) : []),
  ];
}

function specOf(document: ResourceDocument): Record<string, unknown> {
  const spec = document.spec;
  return typeof spec === 'object' && spec !== null ? (spec as Record<string, unknown>) : {};
}

function retentionOf(stream: Stream): StreamSetting[] {
  const settings: StreamSetting[] = [];
  const compacts = stream.cleanup === 'compact';
  const time = stream.retentionSeconds ? formatDuration(stream.retentionSeconds * 1000) : undefined;
  if (!compacts) {
    settings.push({
      name: 'Retention',
      value: time ?? 'for ever',
      effect: time
        ? 'Older records are deleted, whether anybody has read them or not.'
        : 'No record is deleted because of its age.',
    });
  }
  if (stream.retentionBytes) {
    settings.push({
      name: 'Retention by size',
      value: formatBytes(stream.retentionBytes),
      effect: 'When a partition holds more, its oldest records are deleted.',
    });
  }
  return settings;
}

function durabilityOf(stream: Stream): StreamSetting {
  return {
    name: 'Durability',
    value: stream.durability,
    effect:
      stream.durability === 'disk'
        ? 'A producer hears that a record is stored once it is safe on the disk (fsync); a crash loses none of those.'
        : 'A producer hears that a record is stored before it is on the disk: faster, and a crash may lose the latest.',
  };
}

function cleanupOf(stream: Stream): StreamSetting {
  const value: string = stream.cleanup ?? 'delete';
  const effects: Record<string, string> = {
    delete: 'Records go by age and size alone.',
    compact: 'Of each key the latest record stays, however old; a record without a value deletes its key.',
    'compact,delete': 'Of each key the latest record stays, until it is older than the retention.',
  };
  return { name: 'Cleanup', value, effect: effects[value] ?? '' };
}

function validationOf(stream: Stream): StreamSetting {
  const schema = stream.schemaName === undefined ? 'its schema' : `schema ${stream.schemaName}`;
  const effects: Record<Stream['validation'], string> = {
    none: 'Nothing is checked before a record is stored.',
    every: `Each record is checked against ${schema} before it is stored, at every door.`,
    sampled: `Some records are checked against ${schema} before they are stored.`,
    'schema-id': 'Only the schema id in front of a record is checked, not its value.',
  };
  return { name: 'Validation', value: stream.validation, effect: effects[stream.validation] };
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function declaredOf(stream: Stream, spec: Record<string, unknown>): StreamSetting[] {
  const settings: StreamSetting[] = [];
  if (stream.validation !== 'none') {
    const quarantines = spec.onViolation === 'quarantine';
    settings.push({
      name: 'On violation',
      value: quarantines ? 'quarantine' : 'refuse',
      effect: quarantines
        ? `Of a Kafka batch only the records that break the contract are put aside, in ${stream.name}.dlq; HTTP requests are refused.`
        : 'A batch or request with a record that breaks the contract is refused whole.',
    });
    if (quarantines) {
      settings.push({
        name: 'Quarantine retention',
        value: text(spec.quarantineRetention) ?? '30d',
        effect: 'So long a record waits in quarantine before it is deleted.',
      });
    }
  }
  const dedupe = text(spec.dedupe);
  settings.push({
    name: 'Dedupe',
    value: dedupe ?? 'off',
    effect: dedupe
      ? 'Of events with the same CloudEvents source and id within this time only the first is stored.'
      : 'An event that is sent twice is stored twice, unless an idempotent Kafka producer repeats its own batch.',
  });
  return settings;
}
