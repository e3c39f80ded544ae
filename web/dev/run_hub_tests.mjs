// Runs tests/hub against the fixture server, or against the Weft that HUB_URL and HUB_TOKEN name.
// Arguments are passed on to Node's test runner.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { prepareWeft } from '../../tests/hub/prepared_weft.mjs';

const tests = [
  'hub_test.mjs',
  'groups_test.mjs',
  'conduct_test.mjs',
  'accessibility_test.mjs',
  'contract_test.mjs',
].map((name) => fileURLToPath(new URL(`../../tests/hub/${name}`, import.meta.url)));

async function startFixture() {
  const script = fileURLToPath(new URL('./fixture_server.mjs', import.meta.url));
  const server = spawn(process.execPath, [script, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(server.stdout), 'line');
  const { url, token } = JSON.parse(line);
  return {
    env: { HUB_URL: url, HUB_TOKEN: token, HUB_COMPLETE: '1' },
    async end() {
      server.kill();
    },
  };
}

async function useRunningWeft() {
  const { HUB_URL, HUB_TOKEN } = process.env;
  if (!HUB_TOKEN) throw new Error('HUB_TOKEN must hold the admin token of the Weft at HUB_URL');
  return { env: {}, ...(await prepareWeft(HUB_URL.replace(/\/$/, ''), HUB_TOKEN)) };
}

const weft = await (process.env.HUB_URL ? useRunningWeft() : startFixture());
let code = 1;
try {
  const run = spawn(process.execPath, ['--test', ...process.argv.slice(2), ...tests], {
    stdio: 'inherit',
    env: { ...process.env, ...weft.env },
  });
  [code] = await once(run, 'exit');
} finally {
  await weft.end();
}
process.exit(code ?? 1);
