// Calls the admin API as the signed-in user. Failures are thrown as ApiError, which always has something
// to show: the server's problem body, or what the browser knows when there was no answer.
import { parseExact } from '../core/json_text';
import { withQuery } from '../core/routes';
import { EventParser } from '../core/sse';
import { fillPath, operations, type OperationId, type PathParameters } from './operations';
import type * as Schema from './schema';

const kBase = '/api/v1';

export class ApiError extends Error {
  constructor(
    /** 0 when there was no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly traceId?: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

type Query = Record<string, string | number | boolean | undefined>;

type Options<Id extends OperationId> = {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Keep the digits of numbers that JavaScript cannot hold; for documents that are shown as written. */
  exact?: boolean;
} & ([keyof PathParameters<Id>] extends [never] ? { path?: never } : { path: PathParameters<Id> });

let onSignedOut: () => void = () => {};

/** Called when the server says that the session is over. */
export function whenSignedOut(listener: () => void) {
  onSignedOut = listener;
}

async function send<Id extends OperationId>(id: Id, options: Options<Id>, headers: Record<string, string>) {
  const { method, path } = operations[id];
  const url = withQuery(kBase + fillPath(path, options.path ?? {}), options.query ?? {});
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: options.signal ?? null };
  if (method !== 'GET') headers['X-Weft-Csrf'] = '1';
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (failure) {
    if (options.signal?.aborted) throw failure;
    throw new ApiError(0, 'NO_ANSWER', `Weft does not answer at ${location.origin}. Is it still running?`);
  }
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401 && id !== 'createSession') onSignedOut();
  throw error;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as Schema.Problem;
    if (typeof problem.code === 'string' && typeof problem.message === 'string') {
      return new ApiError(response.status, problem.code, problem.message, problem.traceId, problem.details);
    }
  } catch {
    // Not a problem body: something between the browser and Weft answered.
  }
  return new ApiError(
    response.status,
    `HTTP_${response.status}`,
    `The answer is not Weft's: HTTP ${response.status} ${response.statusText}. Is there a proxy in between?`,
  );
}

async function call<T, Id extends OperationId>(id: Id, options: Options<Id>): Promise<T> {
  const response = await send(id, options, { Accept: 'application/json' });
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (options.exact ? parseExact(text) : JSON.parse(text)) as T;
}

export type PageOptions = { limit?: number | undefined; cursor?: string | undefined };
type Signal = AbortSignal | undefined;

