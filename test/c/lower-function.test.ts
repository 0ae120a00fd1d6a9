import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexFile } from '#c/index-file.js';
import type { CFunction, Operand, Place } from '#c/ir.js';
import { lowerFunction } from '#c/lower-function.js';
import { configuration, dump, lower, shape } from './lowered.js';

describe('values and places', () => {
  it('keeps scalars in values and names what they are first assigned to', () => {
    expect(dump('int x = g(a); x += 2; return x;')).toMatchInlineSnapshot(`
      "b0:
        %3.x = call g(%0.a)
        %4.x = %3.x + 2
        return %4.x
      "
    `);
  });
  it('loads and stores through pointers, members and elements', () => {
    expect(
      dump('p->m = *q; q[a] = p->n.o; p->n.o[b]++; return 0;', 'int a, int b, struct s *p, pte_t *q'),
    ).toMatchInlineSnapshot(`
      "b0:
        %4 = load (*%3.q)
        store (*%2.p).m <- %4
        %5 = load (*%2.p).n.o
        store (*%3.q)[%0.a] <- %5
        %6 = load (*%2.p).n.o[%1.b]
        %7 = %6 + 1
        store (*%2.p).n.o[%1.b] <- %7
        return 0
      "
    `);
  });
  it('gives locals whose address is taken, structs and arrays a place', () => {
    expect(
      dump(
        'int x; struct s t = { .m = a, .n = { .o = b } }; int v[2] = { 0 }; g(&x, &t, v, &v[1]); return x + t.m;',
      ),
    ).toMatchInlineSnapshot(`
      "b0:
        store t#1 <- 0
        store t#1.m <- %0.a
        store t#1.n.o <- %1.b
        store v#1 <- 0
        %3 = call g(&x#1, &t#1, &v#1, &v#1[1])
        %4 = load x#1
        %5 = load t#1.m
        %6 = %4 + %5
        return %6
      "
    `);
  });
  it('stores a parameter whose address is taken', () => {
    expect(dump('g(&a); return a;')).toMatchInlineSnapshot(`
      "b0:
        store a#0 <- %0.a
        %3 = call g(&a#0)
        %4 = load a#0
        return %4
      "
    `);
  });
  it('tells shadowed names apart', () => {
    expect(dump('int x; g(&x); { int x; g(&x); } return 0;')).toMatchInlineSnapshot(`
      "b0:
        %3 = call g(&x#1)
        %4 = call g(&x#2)
        return 0
      "
    `);
  });
  it('takes the address of what a pointer reaches', () => {
    expect(
      dump('g(&p->m, &*p, &q[1], &global.m, global); return 0;', 'struct s *p, pte_t *q'),
    ).toMatchInlineSnapshot(`
      "b0:
        %2 = call g(&(*%0.p).m, %0.p, &(*%1.q)[1], &@global.m, global)
        return 0
      "
    `);
  });
  it('marks READ_ONCE and WRITE_ONCE, and sees through likely', () => {
    expect(
      dump(
        'int x = READ_ONCE(p->m); if (unlikely(!x)) WRITE_ONCE(*r, x); smp_store_release(&p->n, data_race(a)); return 0;',
        'int a, struct s *p, int *r',
      ),
    ).toMatchInlineSnapshot(`
      "b0:
        %3.x = load once (*%1.p).m
        branch %3.x ? b2 : b1   // x
      b1: from b0
        store once (*%2.r) <- %3.x
        jump b2
      b2: from b0, b1
        store once (*%1.p).n <- %0.a
        return 0
      "
    `);
  });
  it('makes aggregates of compound literals', () => {
    expect(dump('return g((pte_t) { .v = a }, (struct s) { b, a });')).toMatchInlineSnapshot(`
      "b0:
        %3 = pte_t { v: %0.a }
        %4 = struct s { [0]: %1.b, [1]: %0.a }
        %5 = call g(%3, %4)
        return %5
      "
    `);
  });
  it('keeps static locals apart from automatic ones', () => {
    expect(dump('static int n = 3; n++; return n;')).toMatchInlineSnapshot(`
      "b0:
        %3 = load @f.n
        %4 = %3 + 1
        store @f.n <- %4
        %5 = load @f.n
        return %5
      "
    `);
  });
  it('types what a void pointer becomes', () => {
    const f = lower('void f(void *arg)\n{\n\tstruct info *i = arg;\n\tg(i->m);\n}\n');
    expect(shape(f)).toMatchInlineSnapshot(`
      "b0:
        %1.i = (struct info *) %0.arg
        %2 = load (*%1.i).m
        %3 = call g(%2)
        return
      "
    `);
    expect(f.values[1]).toEqual({ type: { base: 'struct info', pointers: 1 }, variable: 'i' });
  });
  it('gives a variable that only a macro sets the value of that call', () => {
    expect(
      dump('unsigned long flags; lock_it(p, flags); g(); unlock_it(p, flags); return 0;'),
    ).toMatchInlineSnapshot(`
      "b0:
        %3.flags = call lock_it(%2.p, ?<uninitialised flags>)
        %4 = call g()
        %5 = call unlock_it(%2.p, %3.flags)
        return 0
      "
    `);
  });
  it('declares locals through macros in capitals', () => {
    expect(dump('LIST_HEAD(list); add(&list); return 0;')).toMatchInlineSnapshot(`
      "b0:
        %3 = call LIST_HEAD(&list#1)
        %4 = call add(&list#1)
        return 0
      "
    `);
  });
  it('answers IS_ENABLED and numeric configuration symbols', () => {
    expect(
      dump('if (IS_ENABLED(CONFIG_M)) g(CONFIG_LEVELS); if (IS_ENABLED(CONFIG_N)) h(); return 0;'),
    ).toMatchInlineSnapshot(`
      "b0:
        %3 = call g(4)
        return 0
      "
    `);
  });
  it('tells casts from operators', () => {
    expect(dump('return (a) - b * 2 + (u64)(b) + (int)-a + sizeof(int) * b;')).toMatchInlineSnapshot(`
      "b0:
        %3 = %1.b * 2
        %4 = %0.a - %3
        %5 = (u64) %1.b
        %6 = %4 + %5
        %7 = -%0.a
        %8 = (int) %7
        %9 = %6 + %8
        %10 = ?<sizeof(int)> * %1.b
        %11 = %9 + %10
        return %11
      "
    `);
  });
  it('swaps', () => {
    expect(dump('swap(a, b); return a - b;')).toMatchInlineSnapshot(`
      "b0:
        %3 = %1.b - %0.a
        return %3
      "
    `);
  });
  it('calls through pointers', () => {
    expect(
      dump('fn(a); (*fn)(b); p->op(a); return 0;', 'int a, int b, struct s *p, void (*fn)(int)'),
    ).toMatchInlineSnapshot(`
      "b0:
        %4 = call (*%3.fn)(%0.a)
        %5 = call (*%3.fn)(%1.b)
        %6 = load (*%2.p).op
        %7 = call (*%6)(%0.a)
        return 0
      "
    `);
  });
});

