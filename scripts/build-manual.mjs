/** Writes the manual page and the completions from the definitions of the commands; part of the build. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { manualFiles } from '../dist/cli/manual-files.js';
import { createProgram, toolVersion } from '../dist/cli/run-command.js';

const folder = new URL('../dist/manual/', import.meta.url);
mkdirSync(folder, { recursive: true });
const program = createProgram(() => {});
for (const [name, text] of manualFiles(program, toolVersion())) writeFileSync(new URL(name, folder), text);
