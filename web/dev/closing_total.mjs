// A vitest reporter whose last line is the total, for scripts that read it.
export default class ClosingTotal {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        count[state === 'passed' || state === 'failed' ? state : 'skipped'] += 1;
      }
      // A file that does not load has no tests of its own to fail.
      count.failed += module.errors().length;
    }
    count.failed += unhandledErrors.length;
    process.on('exit', () => {
      console.log(`web: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    });
  }
}
