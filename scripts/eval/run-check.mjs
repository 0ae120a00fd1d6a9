/** Runs the command line under a time limit, a few at a time. */
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';

/**
 * One `check` of `files` as a series, against `tree`, or from the hunks alone where it is null. `kind` is `done` (a document came back, exit 0 or 1), `timeout`, or `failed`
 * with the first line of what it said. `wall` is in milliseconds, start-up included.
 */
export function runCheck(cli, tree, files, timeout) {
  return new Promise((resolve) => {
    const started = process.hrtime.bigint();
    const where = tree === null ? [] : ['--tree', tree];
    const child = spawn(process.execPath, [cli, 'check', ...where, '--format', 'json', ...files], {
      // Not in a tree by chance.
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeout);
    const stdout = [];
    const stderr = [];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.on('error', (error) => finish({ kind: 'failed', why: error.message }));
    child.on('close', (code, signal) => {
      const text = Buffer.concat(stdout).toString('utf8');
      if (timedOut) finish({ kind: 'timeout' }, '');
      else if (code === 0 || code === 1) finish(readDocument(text, files.length), text);
      else
        finish({
          kind: 'failed',
          why: firstLine(Buffer.concat(stderr).toString('utf8')) || `exit ${code ?? signal}`,
        });
    });

    function finish(result, text = '') {
      clearTimeout(timer);
      const wall = Math.round(Number(process.hrtime.bigint() - started) / 1e6);
      resolve({ ...result, wall, stdout: text });
    }
  });
}

function readDocument(text, patches) {
  try {
    const document = JSON.parse(text);
    if (document.version === 1 && document.patches.length === patches) return { kind: 'done', document };
    return {
      kind: 'failed',
      why: `version ${document.version}, ${document.patches?.length} patches instead of ${patches}`,
    };
  } catch (error) {
    return { kind: 'failed', why: error.message };
  }
}

function firstLine(text) {
  return text.split('\n').find((line) => line.trim() !== '') ?? '';
}

/** Maps `items` with at most `jobs` at a time; results keep the order of the items. */
export async function runPool(items, jobs, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
      if (process.stderr.isTTY) process.stderr.write(`\r${next}/${items.length} `);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return results;
}
