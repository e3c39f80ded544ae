// Runs tests/hub against the fixture server, or against the Weft that HUB_URL and HUB_TOKEN name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const tests = ['hub_test.mjs', 'conduct_test.mjs', 'accessibility_test.mjs', 'contract_test.mjs'].map(
  (name) => fileURLToPath(new URL(`../../tests/hub/${name}`, import.meta.url)),
);

async function startFixture() {
  const script = fileURLToPath(new URL('./fixture_server.mjs', import.meta.url));
  const server = spawn(process.execPath, [script, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(server.stdout), 'line');
  const { url, token } = JSON.parse(line);
  return { server, env: { HUB_URL: url, HUB_TOKEN: token, HUB_COMPLETE: '1' } };
}

const fixture = process.env.HUB_URL ? undefined : await startFixture();
const run = spawn(process.execPath, ['--test', ...tests], {
  stdio: 'inherit',
  env: { ...process.env, ...fixture?.env },
});
const [code] = await once(run, 'exit');
fixture?.server.kill();
process.exit(code ?? 1);
