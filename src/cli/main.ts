#!/usr/bin/env node
/** The command line's entry. Sets the exit code and lets output drain; never exits by force. */
import * as nodeModule from 'node:module';

// Newer Node versions keep compiled code between runs, which halves the start; older ones lack the function.
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
