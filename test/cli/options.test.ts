import { describe, expect, it } from 'vitest';
import { chooseMachines } from '#cli/choose-machines.js';
import { fails } from '#cli/fails.js';
import { describeFailure } from '#cli/report-failure.js';
import { showProgress } from '#cli/show-progress.js';
import { readTerminal } from '#cli/terminal.js';
import { UsageError } from '#cli/usage-error.js';
import type { MachineFile } from '#event/machine-facts.js';
import { documentOf, samplePatch, withFinding } from '../report/sample-document.js';

const machine = (name: string): MachineFile => ({
  name,
  title: name,
  arch: 'x86',
  config: {},
  facts: {} as MachineFile['facts'],
  sources: {},
});
const known = [machine('x86-ipi'), machine('arm64'), machine('pae')];

describe('chooseMachines', () => {
  it('takes names from several options and commas, in the order of the rules', () => {
    expect(chooseMachines(['pae,arm64', 'x86-ipi'], known)).toEqual(['x86-ipi', 'arm64', 'pae']);
  });
  it('takes all, and nothing, as every machine', () => {
    expect(chooseMachines(['all'], known)).toEqual([]);
    expect(chooseMachines([], known)).toEqual([]);
  });
  it('names the known machines when one is unknown', () => {
    expect(() => chooseMachines(['vax'], known)).toThrow(
      'no machine vax; known: x86-ipi, arm64, pae, or all',
    );
    expect(() => chooseMachines(['arm64,'], known)).toThrow('an empty name');
  });
});

describe('fails', () => {
  it('counts introduced findings at or above the severity', () => {
    expect(fails(documentOf(samplePatch), 'error', ['introduced'])).toBe(true);
    expect(fails(withFinding({ severity: 'warning' }), 'error', ['introduced'])).toBe(false);
    expect(fails(withFinding({ severity: 'warning' }), 'warning', ['introduced'])).toBe(true);
    expect(fails(withFinding({ severity: 'note' }), 'warning', ['introduced'])).toBe(false);
    expect(fails(documentOf(samplePatch), 'never', ['introduced'])).toBe(false);
  });
  it('counts existing findings only where they are asked for', () => {
    const document = withFinding({ status: 'existing' });
    expect(fails(document, 'error', ['introduced'])).toBe(false);
    expect(fails(document, 'error', ['introduced', 'existing'])).toBe(true);
    expect(fails(withFinding({ status: 'fixed' }), 'error', ['introduced', 'existing'])).toBe(false);
  });
});

describe('readTerminal', () => {
  const tty = { isTTY: true, columns: 100 };
  it('colours a terminal, and nothing else', () => {
    expect(readTerminal(tty, {})).toEqual({ color: true, width: 100 });
    expect(readTerminal({}, {})).toEqual({ color: false, width: 80 });
    expect(readTerminal(tty, { TERM: 'dumb' }).color).toBe(false);
  });
  it('obeys NO_COLOR before FORCE_COLOR', () => {
    expect(readTerminal({}, { FORCE_COLOR: '1' }).color).toBe(true);
    expect(readTerminal(tty, { FORCE_COLOR: '0' }).color).toBe(false);
    expect(readTerminal(tty, { NO_COLOR: '1', FORCE_COLOR: '1' }).color).toBe(false);
    expect(readTerminal(tty, { NO_COLOR: '' }).color).toBe(true);
  });
});

describe('describeFailure', () => {
  it('gives one line and no stack', () => {
    expect(describeFailure(new UsageError('a\nb\u001b[31m'))).toBe('a b [31m');
    expect(
      describeFailure(Object.assign(new Error('x'), { code: 'ENOENT', path: 'p', syscall: 'open' })),
    ).toBe('p: no such file or directory');
    expect(describeFailure(new TypeError('broken'))).toBe('internal error, please report: broken');
  });
});

describe('showProgress', () => {
  const step = { kind: 'function', function: 'f', file: 'mm/a.c', machine: 'arm64' } as const;
  const record = (isTTY: boolean) => {
    const out: string[] = [];
    const clock = { time: 0 };
    const line = showProgress({ isTTY, columns: 40, write: (t) => out.push(t) }, () => clock.time);
    return { out, clock, line };
  };
  it('is silent for the first second, then shows one line and takes it away', () => {
    const { out, clock, line } = record(true);
    line.show(step);
    expect(out).toEqual([]);
    clock.time = 1500;
    line.show(step);
    line.clear();
    expect(out).toEqual(['\r\u001b[Kf (mm/a.c) on arm64', '\r\u001b[K']);
  });
  it('is silent without a terminal', () => {
    const { out, clock, line } = record(false);
    clock.time = 5000;
    line.show(step);
    line.clear();
    expect(out).toEqual([]);
  });
});
