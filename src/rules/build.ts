/** Compiles rules/ into compiled.jsonl beside this file, and refreshes rules/schema.json. Run from dist. */
import { writeFileSync } from 'node:fs';
import { compileRules } from './compile-rules.js';
import { encodeRules } from './encode-rules.js';
import { readTexts, rulesFolder } from './read-texts.js';
import { RuleError } from './rule-error.js';
import { jsonSchema } from './rule-file.js';

try {
  const rules = compileRules(readTexts());
  writeFileSync(new URL('../rules/compiled.jsonl', import.meta.url), encodeRules(rules));
  writeFileSync(`${rulesFolder}schema.json`, `${JSON.stringify(jsonSchema(), null, 1)}\n`);
} catch (error) {
  if (!(error instanceof RuleError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
