// The operations of the admin API that the hub calls, by their operationId. A unit test compares each
// one with the OpenAPI document.

export const operations = {
  createSession: { method: 'POST', path: '/session' },
  getSession: { method: 'GET', path: '/session' },
  deleteSession: { method: 'DELETE', path: '/session' },
  getHealth: { method: 'GET', path: '/health' },
  getOverview: { method: 'GET', path: '/overview' },
  listStreams: { method: 'GET', path: '/streams' },
  getStream: { method: 'GET', path: '/streams/{stream}' },
  readRecords: { method: 'GET', path: '/streams/{stream}/records' },
  produceRecord: { method: 'POST', path: '/streams/{stream}/records' },
  tailRecords: { method: 'GET', path: '/streams/{stream}/tail' },
  listRejects: { method: 'GET', path: '/streams/{stream}/rejects' },
  redriveQuarantine: { method: 'POST', path: '/streams/{stream}/quarantine/redrive' },
  listQuarantines: { method: 'GET', path: '/quarantines' },
  listGroups: { method: 'GET', path: '/groups' },
  getGroup: { method: 'GET', path: '/groups/{group}' },
  deleteGroup: { method: 'DELETE', path: '/groups/{group}' },
  resetGroup: { method: 'POST', path: '/groups/{group}/reset' },
  listSubscriptions: { method: 'GET', path: '/subscriptions' },
  redriveSubscription: { method: 'POST', path: '/subscriptions/{subscription}/redrive' },
  listDeliveries: { method: 'GET', path: '/deliveries' },
  getDelivery: { method: 'GET', path: '/deliveries/{delivery}' },
  redriveDelivery: { method: 'POST', path: '/deliveries/{delivery}/redrive' },
  listTraces: { method: 'GET', path: '/traces' },
  getTrace: { method: 'GET', path: '/traces/{traceId}' },
  listRoutes: { method: 'GET', path: '/routes' },
  listResources: { method: 'GET', path: '/resources' },
  getResource: { method: 'GET', path: '/resources/{kind}/{name}' },
  listGenerations: { method: 'GET', path: '/generations' },
  getGeneration: { method: 'GET', path: '/generations/{number}' },
  rollbackGeneration: { method: 'POST', path: '/generations/{number}/rollback' },
  listAudit: { method: 'GET', path: '/audit' },
  listClients: { method: 'GET', path: '/clients' },
  createClientKey: { method: 'POST', path: '/clients/{client}/keys' },
  deleteClientKey: { method: 'DELETE', path: '/clients/{client}/keys/{keyId}' },
} as const;

export type OperationId = keyof typeof operations;

type ParametersIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParametersIn<Rest>
  : never;

/** The parameters in an operation's path. */
export type PathParameters<Id extends OperationId> = Record<
  ParametersIn<(typeof operations)[Id]['path']>,
  string | number
>;

/** `/streams/{stream}` with its parameters filled in and escaped. */
export function fillPath(path: string, parameters: Record<string, string | number>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`path parameter ${name} of ${path} is missing`);
    return encodeURIComponent(value);
  });
}