describe('branches', () => {
  it('if and else', () => {
    expect(dump('int x; if (a) x = g(); else x = 2; return x;')).toMatchInlineSnapshot(`
      "b0:
        branch %0.a ? b1 : b2   // a
      b1: from b0
        %3.x = call g()
        jump b3
      b2: from b0
        jump b3
      b3: from b1, b2
        %4.x = phi b1 %3.x, b2 2
        return %4.x
      "
    `);
  });
  it('short circuit in a condition', () => {
    expect(dump('if ((a && g()) || !b) h(); return 0;')).toMatchInlineSnapshot(`
      "b0:
        branch %0.a ? b1 : b2   // a
      b1: from b0
        %3 = call g()
        branch %3 ? b3 : b2   // g()
      b2: from b0, b1
        branch %1.b ? b4 : b3   // b
      b3: from b1, b2
        %5 = call h()
        jump b4
      b4: from b2, b3
        return 0
      "
    `);
  });
  it('short circuit with effects as a value, without as an operator', () => {
    expect(dump('int x = a && p->m; int y = a || b; return x + y;')).toMatchInlineSnapshot(`
      "b0:
        branch %0.a ? b1 : b3   // a
      b1: from b0
        %3 = load (*%2.p).m
        branch %3 ? b2 : b3   // p->m
      b2: from b1
        jump b4
      b3: from b0, b1
        jump b4
      b4: from b2, b3
        %4.tmp0 = phi b2 1, b3 0
        %9.y = %0.a || %1.b
        %10 = %4.tmp0 + %9.y
        return %10
      "
    `);
  });
  it('?: as a value', () => {
    expect(dump('return a ? g(b) : p->m;')).toMatchInlineSnapshot(`
      "b0:
        branch %0.a ? b1 : b2   // a
      b1: from b0
        %3 = call g(%1.b)
        jump b3
      b2: from b0
        %4 = load (*%2.p).m
        jump b3
      b3: from b1, b2
        %5.tmp0 = phi b1 %3, b2 %4
        return %5.tmp0
      "
    `);
  });
  it('?: without a middle', () => {
    expect(dump('return g(a) ?: b;')).toMatchInlineSnapshot(`
      "b0:
        %3 = call g(%0.a)
        branch %3 ? b1 : b2   // g(a)
      b1: from b0
        jump b3
      b2: from b0
        jump b3
      b3: from b1, b2
        %4.tmp0 = phi b1 %3, b2 %1.b
        return %4.tmp0
      "
    `);
  });
});

