/** Functions of a kernel tree to make patches of, and such patches. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { indexFile } from '../dist/c/index-file.js';

/** Function definitions of the C files in one folder of the tree: by file, in each by place. */
export function functionsIn(tree, folder) {
  const found = [];
  for (const name of readdirSync(path.join(tree, folder)).sort()) {
    if (!name.endsWith('.c')) continue;
    const file = `${folder}/${name}`;
    const text = readFileSync(path.join(tree, file), 'utf8');
    const inFile = [...indexFile(file, text).definitions.values()]
      .flat()
      .filter(({ kind }) => kind === 'function');
    inFile.sort((a, b) => a.start - b.start);
    for (const { name, start, end, body } of inFile)
      found.push({ name, file, text, start, end, body, lines: text.slice(start, end).split('\n').length });
  }
  return found;
}

/** A mail with a patch that turns one text of a file into another. */
export function mailOf(subject, file, before, after) {
  const diff = createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, '', '', { context: 3 });
  return `From: A <a@example.org>\nSubject: [PATCH] ${subject}\n\n---\n${diff}-- \n2.39.5\n`;
}
