// What the stories of Node.js clients share: a wait with a limit, and one line of JSON at the end.
async function until(condition, what) {
  const end = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Prints what the story gives and exits 0; exits 1 with the error otherwise.
function tell(story) {
  story().then(
    (result) => { console.log(JSON.stringify(result)); process.exit(0); },
    (error) => { console.error(error.stack ?? error); process.exit(1); },
  );
}

module.exports = { until, tell };
