/** Reads the top-level rules/ folder from the disk. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RuleTexts } from './compile-rules.js';

/** The package's rules/ folder: two folders above both src/rules and dist/rules. */
export const rulesFolder = fileURLToPath(new URL('../../rules/', import.meta.url));

/** All YAML, Markdown, C and header files below `folder`, by path relative to it. */
export function readTexts(folder: string = rulesFolder): RuleTexts {
  const texts = new Map<string, string>();
  const visit = (below: string): void => {
    for (const entry of readdirSync(`${folder}${below}`, { withFileTypes: true })) {
      const path = `${below}${entry.name}`;
      if (statSync(`${folder}${path}`).isDirectory()) visit(`${path}/`);
      else if (/\.(yaml|md|[ch])$/.test(entry.name))
        texts.set(path, readFileSync(`${folder}${path}`, 'utf8'));
    }
  };
  visit('');
  return texts;
}
