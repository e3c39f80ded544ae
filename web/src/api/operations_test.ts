import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a development script without types
import { readDocument, typesOf } from '../../dev/generate_types.mjs';
import { fillPath, operations } from './operations';

type ApiDocument = { paths: Record<string, Record<string, { operationId?: string }>> };

const openapi = readDocument() as ApiDocument;

describe('the client and the OpenAPI document', () => {
  it.each(Object.entries(operations))('agree on %s', (id, { method, path }) => {
    expect(openapi.paths[path], `${path} is not in the document`).toBeDefined();
    expect(openapi.paths[path]![method.toLowerCase()]?.operationId).toBe(id);
  });

  it('agree on every type: src/api/schema.ts is what `npm run types` writes', () => {
    const written = readFileSync(new URL('./schema.ts', import.meta.url), 'utf8');
    expect(written).toBe(typesOf(openapi));
  });
});

describe('fillPath', () => {
  it('escapes parameters', () => {
    expect(fillPath('/resources/{kind}/{name}', { kind: 'Stream', name: 'a/b c?' })).toBe(
      '/resources/Stream/a%2Fb%20c%3F',
    );
  });
  it('refuses to leave a hole', () => {
    expect(() => fillPath('/streams/{stream}', {})).toThrow(/stream/);
  });
});