describe('loops', () => {
  it('while', () => {
    expect(dump('while (a < b) { if (g(a)) break; a++; } return a;')).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b4
        %3.a = phi b0 %0.a, b4 %7.a
        %5 = %3.a < %1.b
        branch %5 ? b2 : b5   // a < b
      b2: from b1
        %6 = call g(%3.a)
        branch %6 ? b3 : b4   // g(a)
      b3: from b2
        jump b5
      b4: from b2
        %7.a = %3.a + 1
        jump b1
      b5: from b1, b3
        return %3.a
      "
    `);
  });
  it('do with commas in the condition', () => {
    expect(
      dump('do { if (g(a)) continue; h(); } while (a++, b += 4, b != 9); return a;'),
    ).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b4
        %3.a = phi b0 %0.a, b4 %7.a
        %9.b = phi b0 %1.b, b4 %10.b
        %4 = call g(%3.a)
        branch %4 ? b2 : b3   // g(a)
      b2: from b1
        jump b4
      b3: from b1
        %5 = call h()
        jump b4
      b4: from b2, b3
        %7.a = %3.a + 1
        %10.b = %9.b + 4
        %11 = %10.b != 9
        branch %11 ? b1 : b5   // b != 9
      b5: from b4
        return %7.a
      "
    `);
  });
  it('for with a declaration and continue', () => {
    expect(
      dump('for (int i = 0; i < a; i++) { if (i == b) continue; g(i); } return 0;'),
    ).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b5
        %3.i = phi b0 0, b5 %10.i
        %5 = %3.i < %0.a
        branch %5 ? b2 : b6   // i < a
      b2: from b1
        %7 = %3.i == %1.b
        branch %7 ? b3 : b4   // i == b
      b3: from b2
        jump b5
      b4: from b2
        %8 = call g(%3.i)
        jump b5
      b5: from b3, b4
        %10.i = %3.i + 1
        jump b1
      b6: from b1
        return 0
      "
    `);
  });
  it('for without an end', () => {
    expect(dump('for (;;) { if (g()) return 1; }')).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b3
        %3 = call g()
        branch %3 ? b2 : b3   // g()
      b2: from b1
        return 1
      b3: from b1
        jump b1
      "
    `);
  });
  it('a loop macro gives its cursors new values', () => {
    expect(
      dump('struct s *q, *n; list_for_each_entry_safe(q, n, &p->head, link) { if (q->m) g(q); } return 0;'),
    ).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b4
        %3.q = phi b0 ?<uninitialised q>, b4 %4.q
        %5.n = phi b0 ?<uninitialised n>, b4 %6.n
        %8 = iterate list_for_each_entry_safe(%3.q, %5.n, &(*%2.p).head, link) sets %4.q, %6.n
        branch %8 ? b2 : b5   // list_for_each_entry_safe(q, n, &p->head, link)
      b2: from b1
        %9 = load (*%4.q).m
        branch %9 ? b3 : b4   // q->m
      b3: from b2
        %10 = call g(%4.q)
        jump b4
      b4: from b2, b3
        jump b1
      b5: from b1
        return 0
      "
    `);
  });
  it('a loop macro under an if without braces', () => {
    expect(dump('if (a) for_each_cpu(b, mask) g(b); else h(); return 0;')).toMatchInlineSnapshot(`
      "b0:
        branch %0.a ? b1 : b5   // a
      b1: from b0
        jump b2
      b2: from b1, b3
        %3.b = phi b1 %1.b, b3 %4.b
        %5 = iterate for_each_cpu(%3.b, mask) sets %4.b
        branch %5 ? b3 : b4   // for_each_cpu(b, mask)
      b3: from b2
        %6 = call g(%4.b)
        jump b2
      b4: from b2
        jump b6
      b5: from b0
        %7 = call h()
        jump b6
      b6: from b4, b5
        return 0
      "
    `);
  });
  it('a loop macro sets a bare variable in any position', () => {
    expect(dump('struct s *q; for_each_thing(*p, q) g(q); return 0;')).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b2
        %5.q = phi b0 ?<uninitialised q>, b2 %6.q
        %4 = load (*%2.p)
        %7 = iterate for_each_thing(%4, %5.q) sets %6.q
        branch %7 ? b2 : b3   // for_each_thing(*p, q)
      b2: from b1
        %8 = call g(%6.q)
        jump b1
      b3: from b1
        return 0
      "
    `);
  });
  it('do with a loop macro in place of while', () => {
    expect(dump('struct s *q = g(); do { h(q); } for_each_rest(q, p); return 0;')).toMatchInlineSnapshot(`
      "b0:
        %3.q = call g()
        jump b1
      b1: from b0, b1
        %4.q = phi b0 %3.q, b1 %6.q
        %5 = call h(%4.q)
        %8 = iterate for_each_rest(%4.q, %2.p) sets %6.q
        branch %8 ? b1 : b2   // for_each_rest(q, p)
      b2: from b1
        return 0
      "
    `);
  });
});

