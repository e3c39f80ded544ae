// The hub's own paths: which page a path shows, and the path of a page. Pure.

export type Page =
  | { page: 'overview' }
  | { page: 'streams' }
  | { page: 'stream'; name: string }
  | { page: 'groups' }
  | { page: 'group'; name: string }
  | { page: 'deliveries' }
  | { page: 'delivery'; id: string }
  | { page: 'traces' }
  | { page: 'trace'; traceId: string }
  | { page: 'routes' }
  | { page: 'resources' }
  | { page: 'resource'; kind: string; name: string }
  | { page: 'changes' }
  | { page: 'generation'; number: number }
  | { page: 'clients' }
  | { page: 'missing' };

export function pageOf(path: string): Page {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const [first, second, third] = parts;
  if (first === undefined) return { page: 'overview' };
  if (parts.length === 1) {
    switch (first) {
      case 'streams':
      case 'groups':
      case 'deliveries':
      case 'traces':
      case 'routes':
      case 'resources':
      case 'changes':
      case 'clients':
        return { page: first };
    }
  }
  if (parts.length === 2 && second !== undefined) {
    if (first === 'streams') return { page: 'stream', name: second };
    if (first === 'groups') return { page: 'group', name: second };
    if (first === 'deliveries') return { page: 'delivery', id: second };
    if (first === 'traces') return { page: 'trace', traceId: second };
    if (first === 'changes' && /^\d+$/.test(second)) return { page: 'generation', number: Number(second) };
  }
  if (parts.length === 3 && first === 'resources') return { page: 'resource', kind: second!, name: third! };
  return { page: 'missing' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const encode = encodeURIComponent;

export const pathTo = {
  stream: (name: string, query: Record<string, string | number | undefined> = {}) =>
    withQuery(`/streams/${encode(name)}`, query),
  group: (name: string) => `/groups/${encode(name)}`,
  delivery: (id: string) => `/deliveries/${encode(id)}`,
  deliveries: (query: Record<string, string | undefined> = {}) => withQuery('/deliveries', query),
  trace: (traceId: string) => `/traces/${encode(traceId)}`,
  resource: (kind: string, name: string) => `/resources/${encode(kind)}/${encode(name)}`,
  generation: (number: number) => `/changes/${number}`,
};

export function withQuery(
  path: string,
  query: Record<string, string | number | boolean | undefined>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** The token of a sign-in link, "#token=…"; undefined when there is none. */
export function tokenOf(hash: string): string | undefined {
  const match = /^#(?:.*&)?token=([^&]+)/.exec(hash);
  return match ? decode(match[1]!) : undefined;
}

/** The page that a span's attributes lead to. */
export function linksOf(attributes: Record<string, string>): { label: string; href: string }[] {
  const links: { label: string; href: string }[] = [];
  const stream = attributes['messaging.destination.name'];
  const partition = attributes['messaging.destination.partition.id'];
  const offset = attributes['messaging.kafka.offset'] ?? attributes['messaging.kafka.message.offset'];
  if (stream && offset !== undefined) {
    links.push({
      label: `Record ${partition ?? 0}:${offset}`,
      href: pathTo.stream(stream, { mode: 'offset', partition: partition ?? '0', offset }),
    });
  } else if (stream) {
    links.push({ label: `Stream ${stream}`, href: pathTo.stream(stream) });
  }
  const delivery = attributes['weft.delivery.id'];
  const subscription = attributes['weft.subscription.name'];
  if (delivery) links.push({ label: `Delivery ${delivery}`, href: pathTo.delivery(delivery) });
  else if (subscription)
    links.push({ label: `Subscription ${subscription}`, href: pathTo.deliveries({ subscription }) });
  return links;
}
