#!/usr/bin/env node
/** The command line's entry. Ends as soon as what was written has gone out. */
import * as nodeModule from 'node:module';

// Newer Node versions keep compiled code between runs; older ones lack the function.
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };
enableCompileCache?.();

const ignoreClosedPipe = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') process.exitCode = 2;
};
process.stdout.on('error', ignoreClosedPipe);
process.stderr.on('error', ignoreClosedPipe);

try {
  const { runCommand } = await import('./run-command.js');
  process.exitCode = await runCommand(process.argv.slice(2));
} catch (error) {
  const { describeFailure } = await import('./report-failure.js');
  process.stderr.write(`shootdown: ${describeFailure(error)}\n`);
  if (process.env.SHOOTDOWN_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = 2;
}

// Left to itself, Node ends only when code has been compiled that nobody runs any more: a tenth of a short review.
for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('', done));
process.exit();
