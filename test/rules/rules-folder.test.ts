import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { HAZARD_IDS, HEADINGS } from '#rules/compile-hazard.js';
import { decodeRules, encodeRules } from '#rules/encode-rules.js';
import { loadRules } from '#rules/load-rules.js';
import { rulesFolder } from '#rules/read-texts.js';
import { jsonSchema } from '#rules/rule-file.js';

const rules = loadRules();
const all = [...rules.calls.keys()].flatMap((name) => rules.calls.get(name) ?? []);

/** A client, and the functions that it calls of the kernel's files that it takes in, as the miniature kernel has them. */
function withIncluded(client: string): string {
  const kernel = new URL('../../fixtures/kernel/', import.meta.url);
  const included = [...client.matchAll(/^#include "(.+\/.+)"$/gm)].flatMap(([, path = '']) => {
    const file = new URL(path, kernel);
    return existsSync(file) ? [readFileSync(file, 'utf8')] : [];
  });
  const called = included
    .flatMap((text) => text.split(/(?<=^}\n)/m))
    .filter((definition) => {
      const name = /^(?!#).*?\b(\w+)\([^;]*\n\{$/m.exec(definition)?.[1];
      return name !== undefined && client.includes(`\t${name}(`);
    });
  return [client, ...called].join('\n');
}

describe('the rules folder', () => {
  test('JSON keeps everything', () => {
    const back = decodeRules(encodeRules(rules));
    const calls = new Map([...back.calls.keys()].map((name) => [name, back.calls.get(name)]));
    expect({ ...back, calls }).toEqual(rules);
    expect(back.calls.get('no_such_call')).toBeUndefined();
    expect(back.calls.has('no_such_call')).toBe(false);
  });

  test('the schema for editors is in step', () => {
    expect(JSON.parse(readFileSync(`${rulesFolder}schema.json`, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(jsonSchema())),
    );
  });

  test('every hazard has a page and every page a hazard', () => {
    expect(rules.hazards.map((page) => page.id).sort()).toEqual([...HAZARD_IDS].sort());
  });

  test.each(rules.hazards.map((page) => [page.id, page] as const))(
    'page %s shows a wrong and a right order',
    (_, page) => {
      const parts = page.page.split(/^## .*$/m);
      expect(parts).toHaveLength(HEADINGS.length + 1);
      expect(parts[3]).toMatch(/```(c|yaml scenario)\n[\s\S]+```/);
      expect(parts[4]).toMatch(/```(c|yaml scenario)\n[\s\S]+```/);
      expect(parts[3]).not.toBe(parts[4]);
    },
  );

  test('every client is used and calls what it checks', () => {
    const unused = new Set(rules.clients.keys());
    for (const rule of all) {
      for (const client of rule.clients) {
        unused.delete(client);
        // The client may reach it through the body of another primitive that it calls, or through the file of the
        // kernel that it takes in.
        const text = withIncluded(rules.clients.get(client)?.text ?? '');
        const standsFor = new Set([...rule.bodies, rule.name]);
        const reaches = all.some(
          (other) =>
            text.includes(`${other.name}(`) &&
            [...other.bodies, other.name].some((name) => standsFor.has(name)),
        );
        expect(reaches, `${client} for ${rule.name}`).toBe(true);
      }
    }
    expect([...unused]).toEqual([]);
  });

  test('clients have entry functions', () => {
    for (const { name, text } of rules.clients.values()) {
      expect(text, name).toMatch(/^void (client|cpu0)\(/m);
    }
  });

  test('a rule with bodies names clients that check them, or is a step of one that does', () => {
    const missing = all
      .filter((rule) => rule.bodies.length > 0 && rule.clients.length === 0)
      .map((rule) => rule.name);
    expect(missing).toEqual([]);
  });

  test('no rule stands for a caller', () => {
    const callers =
      /^(zap_|collapse_|shrink_|unmap_hotplug|kasan_|remove_pte|free_pte_table|try_to_unmap_one|change_)/;
    expect([...rules.calls.keys()].filter((name) => callers.test(name))).toEqual([]);
  });
});
