import { describe, expect, test } from 'vitest';
import { dump } from './lowered.js';

describe('per-CPU variables', () => {
  test("a read and a write of this CPU's copy", () => {
    const text = dump(
      '\tif (this_cpu_read(state.lazy))\n\t\tthis_cpu_write(state.lazy, false);\n\treturn 0;',
    );
    expect(text).toContain('load once @state/this.lazy');
    expect(text).toContain('store once @state/this.lazy');
  });

  test("another CPU's copy stands on either side of an assignment", () => {
    const text = dump('\tper_cpu(pending, a) = b;\n\treturn per_cpu(pending, b);');
    expect(text).toMatch(/store (?:once )?@pending\//);
    expect(text).toMatch(/load once @pending\//);
    expect(text).not.toContain('call per_cpu');
  });

  test('a pointer to a copy leads to it', () => {
    const text = dump('\tstruct info *info = this_cpu_ptr(&flush_info);\n\n\tinfo->start = a;\n\treturn 0;');
    expect(text).toContain('@flush_info/this.start');
  });

  test('an increment gives the new value', () => {
    const text = dump('\treturn this_cpu_inc_return(depth);');
    expect(text).toContain('@depth/this');
    expect(text).toMatch(/ \+ 1/);
  });

  test('what is reached through a pointer is a call as before', () => {
    expect(dump('\treturn this_cpu_read(p->counter);')).toContain('call this_cpu_read');
  });
});
