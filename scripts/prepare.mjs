/**
 * Builds after an install from a checkout or from git. `npm install -g git+…`, which the pre-commit framework runs, hands
 * its `global` on to the install inside the clone, so that what the build needs is missing there: it is fetched then.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const npm = (args, env) => execFileSync('npm', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
const own = Object.entries(process.env).filter(
  ([name]) => !/^npm_config_(?:global|location|prefix)$/i.test(name),
);
const env = { ...Object.fromEntries(own), NODE_ENV: 'development' };

if (!existsSync('node_modules/rolldown'))
  npm(['install', '--include=dev', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'], env);
npm(['run', 'build'], env);
