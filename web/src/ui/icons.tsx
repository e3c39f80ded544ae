// Line icons on a 16-pixel grid; decoration only, so hidden from assistive technology.
const paths = {
  overview: 'M2 9.5 5 6l3 3.5L14 3M2 13.5h12',
  streams: 'M2 4h9M2 8h12M2 12h7',
  groups: 'M2 3.5h3.5L9 8h5M2 12.5h3.5L9 8M2 8h7',
  deliveries: 'M2 8h9M8 4.5 11.5 8 8 11.5M14 3v10',
  traces: 'M2 3.5h6M5 8h7M9 12.5h5',
  routes:
    'M3 3v3.5c0 1.5 1 2.5 2.5 2.5h5C12 9 13 10 13 11.5V13M3 3 1.5 4.8M3 3l1.5 1.8M13 13l-1.5-1.8M13 13l1.5-1.8',
  resources: 'M3 2.5h10v4H3zM3 9.5h10v4H3z',
  changes: 'M4 2.5v11M12 2.5v4a3 3 0 0 1-3 3H4',
  clients: 'M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8zM2.8 13.6c.6-2.4 2.6-3.6 5.2-3.6s4.6 1.2 5.2 3.6',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5 14 14',
  theme: 'M8 2.5a5.5 5.5 0 1 0 5.5 5.5A4.2 4.2 0 0 1 8 2.5z',
  help: 'M5.8 6.2a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.6M8 12.2v.4',
  leave: 'M6.5 2.5h-4v11h4M7 8h7M11 5l3 3-3 3',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  pass: 'M3.5 8.5 6.5 11.5 12.5 4.5',
  fail: 'M4 4l8 8M12 4l-8 8',
  warn: 'M8 3v6.5M8 12.2v.6',
  wait: 'M8 4v4l2.5 2M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  stop: 'M4.5 4.5h7v7h-7z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7.5-4.5z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={size < 14 ? 2.2 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