describe('switch', () => {
  it('falls through, has ranges and a default in the middle', () => {
    expect(
      dump(
        'switch (a) { case 1: g(); fallthrough; case 2 ... 5: h(); break; default: i(); break; case X: return 7; } return 0;',
      ),
    ).toMatchInlineSnapshot(`
      "b0:
        %6 = %0.a == 1
        branch %6 ? b1 : b2   // case 1
      b1: from b0
        %3 = call g()
        jump b4
      b2: from b0
        %7 = %0.a >= 2
        branch %7 ? b3 : b5   // case 2 ... 5
      b3: from b2
        %8 = %0.a <= 5
        branch %8 ? b4 : b5   // case 2 ... 5
      b4: from b1, b3
        %4 = call h()
        jump b8
      b5: from b2, b3
        %9 = %0.a == X
        branch %9 ? b6 : b7   // case X
      b6: from b5
        return 7
      b7: from b5
        %5 = call i()
        jump b8
      b8: from b4, b7
        return 0
      "
    `);
  });
});

describe('jumps', () => {
  it('goto forward and backward', () => {
    expect(dump('again: if (g()) goto out; a++; goto again; out: return a;')).toMatchInlineSnapshot(`
      "b0:
        jump b1
      b1: from b0, b3
        %4.a = phi b0 %0.a, b3 %5.a
        %3 = call g()
        branch %3 ? b2 : b3   // g()
      b2: from b1
        return %4.a
      b3: from b1
        %5.a = %4.a + 1
        jump b1
      "
    `);
  });
  it('drops what is never reached', () => {
    expect(dump('return 1; g(); while (a) h();')).toMatchInlineSnapshot(`
      "b0:
        return 1
      "
    `);
  });
});

describe('scopes that clean up', () => {
  it('guard ends at every exit', () => {
    expect(
      dump('guard(mutex)(&p->lock); while (a) { guard(rcu)(); if (b) break; if (g()) return 1; } return 2;'),
    ).toMatchInlineSnapshot(`
      "b0:
        %3 = call guard:mutex(&(*%2.p).lock)
        jump b1
      b1: from b0, b6
        branch %0.a ? b2 : b7   // a
      b2: from b1
        %5 = call guard:rcu()
        branch %1.b ? b3 : b4   // b
      b3: from b2
        %7 = call guard_end:rcu()
        jump b7
      b4: from b2
        %8 = call g()
        branch %8 ? b5 : b6   // g()
      b5: from b4
        %9 = call guard_end:rcu()
        %10 = call guard_end:mutex(&(*%2.p).lock)
        return 1
      b6: from b4
        %11 = call guard_end:rcu()
        jump b1
      b7: from b1, b3
        %12 = call guard_end:mutex(&(*%2.p).lock)
        return 2
      "
    `);
  });
  it('scoped_guard', () => {
    expect(
      dump('scoped_guard(spinlock, &p->lock) { if (a) goto out; g(); } h(); out: return 0;'),
    ).toMatchInlineSnapshot(`
      "b0:
        %3 = call guard:spinlock(&(*%2.p).lock)
        branch %0.a ? b1 : b2   // a
      b1: from b0
        %4 = call guard_end:spinlock(&(*%2.p).lock)
        jump b3
      b2: from b0
        %5 = call g()
        %6 = call guard_end:spinlock(&(*%2.p).lock)
        %7 = call h()
        jump b3
      b3: from b1, b2
        return 0
      "
    `);
  });
});