export const api = {
  signIn: (token: string) => call<Schema.Session, 'createSession'>('createSession', { body: { token } }),
  session: (signal?: Signal) => call<Schema.Session, 'getSession'>('getSession', { signal }),
  signOut: () => call<void, 'deleteSession'>('deleteSession', {}),
  health: (signal?: Signal) => call<Schema.Health, 'getHealth'>('getHealth', { signal }),
  overview: (signal?: Signal) => call<Schema.Overview, 'getOverview'>('getOverview', { signal }),

  streams: (query: PageOptions & { internal?: boolean }, signal?: Signal) =>
    call<Schema.StreamList, 'listStreams'>('listStreams', { query, signal }),
  stream: (stream: string, signal?: Signal) =>
    call<Schema.StreamDetail, 'getStream'>('getStream', { path: { stream }, signal }),
  records: (
    stream: string,
    query: PageOptions & {
      /** Absent with `key`: where Kafka's partitioner puts that key. */
      partition?: number | undefined;
      offset?: number | undefined;
      time?: string | undefined;
      key?: string | undefined;
    },
    signal?: Signal,
  ) => call<Schema.RecordList, 'readRecords'>('readRecords', { path: { stream }, query, signal }),
  produce: (stream: string, body: Schema.NewRecord) =>
    call<Schema.ProducedRecord, 'produceRecord'>('produceRecord', { path: { stream }, body }),

  rejects: (stream: string, query: { limit: number }, signal?: Signal) =>
    call<Schema.RejectList, 'listRejects'>('listRejects', { path: { stream }, query, signal }),
  quarantines: (signal?: Signal) =>
    call<Schema.QuarantineList, 'listQuarantines'>('listQuarantines', { signal }),
  redriveQuarantine: (stream: string) =>
    call<{ stored: number; kept: number }, 'redriveQuarantine'>('redriveQuarantine', { path: { stream } }),

  groups: (query: PageOptions, signal?: Signal) =>
    call<Schema.GroupList, 'listGroups'>('listGroups', { query, signal }),
  group: (group: string, signal?: Signal) =>
    call<Schema.GroupDetail, 'getGroup'>('getGroup', { path: { group }, signal }),
  resetGroup: (group: string, body: Schema.GroupReset) =>
    call<Schema.GroupResetResult, 'resetGroup'>('resetGroup', { path: { group }, body }),
  deleteGroup: (group: string) => call<void, 'deleteGroup'>('deleteGroup', { path: { group } }),

  subscriptions: (query: PageOptions, signal?: Signal) =>
    call<Schema.SubscriptionList, 'listSubscriptions'>('listSubscriptions', { query, signal }),
  redriveAll: (subscription: string) =>
    call<{ redriven: number }, 'redriveSubscription'>('redriveSubscription', { path: { subscription } }),
  deliveries: (
    query: PageOptions & {
      subscription?: string | undefined;
      status?: string | undefined;
      eventId?: string | undefined;
    },
    signal?: Signal,
  ) => call<Schema.DeliveryList, 'listDeliveries'>('listDeliveries', { query, signal }),
  delivery: (delivery: string, signal?: Signal) =>
    call<Schema.DeliveryDetail, 'getDelivery'>('getDelivery', { path: { delivery }, signal }),
  redrive: (delivery: string) =>
    call<Schema.Delivery, 'redriveDelivery'>('redriveDelivery', { path: { delivery } }),

  traces: (
    query: PageOptions & {
      service?: string | undefined;
      errorsOnly?: boolean | undefined;
      minDurationMs?: number | undefined;
      q?: string | undefined;
    },
    signal?: Signal,
  ) => call<Schema.TraceList, 'listTraces'>('listTraces', { query, signal }),
  trace: (traceId: string, signal?: Signal) =>
    call<Schema.Trace, 'getTrace'>('getTrace', { path: { traceId }, signal }),

  routes: (query: PageOptions, signal?: Signal) =>
    call<Schema.RouteList, 'listRoutes'>('listRoutes', { query, signal }),
  resources: (query: PageOptions & { kind?: string | undefined }, signal?: Signal) =>
    call<Schema.ResourceList, 'listResources'>('listResources', { query, signal }),
  resource: (kind: string, name: string, signal?: Signal) =>
    call<Schema.ResourceDetail, 'getResource'>('getResource', { path: { kind, name }, exact: true, signal }),

  generations: (query: PageOptions, signal?: Signal) =>
    call<Schema.GenerationList, 'listGenerations'>('listGenerations', { query, signal }),
  generation: (number: number, signal?: Signal) =>
    call<Schema.GenerationDetail, 'getGeneration'>('getGeneration', {
      path: { number },
      exact: true,
      signal,
    }),
  rollback: (number: number, query: { dryRun: boolean; expectedGeneration?: number | undefined }) =>
    call<Schema.ChangeSet, 'rollbackGeneration'>('rollbackGeneration', {
      path: { number },
      query,
      exact: true,
    }),
  audit: (query: PageOptions, signal?: Signal) =>
    call<Schema.AuditList, 'listAudit'>('listAudit', { query, exact: true, signal }),

  clients: (query: PageOptions, signal?: Signal) =>
    call<Schema.ClientList, 'listClients'>('listClients', { query, signal }),
  createKey: (client: string, note: string) =>
    call<Schema.NewClientKey, 'createClientKey'>('createClientKey', {
      path: { client },
      body: note ? { note } : {},
    }),
  deleteKey: (client: string, keyId: string) =>
    call<void, 'deleteClientKey'>('deleteClientKey', { path: { client, keyId } }),
};

export type TailEvents = {
  open: () => void;
  /** Where to resume; opaque. */
  position: (id: string) => void;
  record: (record: Schema.StreamRecord) => void;
  skipped: (count: number) => void;
};

/** Reads the live tail until it ends or `signal` aborts. */
export async function readTail(
  stream: string,
  query: { from: string; partition?: number | undefined },
  lastEventId: string,
  events: TailEvents,
  signal: AbortSignal,
): Promise<void> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (lastEventId) headers['Last-Event-ID'] = lastEventId;
  const response = await send('tailRecords', { path: { stream }, query, signal }, headers);
  events.open();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const event of parser.push(value)) {
      if (event.id) events.position(event.id);
      if (event.type === 'record') {
        events.record(JSON.parse(event.data) as Schema.StreamRecord);
      } else if (event.type === 'skipped') {
        const range = JSON.parse(event.data) as { from: number; to: number };
        events.skipped(range.to - range.from);
      } else if (event.type === 'problem') {
        const problem = JSON.parse(event.data) as Schema.Problem;
        throw new ApiError(problem.status, problem.code, problem.message, problem.traceId, problem.details);
      }
    }
  }
}