describe('statement expressions, asm', () => {
  it('({ … })', () => {
    expect(dump('return ({ int x = g(a); h(); x + 1; });')).toMatchInlineSnapshot(`
      "b0:
        %3.x = call g(%0.a)
        %4 = call h()
        %5 = %3.x + 1
        return %5
      "
    `);
  });
  it('asm with operands and clobbers', () => {
    expect(
      dump('asm volatile("op %1,%0" : "=r" (a), "+m" (p->m) : "r" (b) : "memory"); return a;'),
    ).toMatchInlineSnapshot(`
      "b0:
        %3.a = asm "op %1,%0" : &(*%2.p).m, %1.b clobbers memory
        store (*%2.p).m <- ?<asm output>
        return %3.a
      "
    `);
  });
  it('asm goto branches to its labels', () => {
    expect(dump('asm goto("jmp %l0" : : : : yes); return 0; yes: return 1;')).toMatchInlineSnapshot(`
      "b0:
        %3 = asm "jmp %l0"
        branch %3 ? b1 : b2   // asm goto("jmp %l0" : : : : yes);
      b1: from b0
        return 1
      b2: from b0
        return 0
      "
    `);
  });
});

describe('macros', () => {
  it('an expression is returned', () => {
    const f = lower('#define f(x, y) ((x) + \\\n\tg(y))\n');
    expect(f.macro).toBe(true);
    expect(f.byName).toEqual([false, false]);
    expect(shape(f)).toMatchInlineSnapshot(`
      "b0:
        %2 = call g(%1.y)
        %3 = %0.x + %2
        return %3
      "
    `);
    expect(f.blocks[0]?.instructions.map((i) => i.line)).toEqual([2, 1]);
  });
  it('statements with parameters by name', () => {
    const f = lower('#define f(x, y)\t\\\ndo {\t\t\\\n\tx = g(y);\t\\\n} while (0)\n');
    expect(f.byName).toEqual([true, false]);
    expect(shape(f)).toMatchInlineSnapshot(`
      "b0:
        %3 = call g(%1.y)
        store (*%0.x) <- %3
        return
      "
    `);
  });
  it('a statement expression yields its last value', () => {
    expect(shape(lower('#define f(x) ({ typeof(x) __x = (x); h(__x); __x; })\n'))).toMatchInlineSnapshot(`
      "b0:
        %1 = call h(%0.x)
        return %0.x
      "
    `);
  });
  it('an object-like macro is a function without parameters', () => {
    expect(shape(lower('#define f (A | B)\n'))).toMatchInlineSnapshot(`
      "b0:
        %0 = A | B
        return %0
      "
    `);
  });
  it('is handed the address of what it assigns to', () => {
    expect(
      shape(
        lower(
          '#define set(x) do { x = g(); } while (0)\nint f(void)\n{\n\tint v;\n\tset(v);\n\treturn v;\n}\n',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "b0:
        %0 = call set(&v#1)
        %1 = load v#1
        return %1
      "
    `);
  });
});

describe('places in the text', () => {
  it('counts lines of the file and keeps the statement', () => {
    const f = lower(
      'int before;\n\nint f(int a)\n{\n\tg(a,\n\t  h(a));\n\tif (a &&\n\t    i())\n\t\treturn 1;\n\treturn 0;\n}\n',
    );
    const all = f.blocks.flatMap((block) => block.instructions.map((i) => [i.line, i.text]));
    expect(all).toEqual([
      [6, 'g(a, h(a));'],
      [5, 'g(a, h(a));'],
      [8, 'a && i()'],
    ]);
    expect([f.firstLine, f.lastLine]).toEqual([3, 11]);
    expect(f.returns).toEqual({ base: 'int', pointers: 0 });
    expect(f.parameters).toEqual([{ name: 'a', type: { base: 'int', pointers: 0 }, id: 0 }]);
  });

  it('names a header macro by its argument', () => {
    const f = lower(
      'SYSCALL_DEFINE2(unmap, unsigned long, a, size_t, n)\n{\n\treturn g(a, n);\n}\n',
      'unmap',
    );
    expect(f.returns).toEqual({ base: 'long', pointers: 0 });
    expect(f.parameters.map((p) => [p.name, p.type?.base])).toEqual([
      ['a', 'unsigned long'],
      ['n', 'size_t'],
    ]);
  });
});

describe('gaps', () => {
  it('are values with the line where the grammar got lost', () => {
    const index = indexFile('a.c', 'int f(int a)\n{\n\ta = 1;\n\tif (] a) g();\n}\n');
    const definition = index.definitions.get('f')?.[0];
    if (!definition) throw new Error('f was not found');
    const result = lowerFunction(index, definition, configuration);
    expect(result).toEqual({ file: 'a.c', line: 4, function: 'f', reason: 'syntax not understood' });
  });
});

/** Every value is defined once, every edge is known on both sides, phis name each predecessor once. */
function checkGraph(f: CFunction): void {
  const defined = new Set(f.parameters.map((p) => p.id));
  const used: number[] = [];
  const operand = (o: Operand): void => {
    if (o.kind === 'value') used.push(o.id);
    else if (o.kind === 'address') place(o.place);
  };
  const place = (p: Place): void => {
    if (p.base.kind === 'deref') operand(p.base.pointer);
    for (const step of p.path) if (step.kind === 'index') operand(step.at);
  };
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if ('id' in i) {
        expect(defined.has(i.id)).toBe(false);
        defined.add(i.id);
      }
      if (i.kind === 'iterate') for (const c of i.cursors) defined.add(c.id);
      if (i.kind === 'phi') {
        expect(i.from.map((entry) => entry.block).toSorted()).toEqual([...block.predecessors].toSorted());
        for (const entry of i.from) operand(entry.value);
      }
      if (i.kind === 'load' || i.kind === 'store') place(i.place);
      if (i.kind === 'call') for (const arg of i.args) operand(arg);
      if (i.kind === 'binary') for (const side of [i.left, i.right]) operand(side);
    }
    const targets =
      block.end.kind === 'jump'
        ? [block.end.to]
        : block.end.kind === 'branch'
          ? [block.end.then, block.end.else]
          : [];
    for (const target of targets) expect(f.blocks[target]?.predecessors).toContain(block.id);
    if (block.end.kind === 'branch') operand(block.end.on);
  }
  for (const id of used) expect(defined.has(id)).toBe(true);
}

it('graphs are well formed', () => {
  checkGraph(
    lower(`int f(int a, struct s *p)
{
	int x, i = 0;
	struct s *q;

	if (a)
		goto middle;
	for (;;) {
		list_for_each_entry(q, &p->head, link) {
			switch (q->kind) {
			case 1:
				continue;
			case 2:
				x = i;
				break;
			default:
				goto out;
			}
			i += x;
middle:
			p = p->next ?: q;
		}
		if (i > 3 && (a || g(i)))
			break;
		do {
			swap(i, a);
		} while (i--, a != i);
	}
out:
	return i ? x : a;
}
`),
  );
});

it('takes any text without an exception or an endless loop', () => {
  const piece = fc.constantFrom(
    ...[
      'int f(',
      'int a',
      ')',
      '{',
      '}',
      ';',
      '\n',
      '#ifdef A\n',
      '#else\n',
      '#endif\n',
      'if (a) ',
      'else ',
      'do ',
      'while (a)',
    ],
    ...[
      'for (;;) ',
      'switch (a) ',
      'case 1:',
      'default:',
      'goto out;',
      'out:',
      'return a;',
      'a = b;',
      'list_for_each(p, q) ',
    ],
    ...[
      '({',
      '})',
      '&a',
      'p->m',
      'q[',
      ']',
      '"s',
      "'",
      '/*',
      '*/',
      'asm("x" : "=r"(a));',
      '#define f(x) ',
      '\\\n',
      '(',
      ',',
    ],
    ...[
      'static __init ',
      '(a',
      'typeof(',
      'sizeof(',
      'guard(x)(y);',
      'break;',
      'continue;',
      '= { .a = 1 }',
      'enum {',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, wrapped) => {
      const text = wrapped ? `int f(int a)\n{\n${pieces.join('')}\n}\n` : pieces.join('');
      const index = indexFile('a.c', text);
      for (const definitions of index.definitions.values()) {
        for (const definition of definitions) {
          const result = lowerFunction(index, definition, configuration);
          if (!('reason' in result)) checkGraph(result);
        }
      }
    }),
    { numRuns: 300 },
  );
});
